//===- TopK.cpp - TopK --------------------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Imperative.h"
#include "Scalars.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

namespace {
/// Selection along one line of the data by a heap of the k best elements so far, the worst of them at its root; the
/// heap is then sorted in place. Equal elements keep their order: the one with the lower index is better.
class TopKLine {
public:
  TopKLine(Code &code, Type element, bool largest, int64_t levels, Value values, Value indices, ValueRange line,
           unsigned axis)
      : c(code), scalar(code.b, code.loc, element), largest(largest), levels(levels), values(values), indices(indices),
        line(line), axis(axis) {}

  void run(Value data, Value length, Value k);

private:
  struct Entry {
    Value value, index;
  };

  SmallVector<Value> at(Value position) const {
    SmallVector<Value> point(line);
    point.insert(point.begin() + axis, position);
    return point;
  }
  Entry read(Value position) { return {c.load(values, at(position)), c.load(indices, at(position))}; }
  void write(Entry entry, Value position) {
    c.store(entry.value, values, at(position));
    c.store(entry.index, indices, at(position));
  }
  Value isWorse(Entry a, Entry b);
  void sift(Entry entry, Value start, Value size);

  Code &c;
  Scalar scalar;
  bool largest;
  int64_t levels; ///< at least the height of the heap
  Value values, indices;
  ValueRange line;
  unsigned axis;
};
} // namespace

Value TopKLine::isWorse(Entry a, Entry b) {
  Value x = convertElement(c.b, c.loc, a.value, scalar.element, scalar.type);
  Value y = convertElement(c.b, c.loc, b.value, scalar.element, scalar.type);
  Value worse = scalar.compare(largest ? Scalar::lt : Scalar::gt, x, y);
  Value same = scalar.compare(Scalar::eq, x, y);
  return c.either(worse, c.both(same, c.less(b.index, a.index)));
}

/// Puts `entry` into the heap of `size` elements whose element `start` is free: it sinks below all worse ones.
void TopKLine::sift(Entry entry, Value start, Value size) {
  Value position = c.loop(c.index(0), c.index(levels), start, [&](Value, ValueRange carried) -> Code::Values {
    Value hole = carried[0];
    Value left = c.add(c.add(hole, hole), 1);
    return c.choose(
        c.less(left, size),
        [&]() -> Code::Values {
          Value right = c.add(left, 1);
          Value last = c.sub(size, c.index(1));
          Value safe = c.select(c.less(right, size), right, last);
          Entry a = read(left), b = read(safe);
          Value takeRight = isWorse(b, a);
          Value child = c.select(takeRight, safe, left);
          Entry worst{c.select(takeRight, b.value, a.value), c.select(takeRight, b.index, a.index)};
          Value sinks = isWorse(worst, entry);
          c.when(sinks, [&] { write(worst, hole); });
          return {c.select(sinks, child, hole)};
        },
        [&]() -> Code::Values { return {hole}; });
  })[0];
  write(entry, position);
}

void TopKLine::run(Value data, Value length, Value k) {
  Type indexType = c.b.getI64Type();
  auto element = [&](Value position) -> Entry {
    return {c.load(data, at(position)), arith::IndexCastOp::create(c.b, c.loc, indexType, position)};
  };
  Value zero = c.index(0);
  c.loop(zero, k, [&](Value position) { write(element(position), position); });
  Value half = arith::DivUIOp::create(c.b, c.loc, k, c.index(2));
  c.loopDown(zero, half, [&](Value start) { sift(read(start), start, k); });
  Value some = c.less(zero, k);
  c.when(some, [&] {
    c.loop(k, length, [&](Value position) {
      Entry entry = element(position);
      c.when(isWorse(read(zero), entry), [&] { sift(entry, zero, k); });
    });
    c.loopDown(c.index(1), k, [&](Value last) {
      Entry entry = read(last);
      write(read(zero), last);
      sift(entry, zero, last);
    });
  });
}

static LogicalResult lowerTopK(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Value data = lowering.getTensor(node.getInput(0));
  FailureOr<ShapeValue> count = lowering.readShapeValue(node, 1);
  if (failed(count))
    return failure();
  Sizes sizes = lowering.getSizes(data);
  unsigned axis = node.getAxis("axis", -1, sizes.size());
  Size length = sizes[axis], k = s.min(count->elements.front(), length);
  // A request for more than there is would be answered with too small a result.
  if (!constantOf(k) || !constantOf(length))
    if (failed(lowering.unify(node, k, count->elements.front())))
      return failure();
  if (constantOf(k) && constantOf(count->elements.front()) != constantOf(k))
    return node.emitError() << "asks for " << *constantOf(count->elements.front()) << " of " << *constantOf(length)
                            << " elements";
  sizes[axis] = k;
  sizes = lowering.refine(sizes, node);
  Sizes lines(sizes);
  lines.erase(lines.begin() + axis);
  Type element = node.getInputElement(0);
  int64_t levels = llvm::Log2_64_Ceil(constantOf(k).value_or(int64_t(1) << 32) + 1);
  SmallVector<Value> results =
      forall(lowering, data, {sizes, sizes}, {element, lowering.b().getI64Type()}, lines,
             [&](Code &code, const ForallArguments &args) {
               TopKLine line(code, element, node.getInt("largest", 1) != 0, levels, args.outs[0], args.outs[1],
                             args.point, axis);
               line.run(args.inputs[0], code.size(args.inputs[0], axis), code.size(args.outs[0], axis));
             });
  for (unsigned i = 0; i < 2; ++i)
    if (node.hasResult(i))
      lowering.setTensor(node.getOperation()->getResult(i), results[i]);
  return success();
}

void leaf::onnxtolinalg::registerTopK(Registry &registry) { registry.add("TopK", lowerTopK); }
