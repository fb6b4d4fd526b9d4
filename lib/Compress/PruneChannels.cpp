//===- PruneChannels.cpp - whole output channels out of layers ---------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Compress/Passes.h"
#include "leafcutter/Compress/Quantization.h"
#include "leafcutter/Compress/Sparsity.h"
#include "leafcutter/Transforms/Onnx.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <cmath>
#include <numeric>

namespace leaf {
#define GEN_PASS_DEF_PRUNECHANNELS
#include "leafcutter/Compress/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

namespace {

/// What stands between a layer and the one that alone reads its channels.
struct ChannelChain {
  Layer producer, consumer;
  SmallVector<Operation *> between; ///< in order
  int64_t channels = 0;
  int64_t spread = 1; ///< inputs of the consumer for each channel, next to each other (behind a Flatten)
};

} // namespace

/// Computes each element by itself, or (pooling) each channel, which run along axis 1 then.
static bool keepsChannels(Operation *op, bool isLastAxis) {
  static constexpr llvm::StringLiteral activations[] = {
      "Relu", "LeakyRelu", "Clip",     "Sigmoid", "Tanh",  "HardSwish", "HardSigmoid",    "Elu",
      "Selu", "Gelu",      "Softplus", "Mish",    "Swish", "Identity",  "ThresholdedRelu"};
  static constexpr llvm::StringLiteral pools[] = {"MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"};
  auto isOne = [&](StringRef name) { return isOnnx(op, name); };
  return llvm::any_of(activations, isOne) || (!isLastAxis && llvm::any_of(pools, isOne));
}

static bool isDepthwise(Operation *op, int64_t channels) {
  if (!isOnnx(op, "Conv") || intAttr(op, "group", 1) != channels || !getFloatWeight(op->getOperand(1)))
    return false;
  ArrayRef<int64_t> shape = cast<ShapedType>(op->getOperand(1).getType()).getShape();
  return shape[0] == channels && shape[1] == 1;
}

/// An Add of one constant for each channel, which run along the last axis.
static bool isChannelBias(Operation *op, int64_t channels) {
  std::optional<HostTensor> bias = isOnnx(op, "Add") ? getHostConstant(op->getOperand(1)) : std::nullopt;
  return bias && bias->isFloat() && bias->rank() >= 1 && bias->size() == channels && bias->shape().back() == channels;
}

/// Elements of each channel that `op` puts next to each other; nothing where it is no flattening behind the batch.
static std::optional<int64_t> matchFlatten(Operation *op, int64_t channels) {
  bool known = (isOnnx(op, "Flatten") && intAttr(op, "axis", 1) == 1) || isOnnx(op, "Reshape");
  auto from = known ? dyn_cast<RankedTensorType>(op->getOperand(0).getType()) : RankedTensorType();
  auto to = known ? dyn_cast<RankedTensorType>(op->getResult(0).getType()) : RankedTensorType();
  if (!from || !to || from.getRank() < 3 || to.getRank() != 2 || from.getDimSize(1) != channels ||
      from.getDimSize(0) != to.getDimSize(0) || to.isDynamicDim(1))
    return std::nullopt;
  return to.getDimSize(1) % channels == 0 ? std::optional<int64_t>(to.getDimSize(1) / channels) : std::nullopt;
}

/// Whether the weight and the bias can be cut: constants of one number a channel.
static bool canCut(const Layer &layer) {
  if (!layer.hasWeight() || layer.weightOperand != 1 || intAttr(layer.op, "group", 1) != 1 || isKeptFloat(layer.op) ||
      (isOnnx(layer.op, "MatMul") && cast<ShapedType>(layer.weight().getType()).getRank() != 2))
    return false;
  Value bias = layer.biasOperand ? onnxOperand(layer.op, *layer.biasOperand) : Value();
  if (!bias)
    return true;
  std::optional<HostTensor> tensor = getHostConstant(bias);
  int64_t channels = cast<ShapedType>(layer.weight().getType()).getDimSize(layer.channelAxis);
  return tensor && tensor->size() == channels && tensor->shape().back() == channels;
}

static std::optional<ChannelChain> findChain(const Layer &layer) {
  if (!canCut(layer))
    return std::nullopt;
  ChannelChain chain{layer, {}, {}, cast<ShapedType>(layer.weight().getType()).getDimSize(layer.channelAxis)};
  Operation *op = layer.op;
  bool flat = !isOnnx(op, "Conv") && !isOnnx(op, "ConvTranspose");
  while (op->getResult(0).hasOneUse()) {
    OpOperand &use = *op->getResult(0).use_begin();
    op = use.getOwner();
    if (!isOnnx(op) || use.getOperandNumber() != 0)
      return std::nullopt;
    std::optional<int64_t> spread = chain.spread == 1 && !flat ? matchFlatten(op, chain.channels) : std::nullopt;
    if (keepsChannels(op, flat) || (!flat && isDepthwise(op, chain.channels)) ||
        (flat && isChannelBias(op, chain.channels)) || spread) {
      chain.between.push_back(op);
      chain.spread *= spread.value_or(1);
      flat |= spread.has_value();
      continue;
    }
    std::optional<Layer> next = matchLayer(op);
    bool readsLastAxis = isOnnx(op, "Gemm") || isOnnx(op, "MatMul");
    if (!next || next->weightOperand != 1 || intAttr(op, "group", 1) != 1 || readsLastAxis != flat)
      return std::nullopt;
    ArrayRef<int64_t> shape = cast<ShapedType>(next->weight().getType()).getShape();
    if (shape[next->inputAxis] != chain.channels * chain.spread)
      return std::nullopt;
    chain.consumer = *next;
    return chain;
  }
  return std::nullopt;
}

/// The elements of `tensor` at `indices` along `axis`.
static HostTensor selectAlong(const HostTensor &tensor, int64_t axis, ArrayRef<int64_t> indices) {
  SmallVector<int64_t> shape(tensor.shape());
  int64_t inner = strideOf(shape, axis), old = shape[axis];
  shape[axis] = indices.size();
  HostTensor result = HostTensor::make(RankedTensorType::get(shape, tensor.elementType()));
  int64_t outer = tensor.size() / (inner * old), to = 0;
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t index : indices)
      for (int64_t i = 0; i < inner; ++i)
        result.setFloat(to++, tensor.getFloat((o * old + index) * inner + i));
  return result;
}

static void cutOperand(Operation *op, unsigned operand, int64_t axis, ArrayRef<int64_t> indices) {
  Value value = op->getOperand(operand);
  std::optional<HostTensor> tensor = getFloatWeight(value);
  OpBuilder builder(op);
  std::string name = constantName(value);
  Location loc = NameLoc::get(builder.getStringAttr(name));
  op->setOperand(operand, createConstant(builder, loc, selectAlong(*tensor, axis, indices), name));
}

/// Channels that stay, in order: those with the largest norms.
static SmallVector<int64_t> chooseChannels(const ChannelChain &chain, double sparsity) {
  HostTensor weight = *getFloatWeight(chain.producer.weight());
  WeightMatrix matrix = toMatrix(chain.producer, weight);
  std::vector<double> norms(matrix.rows, 0);
  for (int64_t row = 0; row < matrix.rows; ++row)
    for (int64_t column = 0; column < matrix.columns; ++column)
      norms[row] += matrix.at(row, column) * matrix.at(row, column);
  SmallVector<int64_t> order(matrix.rows);
  std::iota(order.begin(), order.end(), 0);
  llvm::stable_sort(order, [&](int64_t a, int64_t b) { return norms[a] > norms[b]; });
  auto gone = static_cast<int64_t>(std::llround(sparsity * static_cast<double>(matrix.rows)));
  order.truncate(std::max<int64_t>(1, matrix.rows - gone));
  llvm::sort(order);
  return order;
}

static void cutBetween(Operation *op, const ChannelChain &chain, ArrayRef<int64_t> kept) {
  OpBuilder builder(op);
  if (isOnnx(op, "Add")) {
    cutOperand(op, 1, cast<ShapedType>(op->getOperand(1).getType()).getRank() - 1, kept);
  } else if (isOnnx(op, "Conv")) {
    cutOperand(op, 1, 0, kept);
    if (onnxOperand(op, 2))
      cutOperand(op, 2, 0, kept);
    op->setAttr("group", builder.getIntegerAttr(cast<IntegerAttr>(op->getAttr("group")).getType(), kept.size()));
  } else if (isOnnx(op, "Reshape")) {
    // The batch as it is, and all of the rest.
    op->setOperand(1, createInts(builder, op->getLoc(), {0, static_cast<int64_t>(kept.size()) * chain.spread}));
  }
}

static void cut(const ChannelChain &chain, ArrayRef<int64_t> kept) {
  auto forget = [](Operation *op) {
    auto type = cast<ShapedType>(op->getResult(0).getType());
    op->getResult(0).setType(UnrankedTensorType::get(type.getElementType()));
  };
  const Layer &producer = chain.producer;
  if (producer.biasOperand && onnxOperand(producer.op, *producer.biasOperand)) {
    Value bias = producer.op->getOperand(*producer.biasOperand);
    cutOperand(producer.op, *producer.biasOperand, cast<ShapedType>(bias.getType()).getRank() - 1, kept);
  }
  cutOperand(producer.op, 1, producer.channelAxis, kept);
  for (Operation *op : chain.between)
    cutBetween(op, chain, kept);
  SmallVector<int64_t> inputs;
  for (int64_t channel : kept)
    for (int64_t i = 0; i < chain.spread; ++i)
      inputs.push_back(channel * chain.spread + i);
  cutOperand(chain.consumer.op, 1, chain.consumer.inputAxis, inputs);
  forget(producer.op);
  for (Operation *op : chain.between)
    forget(op);
}

namespace {

struct PruneChannels : leaf::impl::PruneChannelsBase<PruneChannels> {
  using PruneChannelsBase::PruneChannelsBase;

  void runOnOperation() override {
    if (!(sparsity >= 0 && sparsity < 1)) {
      getOperation()->emitError() << "no share of channels: " << double(sparsity);
      return signalPassFailure();
    }
    // Shapes are asked for while they are still known.
    std::vector<ChannelChain> chains;
    for (const Layer &layer : collectLayers(getOperation()))
      if (std::optional<ChannelChain> chain = findChain(layer))
        chains.push_back(*chain);
    for (const ChannelChain &chain : chains) {
      SmallVector<int64_t> kept = chooseChannels(chain, sparsity);
      if (static_cast<int64_t>(kept.size()) == chain.channels)
        continue;
      cut(chain, kept);
      ++numLayers;
    }
  }
};

} // namespace
