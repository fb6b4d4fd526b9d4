//===- Normalization.cpp - softmax and normalizations ------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Reductions.h"

#include "Windows.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

/// Map from loops of all dimensions of the data, in its order, to the kept ones.
static AffineMap keptOfData(const ReductionLoops &loops, MLIRContext *context) {
  SmallVector<AffineExpr> exprs;
  for (unsigned d : loops.kept)
    exprs.push_back(getAffineDimExpr(d, context));
  return AffineMap::get(loops.rank(), 0, exprs, context);
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

template <bool isLog> static LogicalResult lowerSoftmax(Lowering &lowering, Node &node) {
  MLIRContext *context = lowering.b().getContext();
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  ReductionLoops loops(sizes, node.getAxis("axis", -1, sizes.size()));
  Type element = node.getInputElement(0), compute = computeType(element);
  AffineMap identity = AffineMap::getMultiDimIdentityMap(loops.rank(), context), kept = keptOfData(loops, context);
  // A NaN may get lost here: it makes the sum NaN, and with it the whole row.
  Value max =
      reduce(lowering, data, element, loops, compute, lowestAttr(compute), [](Scalar &s, ArrayRef<Value> x, Value acc) {
        return arith::MaxNumFOp::create(s.b, s.loc, x[0], acc, arith::FastMathFlags::nnan);
      });
  if (isLog) {
    Value sum = reduce(lowering, {data, max}, {element, compute}, loops, compute, numberAttr(compute, 0),
                       [](Scalar &s, ArrayRef<Value> x, Value acc) { return s.add(acc, s.exp(s.sub(x[0], x[1]))); });
    Value result = lowering.pointwise({data, max, sum}, {identity, kept, kept}, sizes, element,
                                      [&](OpBuilder &b, Location loc, ValueRange args) {
                                        Scalar s(b, loc, compute);
                                        Value x = convertElement(b, loc, args[0], element, compute);
                                        Value value = s.sub(s.sub(x, args[1]), s.log(args[2]));
                                        return convertElement(b, loc, value, compute, element);
                                      });
    lowering.setTensor(node.getOperation()->getResult(0), result);
    return success();
  }
  // What the operator's definition has in between is f16 too; results near each other differ otherwise.
  auto round = [&](OpBuilder &b, Location loc, Value value) {
    return element.isF16() ? convertElement(b, loc, convertElement(b, loc, value, compute, element), element, compute)
                           : value;
  };
  Value exps = lowering.pointwise({data, max}, {identity, kept}, sizes, compute,
                                  [&](OpBuilder &b, Location loc, ValueRange args) {
                                    Scalar s(b, loc, compute);
                                    Value x = convertElement(b, loc, args[0], element, compute);
                                    return round(b, loc, s.exp(round(b, loc, s.sub(x, args[1]))));
                                  });
  Value sum = reduce(lowering, exps, compute, loops, compute, numberAttr(compute, 0),
                     [](Scalar &s, ArrayRef<Value> x, Value acc) { return s.add(acc, x[0]); });
  Value result = lowering.pointwise({exps, sum}, {identity, kept}, sizes, element,
                                    [&](OpBuilder &b, Location loc, ValueRange args) {
                                      Value quotient = Scalar(b, loc, compute).div(args[0], round(b, loc, args[1]));
                                      return convertElement(b, loc, quotient, compute, element);
                                    });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

//===----------------------------------------------------------------------===//
// Mean and variance
//===----------------------------------------------------------------------===//

namespace {
/// A factor or addend of the normalized value: operand, and its map from the data's dimensions.
struct Affine {
  std::optional<Operand> operand;
  AffineMap map;
};

/// y = (x - mean) * invStd * scale + bias over some axes. `mean` is null where the data are not centered (RMS).
struct Normalizer {
  Lowering &lowering;
  Value data;
  Type element, compute;
  Sizes sizes;
  ReductionLoops loops;
  double epsilon;
  Size count;
  Value mean, invStd; ///< kept dimensions, compute type

  Normalizer(Lowering &lowering, Value data, Type element, ArrayRef<int64_t> axes, double epsilon);
  void computeMoments(bool centered);
  Value apply(const Affine &scale, const Affine &bias, Type outElement);
};
} // namespace

Normalizer::Normalizer(Lowering &lowering, Value data, Type element, ArrayRef<int64_t> axes, double epsilon)
    : lowering(lowering), data(data), element(element), compute(computeType(element)), sizes(lowering.getSizes(data)),
      loops(sizes, axes), epsilon(epsilon) {
  Sizes reduced;
  for (unsigned d : loops.reduced)
    reduced.push_back(sizes[d]);
  count = lowering.sizes().product(reduced);
}

void Normalizer::computeMoments(bool centered) {
  AffineMap identity = lowering.b().getMultiDimIdentityMap(loops.kept.size());
  TypedAttr zero = numberAttr(compute, 0);
  SmallVector<Value> inputs = {data};
  SmallVector<Type> elements = {element};
  if (centered) {
    Value sum = reduce(lowering, data, element, loops, compute, zero,
                       [](Scalar &s, ArrayRef<Value> x, Value acc) { return s.add(acc, x[0]); });
    mean =
        lowering.pointwise(sum, identity, loops.keptSizes, compute, [&](OpBuilder &b, Location loc, ValueRange args) {
          return Scalar(b, loc, compute).div(args[0], emitCount(b, loc, count, compute));
        });
    inputs.push_back(mean);
    elements.push_back(compute);
  }
  Value squares = reduce(lowering, inputs, elements, loops, compute, zero, [](Scalar &s, ArrayRef<Value> x, Value acc) {
    Value distance = x.size() > 1 ? s.sub(x[0], x[1]) : x[0];
    return s.add(acc, s.mul(distance, distance));
  });
  invStd =
      lowering.pointwise(squares, identity, loops.keptSizes, compute, [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalar s(b, loc, compute);
        Value variance = s.div(args[0], emitCount(b, loc, count, compute));
        return s.div(s.number(1), s.sqrt(s.add(variance, s.number(epsilon))));
      });
}

Value Normalizer::apply(const Affine &scale, const Affine &bias, Type outElement) {
  MLIRContext *context = lowering.b().getContext();
  AffineMap identity = AffineMap::getMultiDimIdentityMap(loops.rank(), context), kept = keptOfData(loops, context);
  SmallVector<Value> inputs = {data, invStd};
  SmallVector<AffineMap> maps = {identity, kept};
  auto push = [&](Value tensor, AffineMap map) {
    inputs.push_back(tensor);
    maps.push_back(map);
    return inputs.size() - 1;
  };
  size_t meanAt = mean ? push(mean, kept) : 0;
  size_t scaleAt = scale.operand ? push(scale.operand->tensor, scale.map) : 0;
  size_t biasAt = bias.operand ? push(bias.operand->tensor, bias.map) : 0;
  return lowering.pointwise(inputs, maps, sizes, outElement, [&](OpBuilder &b, Location loc, ValueRange args) {
    Scalar s(b, loc, compute);
    auto load = [&](const Operand &operand, Value value) {
      return convertElement(b, loc, operand.load(b, loc, value), operand.element, compute);
    };
    Value value = convertElement(b, loc, args[0], element, compute);
    if (mean)
      value = s.sub(value, args[meanAt]);
    value = s.mul(value, args[1]);
    if (scale.operand)
      value = s.mul(value, load(*scale.operand, args[scaleAt]));
    if (bias.operand)
      value = s.add(value, load(*bias.operand, args[biasAt]));
    return convertElement(b, loc, value, compute, outElement);
  });
}

/// A scale or bias broadcast to the data at its last dimension.
static Affine trailing(Lowering &lowering, Node &node, unsigned input, ArrayRef<Size> sizes) {
  Affine result;
  if (!node.hasInput(input))
    return result;
  result.operand = lowering.getOperand(node.getInput(input));
  result.map = lowering.broadcastMap(lowering.getSizes(result.operand->tensor), sizes);
  return result;
}

/// A statistic as an output of its own: dimensions of size 1 for the axes.
static void setStatistic(Normalizer &normalizer, Node &node, unsigned result, Value statistic) {
  if (!node.hasResult(result) || node.getOperation()->getResult(result).use_empty())
    return;
  Lowering &lowering = normalizer.lowering;
  Type element = node.getResultElement(result);
  AffineMap identity = lowering.b().getMultiDimIdentityMap(normalizer.loops.kept.size());
  if (Lowering::signless(element) != normalizer.compute)
    statistic = lowering.pointwise(statistic, identity, normalizer.loops.keptSizes, element,
                                   [&](OpBuilder &b, Location loc, ValueRange args) {
                                     return convertElement(b, loc, args[0], normalizer.compute, element);
                                   });
  Sizes sizes(normalizer.loops.rank(), lowering.sizes().constant(1));
  for (auto [i, d] : llvm::enumerate(normalizer.loops.kept))
    sizes[d] = normalizer.loops.keptSizes[i];
  lowering.setTensor(node.getOperation()->getResult(result), lowering.reshape(statistic, sizes));
}

template <bool centered> static LogicalResult lowerLayerNormalization(Lowering &lowering, Node &node) {
  Value data = lowering.getTensor(node.getInput(0));
  int64_t rank = cast<RankedTensorType>(data.getType()).getRank();
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(node.getAxis("axis", -1, rank), rank));
  Normalizer normalizer(lowering, data, node.getInputElement(0), axes, node.getFloat("epsilon", 1e-5));
  normalizer.computeMoments(centered);
  Affine scale = trailing(lowering, node, 1, normalizer.sizes);
  Affine bias = centered ? trailing(lowering, node, 2, normalizer.sizes) : Affine();
  lowering.setTensor(node.getOperation()->getResult(0), normalizer.apply(scale, bias, node.getResultElement()));
  if (centered) {
    setStatistic(normalizer, node, 1, normalizer.mean);
    setStatistic(normalizer, node, 2, normalizer.invStd);
  }
  return success();
}

static LogicalResult lowerInstanceNormalization(Lowering &lowering, Node &node) {
  MLIRContext *context = lowering.b().getContext();
  Value data = lowering.getTensor(node.getInput(0));
  int64_t rank = cast<RankedTensorType>(data.getType()).getRank();
  Layout layout = getLayout(node, rank);
  SmallVector<int64_t> axes;
  for (unsigned i = 0; i < layout.spatialRank; ++i)
    axes.push_back(layout.spatial(i));
  Normalizer normalizer(lowering, data, node.getInputElement(0), axes, node.getFloat("epsilon", 1e-5));
  normalizer.computeMoments(true);
  AffineMap channel = AffineMap::get(rank, 0, getAffineDimExpr(layout.channel(), context));
  Affine scale{lowering.getOperand(node.getInput(1)), channel}, bias{lowering.getOperand(node.getInput(2)), channel};
  lowering.setTensor(node.getOperation()->getResult(0), normalizer.apply(scale, bias, node.getResultElement()));
  return success();
}

/// Over (channels per group, spatial...) of the data seen as N, groups, channels per group, spatial...
static LogicalResult lowerGroupNormalization(Lowering &lowering, Node &node) {
  MLIRContext *context = lowering.b().getContext();
  SizeArithmetic &s = lowering.sizes();
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data), split = sizes;
  Size groups = s.constant(node.getInt("num_groups", 1)), perGroup = s.divFloor(sizes[1], groups);
  split[1] = groups;
  split.insert(split.begin() + 2, perGroup);
  int64_t rank = split.size();
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(2, rank));
  Normalizer normalizer(lowering, lowering.reshape(data, split), node.getInputElement(0), axes,
                        node.getFloat("epsilon", 1e-5));
  normalizer.computeMoments(true);
  AffineMap channel = AffineMap::get(rank, 0, {getAffineDimExpr(1, context), getAffineDimExpr(2, context)}, context);
  auto parameter = [&](unsigned input) {
    Operand operand = lowering.getOperand(node.getInput(input));
    operand.tensor = lowering.reshape(operand.tensor, {groups, perGroup});
    return Affine{operand, channel};
  };
  Value result = normalizer.apply(parameter(1), parameter(2), node.getResultElement());
  lowering.setTensor(node.getOperation()->getResult(0), lowering.reshape(result, sizes));
  return success();
}

/// Inference: (x - mean) / sqrt(var + epsilon) * scale + bias per channel.
static LogicalResult lowerBatchNormalization(Lowering &lowering, Node &node) {
  MLIRContext *context = lowering.b().getContext();
  for (unsigned i = 1; i < node.getOperation()->getNumResults(); ++i)
    if (node.hasResult(i) && !node.getOperation()->getResult(i).use_empty())
      return node.emitError() << "computes training statistics; export the model for inference";
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  Layout layout = getLayout(node, sizes.size());
  unsigned channelDim = sizes.size() < 2 ? 0 : layout.channel();
  AffineMap channel = AffineMap::get(sizes.size(), 0, getAffineDimExpr(channelDim, context));
  SmallVector<Value> inputs = {data};
  SmallVector<AffineMap> maps = {AffineMap::getMultiDimIdentityMap(sizes.size(), context)};
  SmallVector<Operand> parameters;
  for (unsigned i = 1; i <= 4; ++i) {
    parameters.push_back(lowering.getOperand(node.getInput(i)));
    inputs.push_back(parameters.back().tensor);
    maps.push_back(channel);
  }
  Type element = node.getInputElement(0), compute = computeType(element), outElement = node.getResultElement();
  Value result = lowering.pointwise(inputs, maps, sizes, outElement, [&](OpBuilder &b, Location loc, ValueRange args) {
    Scalar s(b, loc, compute);
    auto parameter = [&](unsigned i) {
      return convertElement(b, loc, parameters[i].load(b, loc, args[i + 1]), parameters[i].element, compute);
    };
    Value std = s.sqrt(s.add(parameter(3), s.number(node.getFloat("epsilon", 1e-5))));
    Value factor = s.div(parameter(0), std);
    Value centered = s.sub(convertElement(b, loc, args[0], element, compute), parameter(2));
    return convertElement(b, loc, s.add(s.mul(centered, factor), parameter(1)), compute, outElement);
  });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

void leaf::onnxtolinalg::registerNormalization(Registry &registry) {
  registry.add("Softmax", lowerSoftmax<false>);
  registry.add("LogSoftmax", lowerSoftmax<true>);
  registry.add("LayerNormalization", lowerLayerNormalization<true>);
  registry.add("RMSNormalization", lowerLayerNormalization<false>);
  registry.add("InstanceNormalization", lowerInstanceNormalization);
  registry.add("GroupNormalization", lowerGroupNormalization);
  registry.add("BatchNormalization", lowerBatchNormalization);
}
