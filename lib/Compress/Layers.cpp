//===- Layers.cpp - contractions with weights, as compression sees them --------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Compress/Layers.h"

#include "leafcutter/Transforms/Onnx.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"
#include <cmath>

using namespace mlir;

namespace leaf {

static bool isFloat32(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getElementType().isF32();
}

static int64_t rankOf(Value value) { return cast<RankedTensorType>(value.getType()).getRank(); }

std::optional<HostTensor> getFloatWeight(Value weight) {
  Value source = weight;
  if (Operation *cast = weight.getDefiningOp(); cast && isOnnx(cast, "Cast"))
    source = cast->getOperand(0);
  std::optional<HostTensor> tensor = getHostConstant(source);
  if (!tensor || !tensor->isFloat() || tensor->elementType().isF64())
    return std::nullopt;
  if (tensor->elementType().isF32())
    return tensor;
  HostTensor wide = HostTensor::make(tensor->type().clone(Float32Type::get(weight.getContext())));
  for (int64_t i = 0, e = tensor->size(); i < e; ++i)
    wide.setFloat(i, tensor->getFloat(i));
  return wide;
}

static bool isFloatConstant(Value value) {
  Value source = value;
  if (Operation *cast = value.getDefiningOp(); cast && isOnnx(cast, "Cast"))
    source = cast->getOperand(0);
  return isConstantValue(source) && isFloat32(value) &&
         isa<FloatType>(cast<ShapedType>(source.getType()).getElementType());
}

static bool isDecodedInteger(Value value) {
  Operation *op = value.getDefiningOp();
  return op && isOnnx(op, "DequantizeLinear") && isConstantValue(op->getOperand(0));
}

static std::optional<Layer> matchConvolution(Operation *op, bool transposed) {
  Layer layer{op, 1, transposed ? 1 : 0, transposed ? 0 : 1, {0}, 2};
  if (!isFloatConstant(op->getOperand(1)))
    return std::nullopt;
  return layer;
}

static std::optional<Layer> matchGemm(Operation *op) {
  if (!isFloatConstant(op->getOperand(1)) || intAttr(op, "transA", 0) != 0)
    return std::nullopt;
  bool transposed = intAttr(op, "transB", 0) != 0;
  return Layer{op, 1, transposed ? 0 : 1, transposed ? 1 : 0, {0}, 2};
}

static std::optional<Layer> matchMatMul(Operation *op) {
  int64_t left = rankOf(op->getOperand(0)), right = rankOf(op->getOperand(1));
  if (left < 2 || right < 2)
    return std::nullopt;
  if (isFloatConstant(op->getOperand(1)))
    return Layer{op, 1, right - 1, right - 2, {0}, std::nullopt};
  if (isFloatConstant(op->getOperand(0)))
    return Layer{op, 0, left - 2, left - 1, {1}, std::nullopt};
  return Layer{op, -1, 0, 0, {0, 1}, std::nullopt};
}

std::optional<Layer> matchLayer(Operation *op) {
  bool known = isOnnx(op, "Conv") || isOnnx(op, "ConvTranspose") || isOnnx(op, "Gemm") || isOnnx(op, "MatMul");
  if (!known || !isFloat32(op->getOperand(0)) || !isFloat32(op->getOperand(1)) || !isFloat32(op->getResult(0)) ||
      isDecodedInteger(op->getOperand(0)) || isDecodedInteger(op->getOperand(1)))
    return std::nullopt;
  if (isOnnx(op, "Gemm"))
    return matchGemm(op);
  if (isOnnx(op, "MatMul"))
    return matchMatMul(op);
  return matchConvolution(op, isOnnx(op, "ConvTranspose"));
}

int64_t Layer::resultChannelAxis() const {
  int64_t rank = rankOf(op->getResult(0));
  if (isOnnx(op, "Conv") || isOnnx(op, "ConvTranspose"))
    return 1;
  return weightOperand == 0 ? rank - 2 : rank - 1;
}

func::FuncOp getEntry(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  return main && !main.isExternal() ? main : func::FuncOp();
}

std::vector<Layer> collectLayers(ModuleOp module) {
  std::vector<Layer> layers;
  func::FuncOp main = getEntry(module);
  if (!main)
    return layers;
  for (Operation &op : main.front())
    if (std::optional<Layer> layer = isOnnx(&op) ? matchLayer(&op) : std::nullopt)
      layers.push_back(*layer);
  return layers;
}

void keepFloat(Operation *op, const Twine &reason) {
  if (!isKeptFloat(op))
    op->setAttr(attrs::kFloat, StringAttr::get(op->getContext(), reason));
}

bool isKeptFloat(Operation *op) { return op->hasAttr(attrs::kFloat); }

int64_t strideOf(ArrayRef<int64_t> shape, int64_t axis) {
  int64_t stride = 1;
  for (int64_t size : shape.drop_front(axis + 1))
    stride *= size;
  return stride;
}

std::vector<double> largestAlong(const HostTensor &tensor, int64_t axis) {
  int64_t stride = strideOf(tensor.shape(), axis), size = tensor.shape()[axis];
  std::vector<double> largest(size, 0);
  for (int64_t i = 0, e = tensor.size(); i < e; ++i) {
    double &entry = largest[i / stride % size];
    entry = std::max(entry, std::fabs(tensor.getFloat(i)));
  }
  return largest;
}

HostTensor scaleAlong(const HostTensor &tensor, int64_t axis, ArrayRef<double> factor) {
  HostTensor scaled = HostTensor::make(tensor.type());
  int64_t stride = strideOf(tensor.shape(), axis), size = tensor.shape()[axis];
  for (int64_t i = 0, e = tensor.size(); i < e; ++i)
    scaled.setFloat(i, tensor.getFloat(i) * factor[i / stride % size]);
  return scaled;
}

} // namespace leaf
