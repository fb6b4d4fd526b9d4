//===- Convolution.cpp - Conv ------------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ContractBuilder.h"
#include "QuantizedOperands.h"
#include "Scalars.h"
#include "Windows.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;
using utils::IteratorType;

namespace {
/// A convolution being lowered. Loops are n, (g), out..., co, kernel..., ci; a depthwise one has n, out..., c,
/// kernel...
struct Convolution {
  Lowering &lowering;
  Node &node;
  Layout layout;
  Window window;
  WeightOperand weight;
  std::optional<IntegerOperand> integers;     ///< data of a ConvInteger
  std::optional<QuantizedOperands> quantized; ///< both operands where they are bytes
  int64_t groups, outChannels, groupInputs;   ///< groupInputs: input channels per group
  bool isDepthwise;

  unsigned rank() const { return layout.spatialRank; }
  bool isGrouped() const { return groups > 1 && !isDepthwise; }
  unsigned groupLoop() const { return 1; }
  unsigned outLoop(unsigned i) const { return 1 + isGrouped() + i; }
  unsigned channelLoop() const { return outLoop(rank()); }
  unsigned kernelLoop(unsigned i) const { return channelLoop() + 1 + i; }
  unsigned inputLoop() const { return kernelLoop(rank()); }
  unsigned numLoops() const { return isDepthwise ? inputLoop() : inputLoop() + 1; }

  AffineExpr dim(unsigned loop) const { return lowering.b().getAffineDimExpr(loop); }
  AffineMap map(ArrayRef<AffineExpr> exprs) const {
    return AffineMap::get(numLoops(), 0, exprs, lowering.b().getContext());
  }
  /// `tensor` with its channels split into (groups, channels per group) where grouped.
  Value splitChannels(Value tensor, int64_t perGroup) const;
  AffineMap dataMap() const;
  AffineMap outMap() const;
  void setWeight(ContractBuilder &contract);
  void setBias(ContractBuilder &contract);
  Value build();
};
} // namespace

Value Convolution::splitChannels(Value tensor, int64_t perGroup) const {
  if (!isGrouped())
    return tensor;
  Sizes sizes = lowering.getSizes(tensor);
  unsigned channel = layout.channel();
  sizes[channel] = lowering.sizes().constant(groups);
  sizes.insert(sizes.begin() + channel + 1, lowering.sizes().constant(perGroup));
  return lowering.reshape(tensor, sizes);
}

/// Results of a map over N, channels (one or two) and spatial dimensions in the layout's order.
static SmallVector<AffineExpr> arrange(const Layout &layout, AffineExpr n, ArrayRef<AffineExpr> channels,
                                       ArrayRef<AffineExpr> spatial) {
  SmallVector<AffineExpr> result = {n};
  llvm::append_range(result, layout.channelsLast ? spatial : channels);
  llvm::append_range(result, layout.channelsLast ? channels : spatial);
  return result;
}

AffineMap Convolution::dataMap() const {
  SmallVector<AffineExpr> spatial, channels;
  for (unsigned i = 0; i < rank(); ++i)
    spatial.push_back(dim(outLoop(i)) * window.strides[i] + dim(kernelLoop(i)) * window.dilations[i]);
  if (isGrouped())
    channels.push_back(dim(groupLoop()));
  channels.push_back(dim(isDepthwise ? channelLoop() : inputLoop()));
  return map(arrange(layout, dim(0), channels, spatial));
}

AffineMap Convolution::outMap() const {
  SmallVector<AffineExpr> spatial, channels;
  for (unsigned i = 0; i < rank(); ++i)
    spatial.push_back(dim(outLoop(i)));
  if (isGrouped())
    channels.push_back(dim(groupLoop()));
  channels.push_back(dim(channelLoop()));
  return map(arrange(layout, dim(0), channels, spatial));
}

void Convolution::setWeight(ContractBuilder &contract) {
  // ONNX order M, C/g, kernel..., with M split into (groups, M/g) where grouped.
  SmallVector<int64_t> split, perm, result;
  unsigned shift = isGrouped() ? 1 : 0;
  if (isGrouped())
    split.push_back(groups);
  split.push_back(isGrouped() ? outChannels / groups : outChannels);
  split.push_back(groupInputs);
  llvm::append_range(split, window.kernel);
  if (isGrouped())
    perm.push_back(0);
  for (unsigned i = 0; i < rank(); ++i)
    perm.push_back(shift + 2 + i);
  perm.push_back(shift + 1);
  perm.push_back(shift);
  for (int64_t d : perm)
    if (!isDepthwise || d != shift + 1)
      result.push_back(split[d]);
  SmallVector<AffineExpr> exprs;
  if (isGrouped())
    exprs.push_back(dim(groupLoop()));
  if (Value packed = weight.perm.empty() ? lowering.relayoutWeight(weight.stored, split, perm, result) : Value()) {
    for (unsigned i = 0; i < rank(); ++i)
      exprs.push_back(dim(kernelLoop(i)));
    if (!isDepthwise)
      exprs.push_back(dim(inputLoop()));
    exprs.push_back(dim(channelLoop()));
    contract.rhs = packed;
  } else {
    exprs.push_back(dim(channelLoop()));
    exprs.push_back(isDepthwise ? lowering.b().getAffineConstantExpr(0) : dim(inputLoop()));
    for (unsigned i = 0; i < rank(); ++i)
      exprs.push_back(dim(kernelLoop(i)));
    contract.rhs = lowering.reshape(weight.stored, llvm::map_to_vector(split, [&](int64_t size) -> Size {
                                      return lowering.sizes().constant(size);
                                    }));
  }
  contract.rhsMap = map(exprs);
}

/// A per-output-channel vector as an operand: split per group, and its map.
static std::pair<Value, AffineMap> channelVector(const Convolution &conv, Value vector) {
  if (!conv.isGrouped())
    return {vector, conv.map({conv.dim(conv.channelLoop())})};
  SizeArithmetic &s = conv.lowering.sizes();
  Value split = conv.lowering.reshape(vector, {s.constant(conv.groups), s.constant(conv.outChannels / conv.groups)});
  return {split, conv.map({conv.dim(conv.groupLoop()), conv.dim(conv.channelLoop())})};
}

void Convolution::setBias(ContractBuilder &contract) {
  if (integers || !node.hasInput(2))
    return;
  Operand bias = lowering.getOperand(node.getInput(2));
  auto [vector, vectorMap] = channelVector(*this, bias.tensor);
  contract.extras.push_back(vector);
  contract.extraMaps.push_back(vectorMap);
  contract.epilogue = [bias, accumulator = contract.accumulator](OpBuilder &b, Location loc, ValueRange args) {
    Value addend = convertElement(b, loc, bias.load(b, loc, args[1]), bias.element, accumulator);
    return Scalar(b, loc, accumulator).add(args[0], addend);
  };
}

Value Convolution::build() {
  SizeArithmetic &s = lowering.sizes();
  Value data = quantized ? quantized->data : integers ? integers->tensor : lowering.getTensor(node.getInput(0));
  TypedAttr zero = quantized  ? quantized->zeroAttr()
                   : integers ? integers->zero
                              : numberAttr(node.getInputElement(0), 0);
  data = padForWindow(lowering, data, window, layout, zero);
  ContractBuilder contract;
  contract.lhs = splitChannels(data, groupInputs);
  contract.lhsMap = dataMap();
  contract.outMap = outMap();
  contract.iterators.assign(numLoops(), IteratorType::parallel);
  for (unsigned loop = kernelLoop(0); loop < numLoops(); ++loop)
    contract.iterators[loop] = IteratorType::reduction;
  contract.accumulator = accumulatorType(node.getResultElement());
  contract.outElement = Lowering::signless(node.getResultElement());
  setWeight(contract);
  if (quantized) {
    setQuantized(lowering, contract, *quantized, [&](Value vector) { return channelVector(*this, vector); });
  } else {
    AffineMap scaleMap;
    for (Value *parameter : {&weight.scale, &weight.zero})
      if (*parameter)
        std::tie(*parameter, scaleMap) = channelVector(*this, *parameter);
    contract.setPrologues(node.getInputElement(0), weight, scaleMap);
    if (integers)
      contract.lhsPrologue = integers->prologue;
    setBias(contract);
  }
  Sizes flat(layout.spatialRank + 2, s.constant(0));
  flat[0] = lowering.getSizes(data)[0];
  flat[layout.channel()] = s.constant(outChannels);
  for (unsigned i = 0; i < rank(); ++i)
    flat[layout.spatial(i)] = window.outSizes[i];
  flat = lowering.refine(flat, node);
  contract.outSizes = flat;
  if (isGrouped()) {
    contract.outSizes[layout.channel()] = s.constant(groups);
    contract.outSizes.insert(contract.outSizes.begin() + layout.channel() + 1, s.constant(outChannels / groups));
  }
  return lowering.reshape(contract.build(lowering), flat);
}

/// The weight of a ConvInteger: its zero point is per tensor or per output channel.
static void setIntegerWeight(Lowering &lowering, Node &node, WeightOperand &weight) {
  weight.type = lowering.b().getI32Type();
  if (!node.hasInput(3))
    return;
  weight.zeroType = node.getInputElement(3);
  if (std::optional<Attribute> splat = lowering.getSplat(node.getInput(3))) {
    weight.zeroConstant = signlessAttr(*splat);
  } else if (node.getInputType(3).getRank() == 1 && node.getInputType(3).getDimSize(0) != 1) {
    weight.zero = lowering.getTensor(node.getInput(3));
  } else {
    weight.stored = subtractZeroPoint(lowering, node, 1, 3, 0);
    weight.storedType = weight.type;
  }
}

static bool needsBorder(const Window &window) {
  auto isZero = [](Size size) { return constantOf(size) == 0; };
  return !llvm::all_of(window.padBegin, isZero) || !llvm::all_of(window.padEnd, isZero);
}

static LogicalResult lowerConv(Lowering &lowering, Node &node) {
  Sizes data = lowering.getSizesOf(node.getInput(0));
  RankedTensorType weightType = node.getInputType(1);
  Layout layout = getLayout(node, data.size());
  if (!weightType.hasStaticShape())
    return node.emitError() << "needs a weight of static shape";
  Sizes spatial;
  for (unsigned i = 0; i < layout.spatialRank; ++i)
    spatial.push_back(data[layout.spatial(i)]);
  FailureOr<Window> window = getWindow(lowering, node, weightType.getShape().drop_front(2), spatial);
  if (failed(window))
    return failure();
  int64_t groups = node.getInt("group", 1), outChannels = weightType.getDimSize(0);
  int64_t groupInputs = weightType.getDimSize(1);
  std::optional<int64_t> channels = constantOf(data[layout.channel()]);
  if (!channels || *channels != groups * groupInputs || outChannels % groups != 0)
    return node.emitError() << "has " << (channels ? *channels : -1) << " input channels, which do not fit " << groups
                            << " groups and weight " << weightType;
  bool isInteger = node.getName() == "ConvInteger",
       isDepthwise = groups > 1 && groupInputs == 1 && outChannels == groups;
  std::optional<QuantizedOperands> quantized =
      isInteger ? matchInteger(lowering, node, 0) : matchQuantized(lowering, node, 0, node.getInput(2));
  // A border of a zero point that only the run knows would need a copy of its own.
  if (quantized && (!quantized->weight.operand.perm.empty() || (quantized->zeroTensor && needsBorder(*window))))
    quantized.reset();
  WeightOperand weight = quantized ? quantized->weight.operand : getWeightOperand(lowering, node.getInput(1));
  if (!weight.perm.empty() || ((weight.scale || weight.zero) && weight.axis != 0)) {
    weight = WeightOperand();
    weight.stored = lowering.getTensor(node.getInput(1));
    weight.storedType = weight.type = node.getInputElement(1);
  }
  std::optional<IntegerOperand> integers;
  if (isInteger && !quantized) {
    integers = getIntegerOperand(lowering, node, 0, 2, 0);
    setIntegerWeight(lowering, node, weight);
  }
  Convolution conv{lowering,  node,   layout,      *window,     weight,     integers,
                   quantized, groups, outChannels, groupInputs, isDepthwise};
  lowering.setTensor(node.getOperation()->getResult(0), conv.build());
  return success();
}

void leaf::onnxtolinalg::registerConvolution(Registry &registry) {
  registry.add("Conv", lowerConv);
  registry.add("ConvInteger", lowerConv);
}
