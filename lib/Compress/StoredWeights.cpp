//===- StoredWeights.cpp - weights in fewer bits, decoded to float -------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "StoredWeights.h"

#include "leafcutter/Compress/Quantization.h"
#include "leafcutter/Transforms/Onnx.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"
#include <cmath>

using namespace mlir;

namespace leaf {

/// Weights below this many elements are not worth a scale for each channel.
static constexpr int64_t kLeastElements = 64;

static std::vector<StoredWeight> collectWeights(ModuleOp module) {
  std::vector<StoredWeight> weights;
  module.walk([&](Operation *op) {
    if (!isOnnx(op) || isKeptFloat(op))
      return;
    if (std::optional<Layer> layer = matchLayer(op)) {
      if (layer->hasWeight())
        weights.push_back({op, unsigned(layer->weightOperand), layer->channelAxis});
    } else if (isOnnx(op, "LSTM") || isOnnx(op, "GRU") || isOnnx(op, "RNN")) {
      weights.push_back({op, 1, 1});
      weights.push_back({op, 2, 1});
    } else if (isOnnx(op, "Gather") && intAttr(op, "axis", 0) == 0) {
      auto type = dyn_cast<RankedTensorType>(op->getOperand(0).getType());
      if (type && type.getRank() == 2)
        weights.push_back({op, 0, 1});
    }
  });
  return weights;
}

/// The weight in half precision; nothing where a value is beyond it.
static std::optional<HostTensor> narrow(const HostTensor &weight, Type type) {
  HostTensor narrow = HostTensor::make(weight.type().clone(type));
  for (int64_t i = 0, e = weight.size(); i < e; ++i) {
    narrow.setFloat(i, weight.getFloat(i));
    if (std::isfinite(weight.getFloat(i)) && !std::isfinite(narrow.getFloat(i)))
      return std::nullopt;
  }
  return narrow;
}

/// The stored weight decoded to float32, before `op`; null with a reason on the op.
static Value decode(OpBuilder &builder, const StoredWeight &place, const HostTensor &weight, Type type) {
  std::string name = constantName(place.op->getOperand(place.operand));
  if (type.isInteger(8)) {
    if (std::optional<QuantizedWeight> codes = quantizeWeight(weight, place.axis))
      return createDequantizedWeight(builder, *codes, place.axis, name);
    keepFloat(place.op, "its weight has values that are not finite");
    return {};
  }
  std::optional<HostTensor> stored = narrow(weight, type);
  if (!stored) {
    keepFloat(place.op, "its weight has values beyond half precision");
    return {};
  }
  auto named = [&](const Twine &suffix) { return NameLoc::get(builder.getStringAttr(name + suffix)); };
  std::string suffix = type.isF16() ? "_f16" : "_bf16";
  Value narrowed = createConstant(builder, named(suffix), *stored, name + suffix);
  return createOnnx(builder, named("_cast"), "Cast", weight.type(), narrowed,
                    {{"to", builder.getI64IntegerAttr(onnxElementType(builder.getF32Type()))}})
      ->getResult(0);
}

/// A table of 8 bits is gathered first and then dequantized: only the rows that are read are decoded.
static void gatherCodes(const StoredWeight &place, Value decoded) {
  Operation *dequantize = decoded.getDefiningOp();
  OpBuilder builder(place.op);
  auto type = cast<RankedTensorType>(place.op->getResult(0).getType());
  Value codes = dequantize->getOperand(0);
  Type codeType = type.clone(cast<ShapedType>(codes.getType()).getElementType());
  Value gathered = createOnnx(builder, place.op->getLoc(), "Gather", codeType, {codes, place.op->getOperand(1)},
                              place.op->getAttrs())
                       ->getResult(0);
  auto loc = NameLoc::get(builder.getStringAttr(nodeName(place.op) + "_dequantize"));
  Operation *numbers = createOnnx(builder, loc, "DequantizeLinear", type,
                                  {gathered, dequantize->getOperand(1), dequantize->getOperand(2)},
                                  {{"axis", builder.getI64IntegerAttr(type.getRank() - 1)}});
  place.op->getResult(0).replaceAllUsesWith(numbers->getResult(0));
  place.op->erase();
  if (dequantize->use_empty())
    dequantize->erase();
}

unsigned storeWeights(ModuleOp module, Type type, llvm::function_ref<bool(const StoredWeight &)> filter) {
  unsigned stored = 0;
  for (const StoredWeight &place : collectWeights(module)) {
    Value operand = place.op->getOperand(place.operand);
    std::optional<HostTensor> weight = filter(place) ? getFloatWeight(operand) : std::nullopt;
    // A weight in half precision already is no larger than what half precision would make of it.
    bool isNarrow = operand.getDefiningOp() && isOnnx(operand.getDefiningOp(), "Cast") && !type.isInteger(8);
    if (!weight || isNarrow || weight->size() < kLeastElements)
      continue;
    OpBuilder builder(place.op);
    Value decoded = decode(builder, place, *weight, type);
    if (!decoded)
      continue;
    ++stored;
    if (isOnnx(place.op, "Gather") && type.isInteger(8))
      gatherCodes(place, decoded);
    else
      place.op->setOperand(place.operand, decoded);
  }
  return stored;
}

} // namespace leaf
