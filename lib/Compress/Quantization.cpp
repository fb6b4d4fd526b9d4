//===- Quantization.cpp - scales, zero points and quantized tensors ------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Compress/Quantization.h"

#include "leafcutter/Compress/Layers.h"
#include "leafcutter/Transforms/Onnx.h"

#include "Leaf/Leaf.h"
#include <cmath>

using namespace mlir;

namespace leaf {

/// Scales below this would make a quotient overflow float32.
static constexpr double kLeastScale = 1e-30;

std::optional<ActivationType> parseActivationType(StringRef name) {
  if (name == "uint8")
    return ActivationType::UInt8;
  if (name == "int8")
    return ActivationType::Int8;
  if (name == "int16")
    return ActivationType::Int16;
  return std::nullopt;
}

Type getElementType(MLIRContext *context, ActivationType type) {
  unsigned width = type == ActivationType::Int16 ? 16 : 8;
  bool isUnsigned = type == ActivationType::UInt8;
  return IntegerType::get(context, width, isUnsigned ? IntegerType::Unsigned : IntegerType::Signless);
}

QuantizationParameters chooseParameters(double low, double high, ActivationType type) {
  low = std::min(low, 0.0);
  high = std::max(high, 0.0);
  if (type == ActivationType::Int16) {
    double largest = std::max(-low, high);
    return {largest > 0 ? float(std::max(largest / 32767, kLeastScale)) : 1.0f, 0};
  }
  if (high - low <= 0)
    return {1, type == ActivationType::UInt8 ? 0 : -128};
  QuantizationParameters result;
  result.scale = float(std::max((high - low) / 255, kLeastScale));
  result.zero = int64_t(std::nearbyint(std::clamp(-low / result.scale, 0.0, 255.0)));
  if (type == ActivationType::Int8)
    result.zero -= 128;
  return result;
}

std::optional<QuantizedWeight> quantizeWeight(const HostTensor &weight, int64_t axis, ArrayRef<double> least) {
  for (int64_t i = 0, e = weight.size(); i < e; ++i)
    if (!std::isfinite(weight.getFloat(i)))
      return std::nullopt;
  std::vector<double> largest = largestAlong(weight, axis);
  double most = 0;
  for (double value : largest)
    most = std::max(most, value);
  QuantizedWeight result;
  for (auto [c, value] : llvm::enumerate(largest)) {
    double scale = value > 0 ? value / 127 : most > 0 ? most / 127 : 1;
    if (!least.empty())
      scale = std::max(scale, least[c]);
    result.scales.push_back(float(std::max(scale, kLeastScale)));
  }
  auto type = RankedTensorType::get(weight.shape(), IntegerType::get(weight.type().getContext(), 8));
  result.codes = HostTensor::make(type);
  int64_t stride = strideOf(weight.shape(), axis), size = weight.shape()[axis];
  for (int64_t i = 0, e = weight.size(); i < e; ++i) {
    double code = std::nearbyint(weight.getFloat(i) / result.scales[i / stride % size]);
    result.codes.setInt(i, int64_t(std::clamp(code, -127.0, 127.0)));
  }
  return result;
}

Value createScalar(OpBuilder &builder, Location loc, double value) {
  HostTensor tensor = HostTensor::make(RankedTensorType::get({}, builder.getF32Type()));
  tensor.setFloat(0, value);
  return createConstant(builder, loc, tensor, "scalar");
}

Value createCode(OpBuilder &builder, Location loc, int64_t value, Type type) {
  HostTensor tensor = HostTensor::make(RankedTensorType::get({}, type));
  tensor.setInt(0, value);
  return createConstant(builder, loc, tensor, "code");
}

Value createFloats(OpBuilder &builder, Location loc, ArrayRef<float> values, StringRef hint) {
  HostTensor tensor = HostTensor::make(RankedTensorType::get({int64_t(values.size())}, builder.getF32Type()));
  for (auto [i, value] : llvm::enumerate(values))
    tensor.setFloat(i, value);
  return createConstant(builder, loc, tensor, hint);
}

RoundTrip createRoundTrip(OpBuilder &builder, Value value, const QuantizationParameters &parameters,
                          ActivationType type, StringRef name) {
  auto named = [&](StringRef suffix) { return NameLoc::get(builder.getStringAttr(name + suffix)); };
  Type element = getElementType(builder.getContext(), type);
  Value scale = createScalar(builder, named("_scale"), parameters.scale);
  Value zero = createCode(builder, named("_zero_point"), parameters.zero, element);
  Type codeType = cast<RankedTensorType>(value.getType()).clone(element);
  Value codes = createOnnx(builder, named("_quantize"), "QuantizeLinear", codeType, {value, scale, zero})->getResult(0);
  Value numbers = createOnnx(builder, named("_dequantize"), "DequantizeLinear", value.getType(), {codes, scale, zero})
                      ->getResult(0);
  return {codes, numbers};
}

std::pair<OpBuilder, std::string> placeBehind(Value value) {
  OpBuilder builder(value.getContext());
  builder.setInsertionPointAfterValue(value);
  if (Operation *op = value.getDefiningOp())
    return {builder, nodeName(op)};
  return {builder, "input_" + std::to_string(cast<BlockArgument>(value).getArgNumber())};
}

std::string constantName(Value value) {
  Operation *op = value.getDefiningOp();
  if (op && isOnnx(op, "Cast"))
    op = op->getOperand(0).getDefiningOp();
  if (auto load = dyn_cast_or_null<LoadWeightOp>(op))
    if (WeightOp weight = load.resolve())
      return weight.getOnnxName() ? weight.getOnnxName()->str() : weight.getSymName().str();
  return op ? nodeName(op) : "weight";
}

Value createDequantizedWeight(OpBuilder &builder, const QuantizedWeight &weight, int64_t axis, StringRef name) {
  auto named = [&](StringRef suffix) { return NameLoc::get(builder.getStringAttr(name + suffix)); };
  Value codes = createConstant(builder, named("_quantized"), weight.codes, (name + "_quantized").str());
  Value scales = createFloats(builder, named("_scale"), weight.scales, (name + "_scale").str());
  HostTensor zeros =
      HostTensor::make(RankedTensorType::get({int64_t(weight.scales.size())}, weight.codes.elementType()));
  Value zero = createConstant(builder, named("_zero_point"), zeros, (name + "_zero_point").str());
  Type type = weight.codes.type().clone(builder.getF32Type());
  Operation *op = createOnnx(builder, named("_dequantize"), "DequantizeLinear", type, {codes, scales, zero},
                             {{"axis", builder.getI64IntegerAttr(axis)}});
  return op->getResult(0);
}

} // namespace leaf
