//===- Reductions.cpp - Reduce*, ArgMax, ArgMin, global pools ----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Reductions.h"

#include "Indexing.h"
#include "Windows.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;
using utils::IteratorType;

//===----------------------------------------------------------------------===//
// Tools
//===----------------------------------------------------------------------===//

ReductionLoops::ReductionLoops(ArrayRef<Size> sizes, ArrayRef<int64_t> axes) {
  for (unsigned d = 0; d < sizes.size(); ++d) {
    if (llvm::is_contained(axes, static_cast<int64_t>(d))) {
      reduced.push_back(d);
      continue;
    }
    kept.push_back(d);
    keptSizes.push_back(sizes[d]);
  }
  iterators.assign(kept.size(), IteratorType::parallel);
  iterators.append(reduced.size(), IteratorType::reduction);
}

AffineMap ReductionLoops::dataMap(MLIRContext *context) const {
  SmallVector<AffineExpr> exprs(rank());
  for (auto [loop, d] : llvm::enumerate(kept))
    exprs[d] = getAffineDimExpr(loop, context);
  for (auto [loop, d] : llvm::enumerate(reduced))
    exprs[d] = getAffineDimExpr(kept.size() + loop, context);
  return AffineMap::get(rank(), 0, exprs, context);
}

AffineMap ReductionLoops::keptMap(MLIRContext *context) const {
  SmallVector<AffineExpr> exprs;
  for (unsigned loop = 0; loop < kept.size(); ++loop)
    exprs.push_back(getAffineDimExpr(loop, context));
  return AffineMap::get(rank(), 0, exprs, context);
}

Value leaf::onnxtolinalg::reduce(Lowering &lowering, ArrayRef<Value> inputs, ArrayRef<Type> elements,
                                 const ReductionLoops &loops, Type accumulator, TypedAttr start, CombineFn combine) {
  MLIRContext *context = lowering.b().getContext();
  SmallVector<AffineMap> maps;
  for (Value input : inputs) {
    bool isData = cast<RankedTensorType>(input.getType()).getRank() == static_cast<int64_t>(loops.rank());
    maps.push_back(isData ? loops.dataMap(context) : loops.keptMap(context));
  }
  maps.push_back(loops.keptMap(context));
  Value init = lowering.fill(loops.keptSizes, accumulator, start);
  return lowering
      .generic(inputs, init, maps, loops.iterators,
               [&](OpBuilder &b, Location loc, ValueRange args) -> SmallVector<Value> {
                 Scalar s(b, loc, accumulator);
                 SmallVector<Value> values;
                 for (auto [value, element] : llvm::zip(args.drop_back(), elements))
                   values.push_back(convertElement(b, loc, value, element, accumulator));
                 return {combine(s, values, args.back())};
               })
      .front();
}

Value leaf::onnxtolinalg::emitCount(OpBuilder &b, Location loc, Size count, Type type) {
  if (std::optional<int64_t> c = constantOf(count))
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, static_cast<double>(*c)));
  Value integer = arith::IndexCastOp::create(b, loc, b.getI64Type(), cast<Value>(count));
  return arith::SIToFPOp::create(b, loc, type, integer);
}

/// Axes from input 1 or the attribute, in [0, rank); all where none are given.
static FailureOr<SmallVector<int64_t>> getAxes(Lowering &lowering, Node &node, int64_t rank) {
  SmallVector<int64_t> axes = node.getInts("axes");
  if (node.hasInput(1)) {
    std::optional<SmallVector<int64_t>> constant = lowering.getConstantInts(node.getInput(1));
    if (!constant)
      return node.emitError() << "has axes that are not constant";
    axes = *constant;
  }
  if (axes.empty() && node.getInt("noop_with_empty_axes", 0) == 0)
    axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  for (int64_t &axis : axes)
    axis += axis < 0 ? rank : 0;
  return axes;
}

/// `reduced` (kept dimensions only) with dimensions of size 1 for the axes where `keepDims`.
static Value restoreDims(Lowering &lowering, Value reduced, const ReductionLoops &loops, bool keepDims) {
  if (!keepDims)
    return reduced;
  Sizes sizes(loops.rank(), lowering.sizes().constant(1));
  for (auto [i, d] : llvm::enumerate(loops.kept))
    sizes[d] = loops.keptSizes[i];
  return lowering.reshape(reduced, sizes);
}

//===----------------------------------------------------------------------===//
// Reduce*
//===----------------------------------------------------------------------===//

namespace {
/// How a Reduce operator works: start value, step, and what is done to the accumulator at the end (null: nothing).
struct ReduceRule {
  TypedAttr (*start)(Type accumulator);
  Value (*combine)(Scalar &s, Value x, Value acc);
  Value (*finish)(Scalar &s, Value acc, Size count);
};
} // namespace

static TypedAttr startZero(Type type) { return numberAttr(type, 0); }
static TypedAttr startOne(Type type) { return numberAttr(type, 1); }
static Value addStep(Scalar &s, Value x, Value acc) { return s.add(acc, x); }
static Value mulStep(Scalar &s, Value x, Value acc) { return s.mul(acc, x); }
static Value maxStep(Scalar &s, Value x, Value acc) { return s.max(acc, x); }
static Value minStep(Scalar &s, Value x, Value acc) { return s.min(acc, x); }
static Value absStep(Scalar &s, Value x, Value acc) { return s.add(acc, s.abs(x)); }
static Value squareStep(Scalar &s, Value x, Value acc) { return s.add(acc, s.mul(x, x)); }

static Value finishMean(Scalar &s, Value acc, Size count) {
  if (s.isFloat)
    return s.div(acc, emitCount(s.b, s.loc, count, s.type));
  Value divisor = arith::IndexCastOp::create(s.b, s.loc, s.type, BodySize(count).get(s.b, s.loc));
  return s.div(acc, divisor);
}
static Value finishLog(Scalar &s, Value acc, Size) { return s.log(acc); }
static Value finishSqrt(Scalar &s, Value acc, Size) {
  if (s.isFloat)
    return s.sqrt(acc);
  Value root = s.sqrt(convertElement(s.b, s.loc, acc, s.element, s.b.getF64Type()));
  return convertElement(s.b, s.loc, root, s.b.getF64Type(), s.element);
}

/// The ONNX type that sums are kept in; signedness stays.
static Type reductionAccumulator(Type element) { return isa<FloatType>(element) ? computeType(element) : element; }

static Value finishReduction(Lowering &lowering, Value acc, const ReductionLoops &loops, Type accumulator, Type element,
                             Size count, Value (*finish)(Scalar &, Value, Size)) {
  if (!finish && accumulator == element)
    return acc;
  AffineMap identity = lowering.b().getMultiDimIdentityMap(loops.kept.size());
  return lowering.pointwise(acc, identity, loops.keptSizes, element, [&](OpBuilder &b, Location loc, ValueRange args) {
    Scalar s(b, loc, accumulator);
    return convertElement(b, loc, finish ? finish(s, args[0], count) : args[0], accumulator, element);
  });
}

static Size countOf(Lowering &lowering, ArrayRef<Size> sizes, const ReductionLoops &loops) {
  Sizes reduced;
  for (unsigned d : loops.reduced)
    reduced.push_back(sizes[d]);
  return lowering.sizes().product(reduced);
}

static LogicalResult lowerReduce(Lowering &lowering, Node &node, ReduceRule rule) {
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  FailureOr<SmallVector<int64_t>> axes = getAxes(lowering, node, sizes.size());
  if (failed(axes))
    return failure();
  ReductionLoops loops(sizes, *axes);
  Type element = node.getInputElement(0), accumulator = reductionAccumulator(element);
  Value acc = reduce(lowering, data, element, loops, accumulator, rule.start(accumulator),
                     [&](Scalar &s, ArrayRef<Value> x, Value value) { return rule.combine(s, x[0], value); });
  acc = finishReduction(lowering, acc, loops, accumulator, element, countOf(lowering, sizes, loops), rule.finish);
  lowering.setTensor(node.getOperation()->getResult(0),
                     restoreDims(lowering, acc, loops, node.getInt("keepdims", 1) != 0));
  return success();
}

/// With no axes and noop_with_empty_axes a reduction is the identity (of a sum, a mean, a maximum).
template <TypedAttr (*start)(Type), Value (*combine)(Scalar &, Value, Value),
          Value (*finish)(Scalar &, Value, Size) = nullptr>
static LogicalResult lowerReduceOp(Lowering &lowering, Node &node) {
  return lowerReduce(lowering, node, {start, combine, finish});
}

/// log(sum(exp(x - max))) + max
static LogicalResult lowerReduceLogSumExp(Lowering &lowering, Node &node) {
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  FailureOr<SmallVector<int64_t>> axes = getAxes(lowering, node, sizes.size());
  if (failed(axes))
    return failure();
  ReductionLoops loops(sizes, *axes);
  Type element = node.getInputElement(0), accumulator = computeType(element);
  Value max = reduce(lowering, data, element, loops, accumulator, lowestAttr(accumulator),
                     [](Scalar &s, ArrayRef<Value> x, Value acc) { return s.max(x[0], acc); });
  // An infinite maximum would make inf - inf: it is subtracted as zero.
  auto finite = [](Scalar &s, Value value) {
    return s.select(s.compare(Scalar::eq, s.sub(value, value), s.number(0)), value, s.number(0));
  };
  Value sum =
      reduce(lowering, {data, max}, {element, accumulator}, loops, accumulator, numberAttr(accumulator, 0),
             [&](Scalar &s, ArrayRef<Value> x, Value acc) { return s.add(acc, s.exp(s.sub(x[0], finite(s, x[1])))); });
  AffineMap identity = lowering.b().getMultiDimIdentityMap(loops.kept.size());
  Value result = lowering.pointwise({sum, max}, {identity, identity}, loops.keptSizes, element,
                                    [&](OpBuilder &b, Location loc, ValueRange args) {
                                      Scalar s(b, loc, accumulator);
                                      Value value = s.add(s.log(args[0]), finite(s, args[1]));
                                      return convertElement(b, loc, value, accumulator, element);
                                    });
  lowering.setTensor(node.getOperation()->getResult(0),
                     restoreDims(lowering, result, loops, node.getInt("keepdims", 1) != 0));
  return success();
}

//===----------------------------------------------------------------------===//
// Global pools
//===----------------------------------------------------------------------===//

template <TypedAttr (*start)(Type), Value (*combine)(Scalar &, Value, Value),
          Value (*finish)(Scalar &, Value, Size) = nullptr>
static LogicalResult lowerGlobalPool(Lowering &lowering, Node &node) {
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  Layout layout = getLayout(node, sizes.size());
  SmallVector<int64_t> axes;
  for (unsigned i = 0; i < layout.spatialRank; ++i)
    axes.push_back(layout.spatial(i));
  ReductionLoops loops(sizes, axes);
  Type element = node.getInputElement(0), accumulator = reductionAccumulator(element);
  Value acc = reduce(lowering, data, element, loops, accumulator, start(accumulator),
                     [&](Scalar &s, ArrayRef<Value> x, Value value) { return combine(s, x[0], value); });
  acc = finishReduction(lowering, acc, loops, accumulator, element, countOf(lowering, sizes, loops), finish);
  lowering.setTensor(node.getOperation()->getResult(0), restoreDims(lowering, acc, loops, true));
  return success();
}

//===----------------------------------------------------------------------===//
// ArgMax, ArgMin
//===----------------------------------------------------------------------===//

/// Best value and its index in one generic with two results; the first (or last) of equal ones wins.
template <bool isMax> static LogicalResult lowerArg(Lowering &lowering, Node &node) {
  OpBuilder &b = lowering.b();
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  int64_t axis = node.getAxis("axis", 0, sizes.size());
  bool last = node.getInt("select_last_index", 0) != 0;
  ReductionLoops loops(sizes, axis);
  Type element = node.getInputElement(0);
  Value best = lowering.fill(loops.keptSizes, element, isMax ? lowestAttr(element) : highestAttr(element));
  Value index = lowering.fill(loops.keptSizes, b.getI64Type(), b.getI64IntegerAttr(0));
  AffineMap kept = loops.keptMap(b.getContext());
  auto body = [&](OpBuilder &inner, Location loc, ValueRange args) -> SmallVector<Value> {
    Scalar s(inner, loc, element);
    Value x = convertElement(inner, loc, args[0], args[0].getType(), s.type);
    Value old = convertElement(inner, loc, args[1], args[1].getType(), s.type);
    Scalar::Predicate predicate = isMax ? (last ? Scalar::ge : Scalar::gt) : (last ? Scalar::le : Scalar::lt);
    Value better = s.compare(predicate, x, old);
    Value position = linalg::IndexOp::create(inner, loc, loops.kept.size());
    position = arith::IndexCastOp::create(inner, loc, inner.getI64Type(), position);
    return {s.select(better, args[0], args[1]), s.select(better, position, args[2])};
  };
  SmallVector<Value> results =
      lowering.generic(data, {best, index}, {loops.dataMap(b.getContext()), kept, kept}, loops.iterators, body);
  lowering.setTensor(node.getOperation()->getResult(0),
                     restoreDims(lowering, results[1], loops, node.getInt("keepdims", 1) != 0));
  return success();
}

void leaf::onnxtolinalg::registerReductions(Registry &registry) {
  registry.add("ReduceSum", lowerReduceOp<startZero, addStep>);
  registry.add("ReduceMean", lowerReduceOp<startZero, addStep, finishMean>);
  registry.add("ReduceMax", lowerReduceOp<lowestAttr, maxStep>);
  registry.add("ReduceMin", lowerReduceOp<highestAttr, minStep>);
  registry.add("ReduceProd", lowerReduceOp<startOne, mulStep>);
  registry.add("ReduceL1", lowerReduceOp<startZero, absStep>);
  registry.add("ReduceL2", lowerReduceOp<startZero, squareStep, finishSqrt>);
  registry.add("ReduceSumSquare", lowerReduceOp<startZero, squareStep>);
  registry.add("ReduceLogSum", lowerReduceOp<startZero, addStep, finishLog>);
  registry.add("ReduceLogSumExp", lowerReduceLogSumExp);
  registry.add("GlobalAveragePool", lowerGlobalPool<startZero, addStep, finishMean>);
  registry.add("GlobalMaxPool", lowerGlobalPool<lowestAttr, maxStep>);
  registry.add("ArgMax", lowerArg<true>);
  registry.add("ArgMin", lowerArg<false>);
}
