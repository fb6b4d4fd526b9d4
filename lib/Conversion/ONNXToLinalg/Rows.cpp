//===- Rows.cpp - Hardmax, LpNormalization, ReverseSequence, Det -------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Imperative.h"
#include "Reductions.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

/// One at the first largest element of each line, zero elsewhere.
static LogicalResult lowerHardmax(Lowering &lowering, Node &node) {
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data), lines = sizes;
  unsigned axis = node.getAxis("axis", -1, sizes.size());
  lines.erase(lines.begin() + axis);
  Type element = node.getInputElement(0);
  auto body = [&](Code &c, const ForallArguments &args) {
    Scalar s(c.b, c.loc, element);
    auto at = [&](Value i) {
      SmallVector<Value> point(args.point);
      point.insert(point.begin() + axis, i);
      return point;
    };
    auto read = [&](Value i) { return convertElement(c.b, c.loc, c.load(args.inputs[0], at(i)), element, s.type); };
    Value zero = c.index(0), length = c.size(args.outs[0], axis);
    Value best = c.loop(zero, length, {zero, read(zero)}, [&](Value i, ValueRange now) -> Code::Values {
      Value x = read(i), better = s.compare(Scalar::gt, x, now[1]);
      return {c.select(better, i, now[0]), c.select(better, x, now[1])};
    })[0];
    c.loop(zero, length, [&](Value i) {
      Value hot = s.select(c.equal(i, best), s.number(1), s.number(0));
      c.store(convertElement(c.b, c.loc, hot, s.type, element), args.outs[0], at(i));
    });
  };
  lowering.setTensor(node.getOperation()->getResult(0), forall(lowering, data, {sizes}, element, lines, body).front());
  return success();
}

/// x / norm along the axis; zero where the norm is.
static LogicalResult lowerLpNormalization(Lowering &lowering, Node &node) {
  MLIRContext *context = lowering.b().getContext();
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  ReductionLoops loops(sizes, node.getAxis("axis", -1, sizes.size()));
  Type element = node.getInputElement(0), compute = computeType(element);
  bool isFirst = node.getInt("p", 2) == 1;
  Value sum = reduce(
      lowering, data, element, loops, compute, numberAttr(compute, 0),
      [&](Scalar &s, ArrayRef<Value> x, Value acc) { return s.add(acc, isFirst ? s.abs(x[0]) : s.mul(x[0], x[0])); });
  SmallVector<AffineExpr> kept;
  for (unsigned d : loops.kept)
    kept.push_back(getAffineDimExpr(d, context));
  AffineMap identity = AffineMap::getMultiDimIdentityMap(sizes.size(), context);
  Value result =
      lowering.pointwise({data, sum}, {identity, AffineMap::get(sizes.size(), 0, kept, context)}, sizes, element,
                         [&](OpBuilder &b, Location loc, ValueRange args) {
                           Scalar s(b, loc, compute);
                           Value x = convertElement(b, loc, args[0], element, compute), zero = s.number(0);
                           Value norm = isFirst ? args[1] : s.sqrt(args[1]);
                           Value isZero = s.compare(Scalar::eq, norm, zero);
                           return convertElement(b, loc, s.select(isZero, zero, s.div(x, norm)), compute, element);
                         });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

/// The first sequence_lens[b] steps of each batch entry in reverse order.
static LogicalResult lowerReverseSequence(Lowering &lowering, Node &node) {
  Value data = lowering.getTensor(node.getInput(0)), lengths = lowering.getTensor(node.getInput(1));
  Sizes sizes = lowering.getSizes(data);
  unsigned time = node.getAxis("time_axis", 0, sizes.size()), batch = node.getAxis("batch_axis", 1, sizes.size());
  AffineMap map = AffineMap::get(sizes.size(), 0, lowering.b().getAffineDimExpr(batch));
  Type element = cast<RankedTensorType>(data.getType()).getElementType();
  Value result =
      lowering.pointwise(lengths, map, sizes, element, [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
        Code c(b, loc);
        SmallVector<Value> at;
        for (size_t d = 0; d < sizes.size(); ++d)
          at.push_back(linalg::IndexOp::create(b, loc, d));
        Value length = arith::IndexCastOp::create(b, loc, b.getIndexType(), args[0]);
        Value mirrored = c.sub(c.sub(length, c.index(1)), at[time]);
        at[time] = c.select(c.less(at[time], length), mirrored, at[time]);
        return tensor::ExtractOp::create(b, loc, data, at);
      });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

/// By elimination with the largest pivot of each column; zero where there is none.
static LogicalResult lowerDet(Lowering &lowering, Node &node) {
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  if (sizes.size() < 2 || failed(lowering.unify(node, sizes[sizes.size() - 2], sizes.back())))
    return node.emitError() << "has data that are no square matrices";
  Sizes batch(ArrayRef<Size>(sizes).drop_back(2)), matrix(ArrayRef<Size>(sizes).take_back(2));
  Type element = node.getInputElement(0), compute = computeType(element);
  auto body = [&](Code &c, const ForallArguments &args) {
    Scalar s(c.b, c.loc, compute);
    Value a = args.outs[1], zero = c.index(0), n = c.size(a, 0);
    c.loop(zero, n, [&](Value i) {
      c.loop(zero, n, [&](Value j) {
        SmallVector<Value> at(args.point);
        at.append({i, j});
        c.store(convertElement(c.b, c.loc, c.load(args.inputs[0], at), element, compute), a, {i, j});
      });
    });
    Value product = c.loop(zero, n, s.number(1), [&](Value k, ValueRange now) -> Code::Values {
      Value next = c.add(k, 1);
      Value row = c.loop(next, n, {k, s.abs(c.load(a, {k, k}))}, [&](Value i, ValueRange best) -> Code::Values {
        Value size = s.abs(c.load(a, {i, k})), larger = s.compare(Scalar::gt, size, best[1]);
        return {c.select(larger, i, best[0]), c.select(larger, size, best[1])};
      })[0];
      c.loop(k, n, [&](Value j) {
        Value upper = c.load(a, {k, j}), lower = c.load(a, {row, j});
        c.store(lower, a, {k, j});
        c.store(upper, a, {row, j});
      });
      Value pivot = c.load(a, {k, k}), isZero = s.compare(Scalar::eq, pivot, s.number(0));
      Value divisor = s.select(isZero, s.number(1), pivot);
      c.loop(next, n, [&](Value i) {
        Value factor = s.div(c.load(a, {i, k}), divisor);
        c.loop(next, n,
               [&](Value j) { c.store(s.sub(c.load(a, {i, j}), s.mul(factor, c.load(a, {k, j}))), a, {i, j}); });
      });
      Value signedPivot = s.select(c.equal(row, k), pivot, s.neg(pivot));
      return {s.mul(now[0], signedPivot)};
    })[0];
    c.store(convertElement(c.b, c.loc, product, compute, element), args.outs[0], args.point);
  };
  Value result = forall(lowering, data, {batch, matrix}, {element, compute}, batch, body).front();
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

void leaf::onnxtolinalg::registerRows(Registry &registry) {
  registry.add("Hardmax", lowerHardmax);
  registry.add("Det", lowerDet);
  registry.add("LpNormalization", lowerLpNormalization);
  registry.add("ReverseSequence", lowerReverseSequence);
}
