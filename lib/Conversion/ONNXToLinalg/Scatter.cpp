//===- Scatter.cpp - ScatterElements, ScatterND, TensorScatter -----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Imperative.h"
#include "Indexing.h"
#include "Operands.h"
#include "Scalars.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

/// What `reduction` makes of an element and an update, both as stored.
static Value combine(Code &c, StringRef reduction, Type element, Value old, Value update) {
  if (reduction == "none")
    return update;
  Scalar s(c.b, c.loc, element);
  Value x = convertElement(c.b, c.loc, old, element, s.type), y = convertElement(c.b, c.loc, update, element, s.type);
  Value result = reduction == "add"   ? s.add(x, y)
                 : reduction == "mul" ? s.mul(x, y)
                 : reduction == "max" ? s.max(x, y)
                                      : s.min(x, y);
  return convertElement(c.b, c.loc, result, s.type, element);
}

static LogicalResult checkReduction(Node &node, StringRef reduction) {
  if (llvm::is_contained({"none", "add", "mul", "max", "min"}, reduction))
    return success();
  return node.emitError() << "has the unknown reduction '" << reduction << "'";
}

/// `element` of an index tensor as a position in [0, extent); one outside is clamped.
static Value toPosition(Code &c, Value element, Type type, Size extent, SizeArithmetic &s) {
  return wrapIndex(c.b, c.loc, element, type, BodySize(extent), BodySize(s.sub(extent, s.constant(1))));
}

/// Loops over the dimensions of `buffer` behind those that `at` has; the last one is the innermost, so that LLVM finds
/// vectors.
static void forEach(Code &c, Value buffer, ArrayRef<Value> at, function_ref<void(ArrayRef<Value>)> body) {
  if (static_cast<int64_t>(at.size()) == cast<MemRefType>(buffer.getType()).getRank())
    return body(at);
  c.loop(c.index(0), c.size(buffer, at.size()), [&](Value i) {
    SmallVector<Value> next(at);
    next.push_back(i);
    forEach(c, buffer, next, body);
  });
}

static void copyElements(Code &c, Value from, Value to, ArrayRef<Value> at) {
  forEach(c, to, at, [&](ArrayRef<Value> point) { c.store(c.load(from, point), to, point); });
}

/// Updates of one line along the axis run one after another, lines side by side: those that differ in a dimension
/// before the axis are iterations, the others are the innermost loop, where elements are neighbours.
static LogicalResult lowerScatterElements(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Value data = lowering.getTensor(node.getInput(0)), indices = lowering.getTensor(node.getInput(1)),
        updates = lowering.getTensor(node.getInput(2));
  Sizes sizes = lowering.getSizes(data), counts = lowering.getSizes(indices);
  unsigned axis = node.getAxis("axis", 0, sizes.size());
  StringRef reduction = node.getString("reduction", "none");
  if (failed(checkReduction(node, reduction)))
    return failure();
  ArrayRef<Size> lines = ArrayRef<Size>(sizes).take_front(axis);
  Type element = node.getInputElement(0), indexType = node.getInputElement(1);
  s.value(s.sub(sizes[axis], s.constant(1)));
  auto body = [&](Code &c, const ForallArguments &args) {
    Value out = args.outs[0], inside;
    SmallVector<Value> line(args.point);
    copyElements(c, args.inputs[0], out, line);
    for (auto [d, i] : llvm::enumerate(line)) {
      if (s.same(sizes[d], counts[d]))
        continue;
      Value less = c.less(i, c.size(args.inputs[1], d));
      inside = inside ? c.both(inside, less) : less;
    }
    auto scatter = [&] {
      forEach(c, args.inputs[1], line, [&](ArrayRef<Value> at) {
        SmallVector<Value> target(at);
        target[axis] = toPosition(c, c.load(args.inputs[1], at), indexType, sizes[axis], s);
        c.store(combine(c, reduction, element, c.load(out, target), c.load(args.inputs[2], at)), out, target);
      });
    };
    inside ? c.when(inside, scatter) : scatter();
  };
  Value result = forall(lowering, {data, indices, updates}, sizes, element, lines, body).front();
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

/// Index tuples may repeat, so updates run one after another, each of a whole slice.
static LogicalResult lowerScatterND(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Value data = lowering.getTensor(node.getInput(0)), indices = lowering.getTensor(node.getInput(1)),
        updates = lowering.getTensor(node.getInput(2));
  Sizes sizes = lowering.getSizes(data), counts = lowering.getSizes(indices);
  std::optional<int64_t> tuple = constantOf(counts.back());
  if (!tuple)
    return node.emitError() << "needs index tuples of static length";
  StringRef reduction = node.getString("reduction", "none");
  if (failed(checkReduction(node, reduction)))
    return failure();
  Type element = node.getInputElement(0), indexType = node.getInputElement(1);
  for (int64_t d = 0; d < *tuple; ++d)
    s.value(s.sub(sizes[d], s.constant(1)));
  unsigned numTuples = counts.size() - 1;
  auto scatterSlice = [&](Code &c, const ForallArguments &args, ArrayRef<Value> at) {
    SmallVector<Value> target;
    for (int64_t d = 0; d < *tuple; ++d) {
      SmallVector<Value> position(at);
      position.push_back(c.index(d));
      target.push_back(toPosition(c, c.load(args.inputs[1], position), indexType, sizes[d], s));
    }
    forEach(c, args.inputs[2], at, [&](ArrayRef<Value> from) {
      SmallVector<Value> point(target);
      llvm::append_range(point, from.drop_front(numTuples));
      c.store(combine(c, reduction, element, c.load(args.outs[0], point), c.load(args.inputs[2], from)), args.outs[0],
              point);
    });
  };
  auto forEachTuple = [&](auto &&self, Code &c, const ForallArguments &args, SmallVector<Value> at) -> void {
    if (at.size() == numTuples)
      return scatterSlice(c, args, at);
    c.loop(c.index(0), c.size(args.inputs[1], at.size()), [&](Value i) {
      SmallVector<Value> next(at);
      next.push_back(i);
      self(self, c, args, next);
    });
  };
  auto body = [&](Code &c, const ForallArguments &args) {
    copyElements(c, args.inputs[0], args.outs[0], {});
    forEachTuple(forEachTuple, c, args, {});
  };
  Value result = forall(lowering, {data, indices, updates}, sizes, element, {}, body).front();
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

/// The cache with rows begin, begin + 1, ... of its axis replaced, `begin` being one number per batch entry.
static LogicalResult lowerTensorScatter(Lowering &lowering, Node &node) {
  Value cache = lowering.getTensor(node.getInput(0)), update = lowering.getTensor(node.getInput(1));
  Sizes sizes = lowering.getSizes(cache);
  int64_t rank = sizes.size(), axis = node.getAxis("axis", -2, rank);
  if (rank < 2 || axis < 1 || axis >= rank)
    return node.emitError() << "updates dimension " << axis << " of a cache of rank " << rank
                            << "; it must lie behind the batch dimension";
  StringRef mode = node.getString("mode", "linear");
  if (mode != "linear" && mode != "circular")
    return node.emitError() << "has the unknown mode '" << mode << "'";
  Sizes updateSizes = lowering.getSizes(update), expected = sizes;
  if (updateSizes.size() == sizes.size())
    expected[axis] = updateSizes[axis];
  if (failed(expectSizes(lowering, node, 1, expected)) ||
      (node.hasInput(2) && failed(expectSizes(lowering, node, 2, sizes[0]))))
    return failure();
  SmallVector<Value> inputs = {cache, update};
  if (node.hasInput(2))
    inputs.push_back(lowering.getTensor(node.getInput(2)));
  auto body = [&](Code &c, const ForallArguments &args) {
    Value out = args.outs[0], capacity = c.size(out, axis), begin = c.index(0);
    SmallVector<Value> line(args.point);
    copyElements(c, args.inputs[0], out, line);
    if (args.inputs.size() > 2)
      begin = arith::IndexCastOp::create(c.b, c.loc, c.b.getIndexType(), c.load(args.inputs[2], line.front()));
    // Downwards: of rows that would meet in a circle the first counts.
    c.loopDown(c.index(0), c.size(args.inputs[1], axis), [&](Value i) {
      Value position = c.add(begin, i);
      if (mode == "circular") {
        Value rest = arith::RemSIOp::create(c.b, c.loc, position, capacity);
        position = c.select(c.less(rest, c.index(0)), c.add(rest, capacity), rest);
      }
      // One unsigned comparison covers both ends.
      Value exists = arith::CmpIOp::create(c.b, c.loc, arith::CmpIPredicate::ult, position, capacity);
      c.when(exists, [&] {
        SmallVector<Value> row(line);
        row.push_back(i);
        forEach(c, args.inputs[1], row, [&](ArrayRef<Value> from) {
          SmallVector<Value> to(from);
          to[axis] = position;
          c.store(c.load(args.inputs[1], from), out, to);
        });
      });
    });
  };
  ArrayRef<Size> lines = ArrayRef<Size>(sizes).take_front(axis);
  Value result = forall(lowering, inputs, sizes, node.getResultElement(), lines, body).front();
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

void leaf::onnxtolinalg::registerScatter(Registry &registry) {
  registry.add("ScatterElements", lowerScatterElements);
  registry.add("ScatterND", lowerScatterND);
  registry.add("TensorScatter", lowerTensorScatter);
}
