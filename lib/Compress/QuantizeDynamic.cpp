//===- QuantizeDynamic.cpp - activations quantized in each run -----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "StoredWeights.h"

#include "leafcutter/Compress/Passes.h"
#include "leafcutter/Compress/Quantization.h"
#include "leafcutter/Transforms/Onnx.h"
#include "leafcutter/Transforms/Shapes.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"

namespace leaf {
#define GEN_PASS_DEF_QUANTIZEDYNAMIC
#include "leafcutter/Compress/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// A row of zeros has this scale: any would do.
static constexpr double kLeastScale = 1e-30;

namespace {

/// An activation as codes; zero is null where it is 0.
struct Codes {
  Value codes, scale, zero;
};

class DynamicQuantizer {
public:
  explicit DynamicQuantizer(bool perToken) : perToken(perToken) {}
  bool convertMatrix(const Layer &layer);
  bool convertConvolution(const Layer &layer);

private:
  Codes quantize(Value value);

  bool perToken;
  llvm::DenseMap<Value, Codes> matrices, images; ///< what is quantized already, for either kind of layer
};

} // namespace

static Type withElement(Value like, Type element) { return cast<RankedTensorType>(like.getType()).clone(element); }

static Value create(OpBuilder &b, const std::string &name, StringRef op, Type type, ValueRange operands,
                    std::initializer_list<std::pair<StringRef, Attribute>> attributes = {}) {
  return createOnnx(b, NameLoc::get(b.getStringAttr(name)), op, type, operands, attributes)->getResult(0);
}

static Codes quantizeTensor(OpBuilder &b, Value value, const std::string &name) {
  Type code = IntegerType::get(b.getContext(), 8, IntegerType::Unsigned);
  SmallVector<Type> types = {withElement(value, code), RankedTensorType::get({}, b.getF32Type()),
                             RankedTensorType::get({}, code)};
  Operation *op = createOnnx(b, NameLoc::get(b.getStringAttr(name + "_quantize")), "DynamicQuantizeLinear", types,
                             ValueRange(value));
  return {op->getResult(0), op->getResult(1), op->getResult(2)};
}

/// Symmetric, by the largest magnitude of each row.
static Codes quantizeRows(OpBuilder &b, Value value, const std::string &name) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> rows(type.getShape());
  rows.back() = 1;
  Type rowType = RankedTensorType::get(rows, b.getF32Type());
  Location loc = NameLoc::get(b.getStringAttr(name));
  Value magnitude = create(b, name + "_abs", "Abs", type, value);
  Value most = create(b, name + "_max", "ReduceMax", rowType, {magnitude, createInts(b, loc, {type.getRank() - 1})},
                      {{"keepdims", b.getI64IntegerAttr(1)}});
  Value some = create(b, name + "_scale_floor", "Max", rowType, {most, createScalar(b, loc, 127 * kLeastScale)});
  Value scale = create(b, name + "_scale", "Div", rowType, {some, createScalar(b, loc, 127)});
  Value scaled = create(b, name + "_scaled", "Div", type, {value, scale});
  Value rounded = create(b, name + "_rounded", "Round", type, scaled);
  Value codes = create(b, name + "_quantize", "Cast", withElement(value, b.getI8Type()), rounded,
                       {{"to", b.getI64IntegerAttr(onnxElementType(b.getI8Type()))}});
  return {codes, scale, {}};
}

/// Whether no element of `value` is below zero, whatever the inputs.
static bool isNonNegative(Value value) {
  static constexpr StringLiteral sources[] = {"Abs", "Exp", "HardSigmoid", "Relu", "Sigmoid", "Softmax", "Sqrt"};
  static constexpr StringLiteral movers[] = {
      "AveragePool", "Flatten", "GlobalAveragePool", "GlobalMaxPool", "MaxPool",    "Reshape",
      "Resize",      "Squeeze", "Transpose",         "Unsqueeze",     "ReduceMean", "ReduceMax"};
  Operation *op = value.getDefiningOp();
  if (!op || !isOnnx(op))
    return false;
  StringRef name = onnxName(op);
  if (llvm::is_contained(sources, name))
    return true;
  if (name == "Clip") {
    Value least = onnxOperand(op, 1);
    std::optional<HostTensor> number = least ? getHostConstant(least) : std::nullopt;
    return number && number->size() == 1 && number->getFloat(0) >= 0;
  }
  // Cubic interpolation overshoots.
  bool moves = llvm::is_contained(movers, name) && stringAttr(op, "mode", "nearest") != "cubic";
  return moves && isNonNegative(op->getOperand(0));
}

/// By the largest magnitude of the tensor, with a zero point that is known: a convolution writes it into its border. A
/// value that is never negative uses all 256 codes.
static Codes quantizeImage(OpBuilder &b, Value value, const std::string &name) {
  Type code = IntegerType::get(b.getContext(), 8, IntegerType::Unsigned);
  Type scalar = RankedTensorType::get({}, b.getF32Type());
  Location loc = NameLoc::get(b.getStringAttr(name));
  bool positive = isNonNegative(value);
  double steps = positive ? 255 : 127;
  Value magnitude = positive ? value : create(b, name + "_abs", "Abs", value.getType(), value);
  Value most = create(b, name + "_max", "ReduceMax", scalar, {magnitude, createNoValue(b, loc)},
                      {{"keepdims", b.getI64IntegerAttr(0)}});
  Value some = create(b, name + "_scale_floor", "Max", scalar, {most, createScalar(b, loc, steps * kLeastScale)});
  Value scale = create(b, name + "_scale", "Div", scalar, {some, createScalar(b, loc, steps)});
  Value zero = createCode(b, loc, positive ? 0 : 128, code);
  Value codes = create(b, name + "_quantize", "QuantizeLinear", withElement(value, code), {value, scale, zero});
  return {codes, scale, zero};
}

Codes DynamicQuantizer::quantize(Value value) {
  auto [entry, isNew] = matrices.try_emplace(value);
  if (!isNew)
    return entry->second;
  auto [builder, name] = placeBehind(value);
  return entry->second = perToken ? quantizeRows(builder, value, name) : quantizeTensor(builder, value, name);
}

/// Layers whose weight is a matrix on the right.
static bool isMatrixLayer(const Layer &layer) {
  if (!layer.hasWeight() || layer.weightOperand != 1 || isKeptFloat(layer.op))
    return false;
  if (isOnnx(layer.op, "Gemm"))
    return floatAttr(layer.op, "alpha", 1) == 1 && floatAttr(layer.op, "beta", 1) == 1;
  return isOnnx(layer.op, "MatMul") && cast<ShapedType>(layer.weight().getType()).getRank() == 2;
}

/// Convolutions but depthwise ones: those do so few products that finding the range of their input costs more.
static bool isDenseConvolution(const Layer &layer) {
  if (!isOnnx(layer.op, "Conv") || !layer.hasWeight() || isKeptFloat(layer.op))
    return false;
  auto weight = cast<ShapedType>(layer.weight().getType());
  return weight.hasStaticShape() && !(intAttr(layer.op, "group", 1) > 1 && weight.getDimSize(1) == 1);
}

namespace {
/// The weight of a layer as constants.
struct StoredCodes {
  Value codes;
  HostTensor scales;
  std::string name;
};
} // namespace

/// Codes of the layer's weight, or nothing with a reason on the op.
static std::optional<StoredCodes> storeCodes(OpBuilder &b, const Layer &layer, const HostTensor &weight, int64_t axis) {
  std::optional<QuantizedWeight> codes = quantizeWeight(weight, axis);
  if (!codes) {
    keepFloat(layer.op, "its weight has values that are not finite");
    return std::nullopt;
  }
  std::string name = constantName(layer.weight());
  HostTensor scales = HostTensor::make(RankedTensorType::get({int64_t(codes->scales.size())}, b.getF32Type()));
  for (auto [i, scale] : llvm::enumerate(codes->scales))
    scales.setFloat(i, scale);
  Location loc = NameLoc::get(b.getStringAttr(name + "_quantized"));
  return StoredCodes{createConstant(b, loc, codes->codes, name + "_quantized"), scales, name};
}

static Value castToFloat(OpBuilder &b, const std::string &name, Value sum, Type result) {
  return create(b, name + "_cast", "Cast", result, sum, {{"to", b.getI64IntegerAttr(onnxElementType(b.getF32Type()))}});
}

/// Number times the scales of both operands, plus the bias where there is one, in the layer's place.
static void finishLayer(OpBuilder &b, const Layer &layer, Value number, Value dataScale, Value scales, Value bias) {
  std::string name = nodeName(layer.op);
  Type result = layer.op->getResult(0).getType();
  Value product;
  if (cast<ShapedType>(dataScale.getType()).getRank() > 0) {
    Value rows = create(b, name + "_rows", "Mul", result, {number, dataScale});
    product = create(b, name + "_scaled", "Mul", result, {rows, scales});
  } else {
    Value scale = create(b, name + "_scale", "Mul", scales.getType(), {dataScale, scales});
    product = create(b, name + "_scaled", "Mul", result, {number, scale});
  }
  if (bias)
    product = create(b, name, "Add", result, {product, bias});
  layer.op->getResult(0).replaceAllUsesWith(product);
  layer.op->erase();
}

bool DynamicQuantizer::convertMatrix(const Layer &layer) {
  Operation *op = layer.op;
  OpBuilder b(op);
  HostTensor weight = *getFloatWeight(layer.weight());
  if (layer.channelAxis == 0)
    weight = transposeTensor(weight, {1, 0});
  std::optional<StoredCodes> stored = storeCodes(b, layer, weight, 1);
  if (!stored)
    return false;
  Codes data = quantize(op->getOperand(0));
  Location loc = NameLoc::get(b.getStringAttr(stored->name + "_scale"));
  Value scales = createConstant(b, loc, stored->scales, stored->name + "_scale");
  SmallVector<Value> operands = {data.codes, stored->codes, data.zero ? data.zero : createNoValue(b, op->getLoc()),
                                 createNoValue(b, op->getLoc())};
  std::string name = nodeName(op);
  Value sum = create(b, name + "_integer", "MatMulInteger", withElement(op->getResult(0), b.getI32Type()), operands);
  Value number = castToFloat(b, name, sum, op->getResult(0).getType());
  Value bias = layer.biasOperand ? onnxOperand(op, *layer.biasOperand) : Value();
  finishLayer(b, layer, number, data.scale, scales, bias);
  return true;
}

/// `vector` over the channels in the shape that broadcasts along dimension 1 of an image of `rank` dimensions.
static Value alongChannels(OpBuilder &b, Location loc, Value vector, int64_t rank) {
  SmallVector<int64_t> shape(rank - 1, 1);
  shape[0] = cast<ShapedType>(vector.getType()).getNumElements();
  if (std::optional<HostTensor> constant = getHostConstant(vector))
    return createConstant(b, loc, constant->reshaped(shape), constantName(vector) + "_channels");
  return createReshape(b, loc, vector, shape);
}

bool DynamicQuantizer::convertConvolution(const Layer &layer) {
  Operation *op = layer.op;
  OpBuilder b(op);
  std::optional<StoredCodes> stored = storeCodes(b, layer, *getFloatWeight(layer.weight()), 0);
  if (!stored)
    return false;
  auto [entry, isNew] = images.try_emplace(op->getOperand(0));
  if (isNew) {
    auto [builder, name] = placeBehind(op->getOperand(0));
    entry->second = quantizeImage(builder, op->getOperand(0), name + "_image");
  }
  const Codes &data = entry->second;
  auto result = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<int64_t> shape(result.getRank() - 1, 1);
  shape[0] = stored->scales.size();
  Location loc = NameLoc::get(b.getStringAttr(stored->name + "_scale"));
  Value scales = createConstant(b, loc, stored->scales.reshaped(shape), stored->name + "_scale");
  SmallVector<NamedAttribute> attributes;
  for (NamedAttribute attribute : op->getAttrs())
    if (!attribute.getName().strref().starts_with("leaf."))
      attributes.push_back(attribute);
  std::string name = nodeName(op);
  Value sum = createOnnx(b, NameLoc::get(b.getStringAttr(name + "_integer")), "ConvInteger",
                         TypeRange(result.clone(b.getI32Type())),
                         {data.codes, stored->codes, data.zero, createNoValue(b, op->getLoc())}, attributes)
                  ->getResult(0);
  Value bias = onnxOperand(op, 2);
  if (bias)
    bias = alongChannels(b, NameLoc::get(b.getStringAttr(name + "_bias")), bias, result.getRank());
  finishLayer(b, layer, castToFloat(b, name, sum, result), data.scale, scales, bias);
  return true;
}

namespace {

struct QuantizeDynamic : leaf::impl::QuantizeDynamicBase<QuantizeDynamic> {
  using QuantizeDynamicBase::QuantizeDynamicBase;

  void runOnOperation() override {
    DynamicQuantizer quantizer(perToken);
    for (const Layer &layer : collectLayers(getOperation()))
      if (isMatrixLayer(layer))
        numLayers += quantizer.convertMatrix(layer);
      else if (isDenseConvolution(layer))
        numLayers += quantizer.convertConvolution(layer);
    Type code = IntegerType::get(&getContext(), 8);
    numLayers += storeWeights(getOperation(), code, [](const StoredWeight &) { return true; });
  }
};

} // namespace
