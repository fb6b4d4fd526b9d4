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

/// One iteration per line of the data along the axis: updates of different lines never meet.
static LogicalResult lowerScatterElements(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Value data = lowering.getTensor(node.getInput(0)), indices = lowering.getTensor(node.getInput(1)),
        updates = lowering.getTensor(node.getInput(2));
  Sizes sizes = lowering.getSizes(data), counts = lowering.getSizes(indices);
  unsigned axis = node.getAxis("axis", 0, sizes.size());
  StringRef reduction = node.getString("reduction", "none");
  if (failed(checkReduction(node, reduction)))
    return failure();
  Sizes lines(sizes);
  lines.erase(lines.begin() + axis);
  Type element = node.getInputElement(0), indexType = node.getInputElement(1);
  s.value(s.sub(sizes[axis], s.constant(1)));
  Value result =
      forall(lowering, {data, indices, updates}, sizes, element, lines, [&](Code &c, const ForallArguments &args) {
        auto at = [&](Value position) {
          SmallVector<Value> point(args.point);
          point.insert(point.begin() + axis, position);
          return point;
        };
        Value out = args.outs[0];
        c.loop(c.index(0), c.size(out, axis), [&](Value i) { c.store(c.load(args.inputs[0], at(i)), out, at(i)); });
        Value inside;
        for (auto [d, i] : llvm::enumerate(args.point)) {
          unsigned dim = d < axis ? d : d + 1;
          if (s.same(sizes[dim], counts[dim]))
            continue;
          Value less = c.less(i, c.size(args.inputs[1], dim));
          inside = inside ? c.both(inside, less) : less;
        }
        auto scatter = [&] {
          c.loop(c.index(0), c.size(args.inputs[1], axis), [&](Value i) {
            Value target = toPosition(c, c.load(args.inputs[1], at(i)), indexType, sizes[axis], s);
            Value update = c.load(args.inputs[2], at(i));
            c.store(combine(c, reduction, element, c.load(out, at(target)), update), out, at(target));
          });
        };
        inside ? c.when(inside, scatter) : scatter();
      }).front();
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

/// Index tuples may repeat, so updates run one after another; the trailing dimensions, which no tuple addresses, are
/// independent.
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
  Sizes trailing(sizes.begin() + *tuple, sizes.end());
  unsigned numTuples = counts.size() - 1;
  auto body = [&](Code &c, const ForallArguments &args) {
    Value out = args.outs[0];
    auto withTrailing = [&](ArrayRef<Value> leading) {
      SmallVector<Value> point(leading);
      llvm::append_range(point, args.point);
      return point;
    };
    auto nest = [&](auto &&self, Value buffer, unsigned depth, SmallVector<Value> at,
                    function_ref<void(ArrayRef<Value>)> inner) -> void {
      if (at.size() == depth)
        return inner(at);
      c.loop(c.index(0), c.size(buffer, at.size()), [&](Value i) {
        SmallVector<Value> next(at);
        next.push_back(i);
        self(self, buffer, depth, next, inner);
      });
    };
    nest(nest, out, *tuple, {},
         [&](ArrayRef<Value> at) { c.store(c.load(args.inputs[0], withTrailing(at)), out, withTrailing(at)); });
    nest(nest, args.inputs[1], numTuples, {}, [&](ArrayRef<Value> at) {
      SmallVector<Value> target;
      for (int64_t d = 0; d < *tuple; ++d) {
        SmallVector<Value> position(at);
        position.push_back(c.index(d));
        target.push_back(toPosition(c, c.load(args.inputs[1], position), indexType, sizes[d], s));
      }
      SmallVector<Value> point = withTrailing(target);
      Value update = c.load(args.inputs[2], withTrailing(at));
      c.store(combine(c, reduction, element, c.load(out, point), update), out, point);
    });
  };
  Value result = forall(lowering, {data, indices, updates}, sizes, element, trailing, body).front();
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

/// The cache with rows begin, begin + 1, ... of its axis replaced, `begin` being one number per batch entry.
static LogicalResult lowerTensorScatter(Lowering &lowering, Node &node) {
  OpBuilder &builder = lowering.b();
  SizeArithmetic &s = lowering.sizes();
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
  BodySize rows(lowering.getSizes(update)[axis]), capacity(sizes[axis]);
  BodySize lastRow(s.sub(lowering.getSizes(update)[axis], s.constant(1)));
  SmallVector<Value> inputs = {cache};
  SmallVector<AffineMap> maps = {builder.getMultiDimIdentityMap(rank)};
  if (node.hasInput(2)) {
    inputs.push_back(lowering.getTensor(node.getInput(2)));
    maps.push_back(AffineMap::get(rank, 0, builder.getAffineDimExpr(0)));
  }
  Value result = lowering.pointwise(
      inputs, maps, sizes, node.getResultElement(), [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
        Code c(b, loc);
        SmallVector<Value> at;
        for (int64_t d = 0; d < rank; ++d)
          at.push_back(linalg::IndexOp::create(b, loc, d));
        if (args.size() > 1)
          at[axis] = c.sub(at[axis], arith::IndexCastOp::create(b, loc, b.getIndexType(), args[1]));
        if (mode == "circular") {
          Value whole = capacity.get(b, loc), rest = arith::RemSIOp::create(b, loc, at[axis], whole);
          at[axis] = c.select(c.less(rest, c.index(0)), c.add(rest, whole), rest);
        }
        // One unsigned comparison covers both ends.
        Value isNew = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, at[axis], rows.get(b, loc));
        at[axis] = clampIndex(b, loc, at[axis], lastRow);
        return c.select(isNew, tensor::ExtractOp::create(b, loc, update, at), args[0]);
      });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

void leaf::onnxtolinalg::registerScatter(Registry &registry) {
  registry.add("ScatterElements", lowerScatterElements);
  registry.add("ScatterND", lowerScatterND);
  registry.add("TensorScatter", lowerTensorScatter);
}
