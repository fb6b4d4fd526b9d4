//===- Unique.cpp - Unique --------------------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// The slices along the axis (or all elements) are sorted by their positions, stably; neighbours that are equal form a
// group. There are at most as many groups as slices.
//
//===----------------------------------------------------------------------===//

#include "Counted.h"
#include "Scalars.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

namespace {

/// The code of the kernel: inputs[0] is [outer, n, inner]; outs are positions of the groups' first slices [n], group of
/// each slice [n], sizes of the groups [n], number of groups [1], and two buffers of positions [n].
class UniqueSlices {
public:
  UniqueSlices(Code &c, const ForallArguments &args, Type element)
      : c(c), element(element), data(args.inputs[0]), first(args.outs[0]), group(args.outs[1]), sizes(args.outs[2]),
        number(args.outs[3]), order(args.outs[4]), other(args.outs[5]), count(c.size(data, 1)) {}

  void run(bool isSorted);

private:
  Value at(Value buffer, Value i) {
    return arith::IndexCastOp::create(c.b, c.loc, c.b.getIndexType(), c.load(buffer, i));
  }
  void put(Value value, Value buffer, Value i) { c.store(toI64(c, value), buffer, i); }
  Value isBefore(Value x, Value y);
  void sort();
  void merge(Value width);
  void findGroups();
  void renumber();

  Code &c;
  Type element;
  Value data, first, group, sizes, number, order, other, count;
};

} // namespace

/// Lexicographic order of two slices; NaN comes last and is equal to itself.
Value UniqueSlices::isBefore(Value x, Value y) {
  Value zero = c.index(0);
  auto verdict = [&](Value o, Value i, Value known) -> Value { // 0: equal so far, 1: before, 2: behind
    Scalar s(c.b, c.loc, element);
    Value a = convertElement(c.b, c.loc, c.load(data, {o, x, i}), element, s.type);
    Value b = convertElement(c.b, c.loc, c.load(data, {o, y, i}), element, s.type);
    Value less = s.compare(Scalar::lt, a, b), greater = s.compare(Scalar::lt, b, a);
    if (s.isFloat) {
      Value aNaN = s.compare(Scalar::ne, a, a), bNaN = s.compare(Scalar::ne, b, b);
      Value both = c.both(aNaN, bNaN);
      less = c.either(less, c.both(bNaN, arith::XOrIOp::create(c.b, c.loc, both, bNaN)));
      greater = c.either(greater, c.both(aNaN, arith::XOrIOp::create(c.b, c.loc, both, aNaN)));
    }
    Value here = c.select(less, c.index(1), c.select(greater, c.index(2), zero));
    return c.select(c.equal(known, zero), here, known);
  };
  Value result = c.loop(zero, c.size(data, 0), zero, [&](Value o, ValueRange outer) -> Code::Values {
    return {c.loop(zero, c.size(data, 2), outer[0],
                   [&](Value i, ValueRange inner) -> Code::Values { return {verdict(o, i, inner[0])}; })[0]};
  })[0];
  return c.equal(result, c.index(1));
}

/// Runs of `width` sorted positions in `order` become runs of twice that.
void UniqueSlices::merge(Value width) {
  Value zero = c.index(0), twice = c.add(width, width);
  c.loop(zero, count, {zero, zero}, [&](Value k, ValueRange carried) -> Code::Values {
    Value begin = c.mul(arith::DivUIOp::create(c.b, c.loc, k, twice), twice), isNew = c.equal(k, begin);
    auto clamp = [&](Value x) { return c.select(c.less(x, count), x, count); };
    Value middle = clamp(c.add(begin, width)), end = clamp(c.add(begin, twice));
    Value i = c.select(isNew, begin, carried[0]), j = c.select(isNew, middle, carried[1]);
    Value hasLeft = c.less(i, middle), hasRight = c.less(j, end);
    Value left = at(order, c.select(hasLeft, i, begin)), right = at(order, c.select(hasRight, j, begin));
    Value takesRight = c.both(hasRight, c.either(c.equal(i, middle), isBefore(right, left)));
    put(c.select(takesRight, right, left), other, k);
    return {c.select(takesRight, i, c.add(i, 1)), c.select(takesRight, c.add(j, 1), j)};
  });
  c.loop(zero, count, [&](Value k) { put(at(other, k), order, k); });
}

void UniqueSlices::sort() {
  Value zero = c.index(0);
  c.loop(zero, count, [&](Value k) { put(k, order, k); });
  // A width is a power of two: 62 of them are enough for any count.
  c.loop(zero, c.index(62), c.index(1), [&](Value, ValueRange width) -> Code::Values {
    c.when(c.less(width[0], count), [&] { merge(width[0]); });
    return {c.add(width[0], width[0])};
  });
}

void UniqueSlices::findGroups() {
  Value zero = c.index(0), none = c.sub(zero, c.index(1));
  Value last = c.loop(zero, count, none, [&](Value k, ValueRange now) -> Code::Values {
    Value position = at(order, k), before = at(order, c.select(c.equal(k, zero), k, c.sub(k, c.index(1))));
    Value isNew = c.either(c.equal(k, zero), isBefore(before, position));
    Value own = c.select(isNew, c.add(now[0], 1), now[0]);
    c.when(isNew, [&] {
      put(position, first, own);
      put(zero, sizes, own);
    });
    put(own, group, position);
    put(c.add(at(sizes, own), 1), sizes, own);
    return {own};
  })[0];
  put(c.add(last, 1), number, zero);
}

/// Groups in the order of their first slices.
void UniqueSlices::renumber() {
  Value zero = c.index(0);
  c.loop(zero, count, zero, [&](Value k, ValueRange next) -> Code::Values {
    Value own = at(group, k), isFirst = c.equal(at(first, own), k);
    c.when(isFirst, [&] {
      put(next[0], other, own);
      put(k, order, next[0]);
    });
    return {c.select(isFirst, c.add(next[0], 1), next[0])};
  });
  c.loop(zero, count, [&](Value k) { put(at(other, at(group, k)), group, k); });
  c.loop(zero, at(number, zero), [&](Value g) {
    put(at(order, g), first, g);
    put(zero, sizes, g);
  });
  c.loop(zero, count, [&](Value k) {
    Value own = at(group, k);
    put(c.add(at(sizes, own), 1), sizes, own);
  });
}

void UniqueSlices::run(bool isSorted) {
  sort();
  findGroups();
  if (!isSorted)
    renumber();
}

static LogicalResult lowerUnique(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Operation *op = node.getOperation();
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  unsigned axis = 0;
  if (node.hasAttr("axis")) {
    axis = node.getAxis("axis", 0, sizes.size());
  } else {
    sizes = {s.product(sizes)};
    data = lowering.reshape(data, sizes);
  }
  ArrayRef<Size> all(sizes);
  Size count = sizes[axis];
  Value rows = lowering.reshape(data, {s.product(all.take_front(axis)), count, s.product(all.drop_front(axis + 1))});
  Type i64 = lowering.b().getI64Type();
  SmallVector<Value> results =
      forall(lowering, rows, {{count}, {count}, {count}, {s.constant(1)}, {count}, {count}}, SmallVector<Type>(6, i64),
             {}, [&](Code &c, const ForallArguments &args) {
               UniqueSlices(c, args, node.getInputElement(0)).run(node.getInt("sorted", 1) != 0);
             });
  Size found = readCount(lowering, results[3], count);
  sizes[axis] = found;
  if (node.hasResult(0))
    lowering.setTensor(op->getResult(0), pickPositions(lowering, data, results[0], axis, sizes));
  if (node.hasResult(1))
    lowering.setTensor(op->getResult(1), takeFirst(lowering, results[0], 0, found));
  if (node.hasResult(2))
    lowering.setTensor(op->getResult(2), results[1]);
  if (node.hasResult(3))
    lowering.setTensor(op->getResult(3), takeFirst(lowering, results[2], 0, found));
  return success();
}

void leaf::onnxtolinalg::registerUnique(Registry &registry) { registry.add("Unique", lowerUnique); }
