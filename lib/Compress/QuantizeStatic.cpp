//===- QuantizeStatic.cpp - static quantization as Q/DQ ------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Compress/Passes.h"
#include "leafcutter/Compress/Quantization.h"
#include "leafcutter/Compress/StaticPlan.h"
#include "leafcutter/Transforms/Onnx.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"
#include <cmath>

namespace leaf {
#define GEN_PASS_DEF_QUANTIZESTATIC
#include "leafcutter/Compress/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// A bias takes at most this part of the range of 32 bits; products of the layer have the rest.
static constexpr double kLargestBias = 1 << 30;

namespace {

class StaticQuantizer {
public:
  StaticQuantizer(ModuleOp module, ActivationType type) : module(module), type(type) {}
  void run();
  unsigned numLayers = 0, numValues = 0;

private:
  bool dropLayersWithoutRange();
  void quantizeValue(Value value);
  bool readsNumbers(OpOperand &use, bool fromConvolution) const;
  void quantizeLayer(const Layer &layer);
  void dropRanges();
  Value quantizeBias(const Layer &layer, const HostTensor &bias, float scale, ArrayRef<float> weightScales);

  ModuleOp module;
  ActivationType type;
  StaticPlan plan;
  GroupRanges groups;
  llvm::DenseMap<Value, float> scales; ///< of quantized values
  llvm::DenseSet<Operation *> layerOps;
  std::map<std::pair<std::string, int64_t>, Value> weights; ///< by name and axis; only those that no bias widened
};

} // namespace

/// Whether some layer had to be given up, so that the plan changes.
bool StaticQuantizer::dropLayersWithoutRange() {
  bool dropped = false;
  for (const Layer &layer : plan.layers) {
    std::optional<HostTensor> weight = layer.hasWeight() ? getFloatWeight(layer.weight()) : std::nullopt;
    bool unknown = llvm::any_of(layer.data, [&](unsigned i) { return !getRange(layer.op->getOperand(i)); });
    bool infinite = weight && !quantizeWeight(*weight, layer.channelAxis);
    if (unknown)
      keepFloat(layer.op, "calibration gave no finite range of its input");
    else if (infinite)
      keepFloat(layer.op, "its weight has values that are not finite");
    else if (layer.hasWeight() && !weight)
      keepFloat(layer.op, "its weight's values are not at hand");
    dropped |= isKeptFloat(layer.op);
  }
  return dropped;
}

/// Whether a user of a quantized value gets what the codes say. Layers and movers do; others where the value would be
/// kept as codes anyway. What a transformer adds up (its residual) stays as precise as it was computed.
bool StaticQuantizer::readsNumbers(OpOperand &use, bool fromConvolution) const {
  Operation *user = use.getOwner();
  if (isKeptFloat(user) || isa<func::ReturnOp>(user) || isOnnx(user, "QuantizeLinear"))
    return false;
  if (layerOps.contains(user) || plan.movers.contains(user))
    return true;
  return fromConvolution && user->getBlock() == use.get().getParentBlock();
}

void StaticQuantizer::quantizeValue(Value value) {
  auto group = groups.find(plan.representative(value));
  if (group == groups.end())
    return;
  auto [low, high] = group->second;
  QuantizationParameters parameters = chooseParameters(low, high, type);
  bool fromConvolution = comesFromConvolution(value);
  auto [builder, name] = placeBehind(value);
  Value numbers = createRoundTrip(builder, value, parameters, type, name).numbers;
  value.replaceUsesWithIf(numbers, [&](OpOperand &use) { return readsNumbers(use, fromConvolution); });
  scales[numbers] = parameters.scale;
  ++numValues;
}

/// The bias in units of the product of both scales; null where it cannot be.
Value StaticQuantizer::quantizeBias(const Layer &layer, const HostTensor &bias, float scale,
                                    ArrayRef<float> weightScales) {
  OpBuilder builder(layer.op);
  std::string name = constantName(layer.op->getOperand(*layer.biasOperand));
  auto named = [&](StringRef suffix) { return NameLoc::get(builder.getStringAttr(name + suffix)); };
  HostTensor codes = HostTensor::make(bias.type().clone(builder.getI32Type()));
  std::vector<float> scales;
  for (auto [c, weightScale] : llvm::enumerate(weightScales)) {
    scales.push_back(scale * weightScale);
    double code = std::nearbyint(bias.getFloat(c) / scales.back());
    if (!(std::fabs(code) <= 2147483000.0) || scales.back() == 0)
      return {};
    codes.setInt(c, int64_t(code));
  }
  Value stored = createConstant(builder, named("_quantized"), codes, name + "_quantized");
  Value unit = createFloats(builder, named("_scale"), scales, name + "_scale");
  HostTensor zeros = HostTensor::make(RankedTensorType::get({int64_t(scales.size())}, builder.getI32Type()));
  Value zero = createConstant(builder, named("_zero_point"), zeros, name + "_zero_point");
  return createOnnx(builder, named("_dequantize"), "DequantizeLinear", bias.type(), {stored, unit, zero},
                    {{"axis", builder.getI64IntegerAttr(bias.rank() - 1)}})
      ->getResult(0);
}

/// A bias of one value for each output channel; nothing else can be put into the accumulator's units.
static std::optional<HostTensor> channelBias(const Layer &layer, int64_t channels) {
  Value operand = layer.biasOperand ? onnxOperand(layer.op, *layer.biasOperand) : Value();
  std::optional<HostTensor> bias = operand ? getHostConstant(operand) : std::nullopt;
  if (!bias || !bias->elementType().isF32() || bias->size() != channels || bias->rank() == 0 ||
      bias->shape().back() != channels || floatAttr(layer.op, "alpha", 1) != 1 || floatAttr(layer.op, "beta", 1) != 1)
    return std::nullopt;
  for (int64_t i = 0; i < channels; ++i)
    if (!std::isfinite(bias->getFloat(i)))
      return std::nullopt;
  return bias;
}

void StaticQuantizer::quantizeLayer(const Layer &layer) {
  ++numLayers;
  if (!layer.hasWeight())
    return;
  HostTensor weight = *getFloatWeight(layer.weight());
  int64_t channels = weight.shape()[layer.channelAxis];
  float scale = scales.lookup(layer.op->getOperand(layer.data.front()));
  std::optional<HostTensor> bias = type == ActivationType::Int16 ? std::nullopt : channelBias(layer, channels);
  // A channel whose weights are tiny beside its bias gets a larger scale, with which the bias fits into 32 bits.
  std::vector<double> least;
  bool widened = false;
  if (bias && scale > 0) {
    std::vector<double> largest = largestAlong(weight, layer.channelAxis);
    for (int64_t c = 0; c < channels; ++c) {
      least.push_back(std::fabs(bias->getFloat(c)) / (kLargestBias * scale));
      widened |= least.back() > largest[c] / 127;
    }
  }
  OpBuilder builder(layer.op);
  std::string name = constantName(layer.weight());
  QuantizedWeight codes = *quantizeWeight(weight, layer.channelAxis, least);
  Value *known = widened ? nullptr : &weights[{name, layer.channelAxis}];
  Value numbers = known ? *known : Value();
  if (!numbers) {
    // Layers that share a weight share its codes; the first one stands before all of them.
    numbers = createDequantizedWeight(builder, codes, layer.channelAxis, name);
    if (known)
      *known = numbers;
  }
  layer.op->setOperand(layer.weightOperand, numbers);
  if (Value quantizedBias = bias ? quantizeBias(layer, *bias, scale, codes.scales) : Value())
    layer.op->setOperand(*layer.biasOperand, quantizedBias);
}

void StaticQuantizer::run() {
  do
    plan = planStatic(module);
  while (dropLayersWithoutRange());
  groups = groupRanges(plan);
  for (const Layer &layer : plan.layers)
    layerOps.insert(layer.op);
  for (Value value : plan.values)
    quantizeValue(value);
  for (const Layer &layer : plan.layers)
    quantizeLayer(layer);
  dropRanges();
}

/// Ranges are of no use any more, and would keep equal ops apart.
void StaticQuantizer::dropRanges() {
  module.walk([](Operation *op) { op->removeAttr(attrs::kRanges); });
  func::FuncOp main = getEntry(module);
  for (unsigned i = 0; main && i < main.getNumArguments(); ++i)
    main.removeArgAttr(i, attrs::kRanges);
}

namespace {

struct QuantizeStatic : leaf::impl::QuantizeStaticBase<QuantizeStatic> {
  using QuantizeStaticBase::QuantizeStaticBase;

  void runOnOperation() override {
    std::optional<ActivationType> type = parseActivationType(activations);
    if (!type) {
      getOperation()->emitError() << "activations are uint8, int8 or int16, not '" << activations << "'";
      return signalPassFailure();
    }
    StaticQuantizer quantizer(getOperation(), *type);
    quantizer.run();
    numLayers += quantizer.numLayers;
    numValues += quantizer.numValues;
  }
};

} // namespace
