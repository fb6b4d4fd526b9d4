//===- Pooling.cpp - MaxPool, AveragePool, LpPool, LRN -----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"
#include "Scalars.h"
#include "Unpooling.h"
#include "Windows.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;
using utils::IteratorType;

namespace {
/// A pool being lowered: loops n, out..., c, kernel... (channels last), or n, c, out..., kernel...
struct Pool {
  Lowering &lowering;
  Node &node;
  Layout layout;
  Window window;
  Value data;
  Sizes outSizes;

  unsigned rank() const { return layout.spatialRank; }
  unsigned kernelLoop(unsigned i) const { return rank() + 2 + i; }
};

using CombineFn = function_ref<Value(Scalar &s, Value element, Value accumulator)>;
} // namespace

/// One accumulator of ONNX type `accumulatorType` per window over padded data: starts at `start`.
static Value reduceWindows(Pool &pool, TypedAttr padding, Type accumulatorType, TypedAttr start, CombineFn combine) {
  Lowering &lowering = pool.lowering;
  OpBuilder &b = lowering.b();
  unsigned rank = pool.rank(), numLoops = 2 * rank + 2;
  SmallVector<AffineExpr> in, out, kernel;
  for (unsigned d = 0; d < rank + 2; ++d)
    out.push_back(b.getAffineDimExpr(d));
  in = out;
  Sizes kernelSizes;
  for (unsigned i = 0; i < rank; ++i) {
    AffineExpr k = b.getAffineDimExpr(pool.kernelLoop(i));
    unsigned d = pool.layout.spatial(i);
    in[d] = out[d] * pool.window.strides[i] + k * pool.window.dilations[i];
    kernel.push_back(k);
    kernelSizes.push_back(lowering.sizes().constant(pool.window.kernel[i]));
  }
  Type element = pool.node.getInputElement(0);
  Value padded = padForWindow(lowering, pool.data, pool.window, pool.layout, padding);
  Value init = lowering.fill(pool.outSizes, accumulatorType, start);
  Value shape = lowering.empty(kernelSizes, accumulatorType);
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(numLoops, 0, exprs, b.getContext()); };
  SmallVector<IteratorType> iterators(numLoops, IteratorType::parallel);
  std::fill(iterators.begin() + rank + 2, iterators.end(), IteratorType::reduction);
  return lowering
      .generic({padded, shape}, init, {map(in), map(kernel), map(out)}, iterators,
               [&](OpBuilder &inner, Location loc, ValueRange args) -> SmallVector<Value> {
                 Scalar s(inner, loc, accumulatorType);
                 return {combine(s, convertElement(inner, loc, args[0], element, accumulatorType), args[2])};
               })
      .front();
}

static FailureOr<Pool> getPool(Lowering &lowering, Node &node) {
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data), spatial;
  Layout layout = getLayout(node, sizes.size());
  for (unsigned i = 0; i < layout.spatialRank; ++i)
    spatial.push_back(sizes[layout.spatial(i)]);
  FailureOr<Window> window = getWindow(lowering, node, node.getInts("kernel_shape"), spatial);
  if (failed(window))
    return failure();
  Pool pool{lowering, node, layout, *window, data, sizes};
  for (unsigned i = 0; i < layout.spatialRank; ++i)
    pool.outSizes[layout.spatial(i)] = window->outSizes[i];
  pool.outSizes = lowering.refine(pool.outSizes, node);
  return pool;
}

static LogicalResult lowerMaxPool(Lowering &lowering, Node &node) {
  FailureOr<Pool> pool = getPool(lowering, node);
  if (failed(pool))
    return failure();
  if (node.hasResult(1) && !node.getOperation()->getResult(1).use_empty())
    return lowerMaxPoolWithIndices(lowering, node, pool->data, pool->window, pool->outSizes);
  Type element = node.getInputElement(0);
  TypedAttr lowest = lowestAttr(element);
  // f16 maxima need no wider type, as max rounds nothing.
  Value result =
      reduceWindows(*pool, lowest, element, lowest, [](Scalar &s, Value x, Value acc) { return s.max(x, acc); });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

/// The p-norm of each window.
static LogicalResult lowerLpPool(Lowering &lowering, Node &node) {
  FailureOr<Pool> pool = getPool(lowering, node);
  if (failed(pool))
    return failure();
  Type element = node.getInputElement(0), accumulator = computeType(element);
  int64_t p = node.getInt("p", 2);
  if (p < 1)
    return node.emitError() << "has the norm p = " << p << ", which must be positive";
  Value sum = reduceWindows(*pool, numberAttr(element, 0), accumulator, numberAttr(accumulator, 0),
                            [&](Scalar &s, Value x, Value acc) {
                              Value power = s.abs(x), factor = power;
                              for (int64_t i = 1; i < p; ++i)
                                power = s.mul(power, factor);
                              return s.add(acc, power);
                            });
  Value result =
      lowering.pointwise(sum, lowering.b().getMultiDimIdentityMap(pool->outSizes.size()), pool->outSizes, element,
                         [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                           Scalar s(b, loc, accumulator);
                           Value norm = p == 1 ? args[0] : p == 2 ? s.sqrt(args[0]) : Value();
                           if (!norm)
                             norm = math::PowFOp::create(b, loc, args[0], s.number(1.0 / static_cast<double>(p)));
                           return convertElement(b, loc, norm, accumulator, element);
                         });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

/// Number of elements that the window at the positions of a result element averages, as a float of `type`.
static Value emitDivisor(OpBuilder &b, Location loc, Pool &pool, ArrayRef<BodySize> begins, ArrayRef<BodySize> ends,
                         Type type) {
  Value count;
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  for (unsigned i = 0; i < pool.rank(); ++i) {
    int64_t dilation = pool.window.dilations[i], kernel = pool.window.kernel[i];
    auto constant = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(b, loc, value); };
    // Taps k of [0, kernel) whose position start + k * dilation is within [begin, end).
    Value position = linalg::IndexOp::create(b, loc, pool.layout.spatial(i));
    Value start = arith::MulIOp::create(b, loc, position, constant(pool.window.strides[i]));
    auto tapsBefore = [&](const BodySize &limit) -> Value {
      Value distance = arith::SubIOp::create(b, loc, limit.get(b, loc), start);
      Value rounded = arith::AddIOp::create(b, loc, distance, constant(dilation - 1));
      Value taps = arith::MaxSIOp::create(b, loc, rounded, zero);
      if (dilation != 1)
        taps = arith::DivUIOp::create(b, loc, taps, constant(dilation));
      return arith::MinSIOp::create(b, loc, taps, constant(kernel));
    };
    Value taps = arith::SubIOp::create(b, loc, tapsBefore(ends[i]), tapsBefore(begins[i]));
    count = count ? arith::MulIOp::create(b, loc, count, taps).getResult() : taps;
  }
  Value integer = arith::IndexCastOp::create(b, loc, b.getI32Type(), count);
  return arith::SIToFPOp::create(b, loc, type, integer);
}

static LogicalResult lowerAveragePool(Lowering &lowering, Node &node) {
  FailureOr<Pool> pool = getPool(lowering, node);
  if (failed(pool))
    return failure();
  SizeArithmetic &s = lowering.sizes();
  Type element = node.getInputElement(0), accumulator = computeType(element);
  TypedAttr zero = numberAttr(accumulator, 0);
  Value sum = reduceWindows(*pool, numberAttr(element, 0), accumulator, zero,
                            [](Scalar &scalar, Value x, Value acc) { return scalar.add(acc, x); });
  Sizes sizes = lowering.getSizes(pool->data);
  bool includePad = node.getInt("count_include_pad", 0) != 0;
  bool exact = true;
  SmallVector<BodySize> begins, ends;
  int64_t count = 1;
  for (unsigned i = 0; i < pool->rank(); ++i) {
    // What counts lies in [begin, end) of the padded data; every tap does where that is all that is covered.
    Size size = sizes[pool->layout.spatial(i)], begin = pool->window.padBegin[i];
    Size first = includePad ? s.constant(0) : begin;
    Size end = s.add(begin, size);
    if (includePad)
      end = s.add(end, pool->window.padEnd[i]);
    begins.emplace_back(first);
    ends.emplace_back(end);
    exact &= constantOf(first) == 0 && s.same(end, pool->window.covered[i]);
    count *= pool->window.kernel[i];
  }
  AffineMap identity = lowering.b().getMultiDimIdentityMap(pool->outSizes.size());
  Value result = lowering.pointwise(
      sum, identity, pool->outSizes, element, [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
        Scalar scalar(b, loc, accumulator);
        Value mean = exact ? scalar.mul(args[0], scalar.number(1.0 / static_cast<double>(count)))
                           : scalar.div(args[0], emitDivisor(b, loc, *pool, begins, ends, accumulator));
        return convertElement(b, loc, mean, accumulator, element);
      });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

/// Sum of the squares of `window` channels around each element; the longer half of an even window lies behind it.
static Value sumSquaresOfChannels(Lowering &lowering, Node &node, Value data, unsigned channel, int64_t window) {
  OpBuilder &b = lowering.b();
  SizeArithmetic &s = lowering.sizes();
  Sizes sizes = lowering.getSizes(data), begin(sizes.size(), s.constant(0)), padded = sizes;
  begin[channel] = s.constant((window - 1) / 2);
  padded[channel] = s.add(sizes[channel], s.constant(window - 1));
  Type element = node.getInputElement(0), compute = computeType(element);
  Value source = padConstant(lowering, data, begin, padded, numberAttr(element, 0));
  Value init = lowering.fill(sizes, compute, numberAttr(compute, 0));
  Value shape = lowering.empty({s.constant(window)}, compute);
  unsigned rank = sizes.size();
  SmallVector<AffineExpr> out;
  for (unsigned d = 0; d < rank; ++d)
    out.push_back(b.getAffineDimExpr(d));
  SmallVector<AffineExpr> in = out;
  in[channel] = out[channel] + b.getAffineDimExpr(rank);
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(rank + 1, 0, exprs, b.getContext()); };
  SmallVector<IteratorType> iterators(rank, IteratorType::parallel);
  iterators.push_back(IteratorType::reduction);
  return lowering
      .generic({source, shape}, init, {map(in), map(b.getAffineDimExpr(rank)), map(out)}, iterators,
               [&](OpBuilder &inner, Location loc, ValueRange args) -> SmallVector<Value> {
                 Scalar scalar(inner, loc, compute);
                 Value x = convertElement(inner, loc, args[0], element, compute);
                 return {scalar.add(args[2], scalar.mul(x, x))};
               })
      .front();
}

/// Local response normalization: x / (bias + alpha / size * sum of squares)^beta.
static LogicalResult lowerLRN(Lowering &lowering, Node &node) {
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  int64_t window = node.getInt("size", 1);
  if (sizes.size() < 2)
    return node.emitError() << "has data of rank " << sizes.size() << ", but normalizes over dimension 1";
  if (window < 1)
    return node.emitError() << "has size " << window << ", which must be positive";
  Value sum = sumSquaresOfChannels(lowering, node, data, getLayout(node, sizes.size()).channel(), window);
  double scale = node.getFloat("alpha", 1e-4) / static_cast<double>(window);
  double bias = node.getFloat("bias", 1), beta = node.getFloat("beta", 0.75);
  Type element = node.getInputElement(0), compute = computeType(element);
  AffineMap identity = lowering.b().getMultiDimIdentityMap(sizes.size());
  Value result = lowering.pointwise(
      {data, sum}, {identity, identity}, sizes, element, [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
        Scalar s(b, loc, compute);
        Value base = s.add(s.mul(args[1], s.number(scale)), s.number(bias));
        // The exponent of all published networks, without a logarithm.
        Value root = beta == 0.75 ? s.sqrt(base) : Value();
        Value power = root ? s.mul(root, s.sqrt(root)) : math::PowFOp::create(b, loc, base, s.number(beta)).getResult();
        Value x = convertElement(b, loc, args[0], element, compute);
        return convertElement(b, loc, s.div(x, power), compute, element);
      });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

void leaf::onnxtolinalg::registerPooling(Registry &registry) {
  registry.add("LRN", lowerLRN);
  registry.add("MaxPool", lowerMaxPool);
  registry.add("LpPool", lowerLpPool);
  registry.add("AveragePool", lowerAveragePool);
}
