//===- SmoothQuantize.cpp - activations' outliers into weights -----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Compress/Layers.h"
#include "leafcutter/Compress/Passes.h"
#include "leafcutter/Compress/Quantization.h"
#include "leafcutter/Transforms/Onnx.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"
#include "llvm/ADT/MapVector.h"
#include <cmath>

namespace leaf {
#define GEN_PASS_DEF_SMOOTHQUANTIZE
#include "leafcutter/Compress/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// Factors stay within this of 1: a channel that was quiet in calibration may not be later.
static constexpr double kMostFactor = 1024;

/// `leaf.channel_max` of what computes the value.
static DenseF64ArrayAttr channelMaxOf(Value value) {
  if (Operation *op = value.getDefiningOp())
    return op->getAttrOfType<DenseF64ArrayAttr>(attrs::kChannelMax);
  auto argument = cast<BlockArgument>(value);
  auto main = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
  return main ? main.getArgAttrOfType<DenseF64ArrayAttr>(argument.getArgNumber(), attrs::kChannelMax)
              : DenseF64ArrayAttr();
}

/// Matrix layers by the activation that they read, in order.
static llvm::MapVector<Value, SmallVector<Layer>> collectReaders(ModuleOp module) {
  llvm::MapVector<Value, SmallVector<Layer>> readers;
  for (const Layer &layer : collectLayers(module))
    if (!isKeptFloat(layer.op) && layer.weightOperand == 1 &&
        (isOnnx(layer.op, "Gemm") || isOnnx(layer.op, "MatMul")) &&
        cast<ShapedType>(layer.weight().getType()).getRank() == 2 && getFloatWeight(layer.weight()))
      readers[layer.op->getOperand(0)].push_back(layer);
  return readers;
}

/// Powers of two, so that the float model computes the same values.
static std::vector<double> chooseFactors(ArrayRef<double> activation, ArrayRef<Layer> layers, double alpha) {
  std::vector<double> weight(activation.size(), 0), factors(activation.size(), 1);
  for (const Layer &layer : layers)
    for (auto [k, value] : llvm::enumerate(largestAlong(*getFloatWeight(layer.weight()), layer.inputAxis)))
      weight[k] = std::max(weight[k], value);
  for (size_t k = 0; k < factors.size(); ++k) {
    if (!(activation[k] > 0) || !(weight[k] > 0) || !std::isfinite(activation[k]))
      continue;
    double factor = std::pow(activation[k], alpha) / std::pow(weight[k], 1 - alpha);
    factors[k] = std::exp2(std::nearbyint(std::log2(std::clamp(factor, 1 / kMostFactor, kMostFactor))));
  }
  return factors;
}

static Value constantLike(OpBuilder &builder, Value old, const HostTensor &value) {
  std::string name = constantName(old);
  return createConstant(builder, NameLoc::get(builder.getStringAttr(name)), value, name);
}

/// Divides the activation by scale and bias of the normalization that makes it; false where there is no such one, or
/// something else reads it.
static bool divideInNormalization(Value value, ArrayRef<Layer> layers, ArrayRef<double> inverse) {
  Operation *norm = value.getDefiningOp();
  if (!norm || !isOnnx(norm, "LayerNormalization") ||
      size_t(std::distance(value.use_begin(), value.use_end())) != layers.size())
    return false;
  std::optional<HostTensor> scale = getHostConstant(norm->getOperand(1));
  Value biasOperand = onnxOperand(norm, 2);
  std::optional<HostTensor> bias = biasOperand ? getHostConstant(biasOperand) : std::nullopt;
  auto fits = [&](const std::optional<HostTensor> &tensor) {
    return tensor && tensor->elementType().isF32() && tensor->rank() == 1 && tensor->size() == int64_t(inverse.size());
  };
  if (!fits(scale) || (biasOperand && !fits(bias)))
    return false;
  OpBuilder builder(norm);
  norm->setOperand(1, constantLike(builder, norm->getOperand(1), scaleAlong(*scale, 0, inverse)));
  if (bias)
    norm->setOperand(2, constantLike(builder, biasOperand, scaleAlong(*bias, 0, inverse)));
  norm->removeAttr(attrs::kRanges);
  return true;
}

static void divideByMul(Value value, ArrayRef<Layer> layers, ArrayRef<double> inverse) {
  OpBuilder builder(layers.front().op);
  if (value.getDefiningOp())
    builder.setInsertionPointAfterValue(value);
  else
    builder.setInsertionPointToStart(value.getParentBlock());
  std::string name = nodeName(layers.front().op) + "_smooth";
  Location loc = NameLoc::get(builder.getStringAttr(name));
  std::vector<float> factors(inverse.begin(), inverse.end());
  Value divided = createOnnx(builder, loc, "Mul", value.getType(), {value, createFloats(builder, loc, factors, name)})
                      ->getResult(0);
  for (const Layer &layer : layers)
    layer.op->setOperand(0, divided);
}

namespace {

struct SmoothQuantize : leaf::impl::SmoothQuantizeBase<SmoothQuantize> {
  using SmoothQuantizeBase::SmoothQuantizeBase;

  void runOnOperation() override {
    for (auto &[value, layers] : collectReaders(getOperation())) {
      DenseF64ArrayAttr most = channelMaxOf(value);
      auto type = cast<RankedTensorType>(value.getType());
      if (!most || type.getShape().back() != int64_t(most.size()))
        continue;
      std::vector<double> factors = chooseFactors(most.asArrayRef(), layers, alpha), inverse;
      if (llvm::all_of(factors, [](double factor) { return factor == 1; }))
        continue;
      for (double factor : factors)
        inverse.push_back(1 / factor);
      for (const Layer &layer : layers) {
        OpBuilder builder(layer.op);
        HostTensor weight = scaleAlong(*getFloatWeight(layer.weight()), layer.inputAxis, factors);
        layer.op->setOperand(1, constantLike(builder, layer.weight(), weight));
      }
      if (!divideInNormalization(value, layers, inverse))
        divideByMul(value, layers, inverse);
      ++numSmoothed;
    }
  }
};

} // namespace
