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
  bool convert(const Layer &layer);

private:
  Codes quantize(Value value);
  Codes quantizeTensor(OpBuilder &builder, Value value, const std::string &name);
  Codes quantizeRows(OpBuilder &builder, Value value, const std::string &name);

  bool perToken;
  llvm::DenseMap<Value, Codes> known;
};

} // namespace

static Type withElement(Value like, Type element) { return cast<RankedTensorType>(like.getType()).clone(element); }

static Value create(OpBuilder &b, const std::string &name, StringRef op, Type type, ValueRange operands,
                    std::initializer_list<std::pair<StringRef, Attribute>> attributes = {}) {
  return createOnnx(b, NameLoc::get(b.getStringAttr(name)), op, type, operands, attributes)->getResult(0);
}

Codes DynamicQuantizer::quantizeTensor(OpBuilder &b, Value value, const std::string &name) {
  Type code = IntegerType::get(b.getContext(), 8, IntegerType::Unsigned);
  SmallVector<Type> types = {withElement(value, code), RankedTensorType::get({}, b.getF32Type()),
                             RankedTensorType::get({}, code)};
  Operation *op = createOnnx(b, NameLoc::get(b.getStringAttr(name + "_quantize")), "DynamicQuantizeLinear", types,
                             ValueRange(value));
  return {op->getResult(0), op->getResult(1), op->getResult(2)};
}

/// Symmetric, by the largest magnitude of each row.
Codes DynamicQuantizer::quantizeRows(OpBuilder &b, Value value, const std::string &name) {
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

Codes DynamicQuantizer::quantize(Value value) {
  auto [entry, isNew] = known.try_emplace(value);
  if (!isNew)
    return entry->second;
  OpBuilder builder(value.getContext());
  if (value.getDefiningOp())
    builder.setInsertionPointAfterValue(value);
  else
    builder.setInsertionPointToStart(value.getParentBlock());
  std::string name = value.getDefiningOp() ? nodeName(value.getDefiningOp())
                                           : "input_" + std::to_string(cast<BlockArgument>(value).getArgNumber());
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

bool DynamicQuantizer::convert(const Layer &layer) {
  Operation *op = layer.op;
  HostTensor weight = *getFloatWeight(layer.weight());
  if (layer.channelAxis == 0)
    weight = transposeTensor(weight, {1, 0});
  std::optional<QuantizedWeight> codes = quantizeWeight(weight, 1);
  if (!codes) {
    keepFloat(op, "its weight has values that are not finite");
    return false;
  }
  Codes data = quantize(op->getOperand(0));
  OpBuilder b(op);
  std::string name = nodeName(op), weightName = constantName(layer.weight());
  auto named = [&](StringRef suffix) { return NameLoc::get(b.getStringAttr(weightName + suffix)); };
  Value stored = createConstant(b, named("_quantized"), codes->codes, weightName + "_quantized");
  Value scales = createFloats(b, named("_scale"), codes->scales, weightName + "_scale");
  Type result = op->getResult(0).getType();
  SmallVector<Value> operands = {data.codes, stored};
  if (data.zero)
    operands.push_back(data.zero);
  else
    operands.push_back(createNoValue(b, op->getLoc()));
  operands.push_back(createNoValue(b, op->getLoc()));
  Value sum = create(b, name + "_integer", "MatMulInteger", withElement(op->getResult(0), b.getI32Type()), operands);
  Value number =
      create(b, name + "_cast", "Cast", result, sum, {{"to", b.getI64IntegerAttr(onnxElementType(b.getF32Type()))}});
  Value product;
  if (perToken) {
    Value rows = create(b, name + "_rows", "Mul", result, {number, data.scale});
    product = create(b, name + "_scaled", "Mul", result, {rows, scales});
  } else {
    Value scale = create(b, name + "_scale", "Mul", scales.getType(), {data.scale, scales});
    product = create(b, name + "_scaled", "Mul", result, {number, scale});
  }
  if (Value bias = layer.biasOperand ? onnxOperand(op, *layer.biasOperand) : Value())
    product = create(b, name, "Add", result, {product, bias});
  op->getResult(0).replaceAllUsesWith(product);
  op->erase();
  return true;
}

namespace {

struct QuantizeDynamic : leaf::impl::QuantizeDynamicBase<QuantizeDynamic> {
  using QuantizeDynamicBase::QuantizeDynamicBase;

  void runOnOperation() override {
    DynamicQuantizer quantizer(perToken);
    for (const Layer &layer : collectLayers(getOperation()))
      if (isMatrixLayer(layer))
        numLayers += quantizer.convert(layer);
    Type code = IntegerType::get(&getContext(), 8);
    numLayers += storeWeights(getOperation(), code, [](const StoredWeight &) { return true; });
  }
};

} // namespace
