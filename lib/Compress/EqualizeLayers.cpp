//===- EqualizeLayers.cpp - even ranges between two layers ---------------------===//
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
#define GEN_PASS_DEF_EQUALIZELAYERS
#include "leafcutter/Compress/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// Chains of layers settle within a few rounds.
static constexpr unsigned kRounds = 8;

namespace {

struct State {
  Layer layer;
  HostTensor weight;
  std::optional<HostTensor> bias;
  bool changed = false;
};

using States = llvm::MapVector<Operation *, State>;

} // namespace

/// f(s x) = s f(x) for s > 0, channel by channel.
static bool isHomogeneous(Operation *op) {
  return isOnnx(op, "Relu") || isOnnx(op, "LeakyRelu") || isOnnx(op, "MaxPool") || isOnnx(op, "AveragePool") ||
         isOnnx(op, "GlobalAveragePool");
}

/// The layer that alone reads what `op` computes, through homogeneous ops.
static Operation *onlyReader(Operation *op) {
  while (op->getResult(0).hasOneUse()) {
    OpOperand &use = *op->getResult(0).use_begin();
    Operation *user = use.getOwner();
    if (isHomogeneous(user)) {
      op = user;
      continue;
    }
    return use.getOperandNumber() == 0 ? user : nullptr;
  }
  return nullptr;
}

/// Axis of the second layer's weight that the first one's channels run along; nothing where these do not map one to
/// one (grouped convolutions).
static std::optional<int64_t> inputAxisFor(const State &second, int64_t channels) {
  const HostTensor &weight = second.weight;
  if (isOnnx(second.layer.op, "Conv") && intAttr(second.layer.op, "group", 1) != 1)
    return weight.shape()[1] == 1 && weight.shape()[0] == channels ? std::optional<int64_t>(0) : std::nullopt;
  if (isOnnx(second.layer.op, "ConvTranspose") && intAttr(second.layer.op, "group", 1) != 1)
    return std::nullopt;
  return weight.shape()[second.layer.inputAxis] == channels ? std::optional<int64_t>(second.layer.inputAxis)
                                                            : std::nullopt;
}

static bool equalize(State &first, State &second) {
  int64_t channels = first.weight.shape()[first.layer.channelAxis];
  std::optional<int64_t> axis = inputAxisFor(second, channels);
  if (!axis)
    return false;
  std::vector<double> out = largestAlong(first.weight, first.layer.channelAxis),
                      in = largestAlong(second.weight, *axis);
  std::vector<double> shrink(channels, 1), grow(channels, 1);
  bool changes = false;
  for (int64_t c = 0; c < channels; ++c) {
    if (!(out[c] > 0) || !(in[c] > 0) || !std::isfinite(out[c]) || !std::isfinite(in[c]))
      continue;
    // out / s = in * s; the nearest power of two keeps products exact.
    int exponent = int(std::nearbyint(std::log2(out[c] / in[c]) / 2));
    exponent = std::clamp(exponent, -20, 20);
    shrink[c] = std::ldexp(1.0, -exponent);
    grow[c] = std::ldexp(1.0, exponent);
    changes |= exponent != 0;
  }
  if (!changes)
    return false;
  first.weight = scaleAlong(first.weight, first.layer.channelAxis, shrink);
  if (first.bias)
    first.bias = scaleAlong(*first.bias, first.bias->rank() - 1, shrink);
  second.weight = scaleAlong(second.weight, *axis, grow);
  first.changed = second.changed = true;
  return true;
}

static States collectStates(ModuleOp module) {
  States states;
  for (const Layer &layer : collectLayers(module)) {
    std::optional<HostTensor> weight = layer.hasWeight() ? getFloatWeight(layer.weight()) : std::nullopt;
    if (!weight || layer.weightOperand != 1)
      continue;
    State state{layer, *weight, std::nullopt};
    Value bias = layer.biasOperand ? onnxOperand(layer.op, *layer.biasOperand) : Value();
    if (bias) {
      state.bias = getHostConstant(bias);
      if (!state.bias || state.bias->rank() == 0 || state.bias->shape().back() != weight->shape()[layer.channelAxis] ||
          state.bias->size() != state.bias->shape().back())
        continue;
    }
    states.insert({layer.op, state});
  }
  return states;
}

static void writeBack(State &state) {
  OpBuilder builder(state.layer.op);
  std::string name = constantName(state.layer.weight());
  Location loc = NameLoc::get(builder.getStringAttr(name));
  state.layer.op->setOperand(1, createConstant(builder, loc, state.weight, name));
  if (!state.bias)
    return;
  std::string biasName = constantName(state.layer.op->getOperand(*state.layer.biasOperand));
  state.layer.op->setOperand(
      *state.layer.biasOperand,
      createConstant(builder, NameLoc::get(builder.getStringAttr(biasName)), *state.bias, biasName));
}

namespace {

struct EqualizeLayers : leaf::impl::EqualizeLayersBase<EqualizeLayers> {
  using EqualizeLayersBase::EqualizeLayersBase;

  void runOnOperation() override {
    States states = collectStates(getOperation());
    SmallVector<std::pair<Operation *, Operation *>> pairs;
    for (auto &[op, state] : states)
      if (Operation *reader = onlyReader(op); reader && states.count(reader))
        pairs.emplace_back(op, reader);
    DenseSet<Operation *> equalized;
    for (unsigned round = 0; round < kRounds; ++round) {
      bool changed = false;
      for (auto [first, second] : pairs)
        if (equalize(states.find(first)->second, states.find(second)->second)) {
          changed = true;
          equalized.insert(first);
        }
      if (!changed)
        break;
    }
    numPairs += equalized.size();
    for (auto &[op, state] : states)
      if (state.changed)
        writeBack(state);
  }
};

} // namespace
