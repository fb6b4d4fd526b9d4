//===- LayerErrors.cpp - quantized twins of layers ------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Compress/LayerErrors.h"

#include "leafcutter/Compress/StaticPlan.h"
#include "leafcutter/Transforms/Onnx.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace leaf {

/// The mean over all axes but `kept` (-1: over all).
static Value createMean(OpBuilder &builder, Location loc, Value value, int64_t kept) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> axes, shape;
  for (int64_t axis = 0; axis < type.getRank(); ++axis)
    if (axis != kept)
      axes.push_back(axis);
  if (kept >= 0)
    shape.push_back(type.getDimSize(kept));
  return createOnnx(builder, loc, "ReduceMean", RankedTensorType::get(shape, type.getElementType()),
                    {value, createInts(builder, loc, axes)}, {{"keepdims", builder.getI64IntegerAttr(0)}})
      ->getResult(0);
}

/// The layer once more, on quantized inputs and weights; null where it cannot be.
static Operation *createTwin(OpBuilder &builder, const StaticPlan &plan, const GroupRanges &ranges, const Layer &layer,
                             ActivationType type) {
  SmallVector<Value> operands(layer.op->getOperands());
  for (unsigned i : layer.data) {
    auto range = ranges.find(plan.representative(operands[i]));
    if (range == ranges.end())
      return nullptr;
    QuantizationParameters parameters = chooseParameters(range->second.first, range->second.second, type);
    operands[i] = createRoundTrip(builder, operands[i], parameters, type, nodeName(layer.op)).numbers;
  }
  if (layer.hasWeight()) {
    std::optional<HostTensor> weight = getFloatWeight(layer.weight());
    std::optional<QuantizedWeight> codes =
        weight ? quantizeWeight(*weight, layer.channelAxis) : std::optional<QuantizedWeight>();
    if (!codes)
      return nullptr;
    operands[layer.weightOperand] =
        createDequantizedWeight(builder, *codes, layer.channelAxis, constantName(layer.weight()));
  }
  Operation *twin = builder.clone(*layer.op);
  twin->setOperands(operands);
  return twin;
}

std::vector<LayerError> addLayerErrors(ModuleOp module, ActivationType type) {
  StaticPlan plan = planStatic(module);
  GroupRanges ranges = groupRanges(plan);
  std::vector<LayerError> errors;
  for (const Layer &layer : plan.layers) {
    OpBuilder builder(module.getContext());
    builder.setInsertionPointAfter(layer.op);
    Operation *twin = createTwin(builder, plan, ranges, layer, type);
    if (!twin)
      continue;
    Location loc = layer.op->getLoc();
    Value exact = layer.op->getResult(0);
    Type result = exact.getType();
    Value difference = createOnnx(builder, loc, "Sub", result, {exact, twin->getResult(0)})->getResult(0);
    auto meanSquare = [&](Value value) {
      return createMean(builder, loc, createOnnx(builder, loc, "Mul", result, {value, value})->getResult(0), -1);
    };
    LayerError error{layer.op, {}, meanSquare(difference), meanSquare(exact)};
    if (layer.hasWeight())
      error.meanByChannel = createMean(builder, loc, difference, layer.resultChannelAxis());
    errors.push_back(error);
  }
  return errors;
}

} // namespace leaf
