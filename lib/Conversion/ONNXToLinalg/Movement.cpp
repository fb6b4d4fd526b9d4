//===- Movement.cpp - Transpose, Expand, Tile, Concat, Slice, Split, Pad -----===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"
#include "Scalars.h"
#include "Slices.h"
#include "Windows.h"

#include "Plan/Plan.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::onnxtolinalg;

static Value identityBody(OpBuilder &, Location, ValueRange args) { return args[0]; }

static Type storedElement(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getElementType(); }

static LogicalResult lowerTranspose(Lowering &lowering, Node &node) {
  Value data = lowering.getTensor(node.getInput(0));
  auto type = cast<RankedTensorType>(data.getType());
  SmallVector<int64_t> perm = node.getInts("perm");
  if (perm.empty())
    perm = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, type.getRank())));
  Sizes source = lowering.getSizes(data), sizes;
  SmallVector<int64_t> order; // dimensions of more than one element, as they come
  for (int64_t d : perm) {
    sizes.push_back(source[d]);
    if (constantOf(source[d]) != 1)
      order.push_back(d);
  }
  Value result;
  if (type.hasStaticShape() && lowering.getWeightValue(data)) {
    SmallVector<int64_t> shape = llvm::map_to_vector(perm, [&](int64_t d) { return type.getDimSize(d); });
    result = lowering.relayoutWeight(data, type.getShape(), perm, shape);
  }
  if (!result && llvm::is_sorted(order))
    result = lowering.reshape(data, sizes);
  if (!result) {
    SmallVector<AffineExpr> exprs(perm.size());
    for (auto [loop, d] : llvm::enumerate(perm))
      exprs[d] = lowering.b().getAffineDimExpr(loop);
    AffineMap map = AffineMap::get(perm.size(), 0, exprs, lowering.b().getContext());
    result = lowering.pointwise(data, map, sizes, type.getElementType(), identityBody);
  }
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

static LogicalResult lowerExpand(Lowering &lowering, Node &node) {
  Operand data = lowering.getOperand(node.getInput(0));
  FailureOr<ShapeValue> shape = lowering.readShapeValue(node, 1);
  if (failed(shape))
    return failure();
  Sizes source = lowering.getSizes(data.tensor), wanted = shape->elements;
  // A size that data decide may be one where the operand's is not: then it is the operand's.
  SizeArithmetic &s = lowering.sizes();
  for (size_t d = wanted.size(), e = source.size(); d > 0 && e > 0; --d, --e) {
    Size own = source[e - 1], &size = wanted[d - 1];
    if (constantOf(size) || constantOf(own) == 1 || s.same(own, size))
      continue;
    Size isOne = s.compare(arith::CmpIPredicate::eq, size, s.constant(1));
    Size fits = s.select(isOne, lowering.b().getBoolAttr(true), s.compare(arith::CmpIPredicate::eq, size, own));
    plan::RequireOp::create(lowering.b(), lowering.loc(), s.value(fits),
                            lowering.b().getStringAttr("sizes must be equal, or one"));
    size = own;
  }
  FailureOr<Sizes> sizes = lowering.broadcast(node, {source, wanted});
  if (failed(sizes))
    return failure();
  Sizes out = lowering.refine(*sizes, node);
  Value result =
      lowering.pointwise(data.tensor, lowering.broadcastMap(source, out), out, node.getResultElement(),
                         [&](OpBuilder &b, Location loc, ValueRange args) { return data.load(b, loc, args[0]); });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

static LogicalResult lowerTile(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Value data = lowering.getTensor(node.getInput(0));
  FailureOr<ShapeValue> repeats = lowering.readShapeValue(node, 1);
  if (failed(repeats))
    return failure();
  Sizes source = lowering.getSizes(data), sizes;
  SmallVector<bool> wraps;
  for (auto [size, repeat] : llvm::zip(source, repeats->elements)) {
    sizes.push_back(s.mul(size, repeat));
    wraps.push_back(constantOf(repeat) != 1 && constantOf(size) != 1);
  }
  sizes = lowering.refine(sizes, node);
  Value result;
  if (!llvm::is_contained(wraps, true)) {
    result = lowering.pointwise(data, lowering.broadcastMap(source, sizes), sizes, storedElement(data), identityBody);
  } else {
    result = lowering.pointwise({}, {}, sizes, storedElement(data), [&](OpBuilder &b, Location loc, ValueRange) {
      SmallVector<Value> indices;
      for (size_t d = 0; d < sizes.size(); ++d) {
        Value index = linalg::IndexOp::create(b, loc, d);
        if (wraps[d])
          index = arith::RemUIOp::create(b, loc, index, BodySize(source[d]).get(b, loc));
        else if (constantOf(source[d]) == 1)
          index = arith::ConstantIndexOp::create(b, loc, 0);
        indices.push_back(index);
      }
      return tensor::ExtractOp::create(b, loc, data, indices).getResult();
    });
  }
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

static LogicalResult lowerConcat(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  SmallVector<Value> inputs;
  for (unsigned i = 0; i < node.getNumInputs(); ++i)
    if (node.hasInput(i))
      inputs.push_back(lowering.getTensor(node.getInput(i)));
  int64_t axis = node.getAxis("axis", 0, node.getResultType().getRank());
  Sizes sizes = lowering.getSizes(inputs.front());
  for (Value input : ArrayRef<Value>(inputs).drop_front()) {
    Sizes other = lowering.getSizes(input);
    for (size_t d = 0; d < sizes.size(); ++d) {
      if (static_cast<int64_t>(d) == axis) {
        sizes[d] = s.add(sizes[d], other[d]);
        continue;
      }
      FailureOr<Size> both = lowering.unify(node, sizes[d], other[d]);
      if (failed(both))
        return failure();
      sizes[d] = *both;
    }
  }
  // Empty parts are common in exported graphs, and a part that is alone is the result.
  Type element = storedElement(inputs.front());
  if (constantOf(sizes[axis]) != 0)
    llvm::erase_if(inputs, [&](Value input) { return constantOf(lowering.getSizes(input)[axis]) == 0; });
  Value result = inputs.size() == 1 ? inputs.front() : Value();
  if (!result) {
    Value out = lowering.empty(lowering.refine(sizes, node), element);
    result =
        ConcatOp::create(lowering.b(), lowering.loc(), out.getType(), inputs, out, lowering.b().getI64IntegerAttr(axis))
            .getResult();
    lowering.setSizes(result, lowering.getSizes(out));
  }
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

//===----------------------------------------------------------------------===//
// Slice, Split
//===----------------------------------------------------------------------===//

Value leaf::onnxtolinalg::slice(Lowering &lowering, Value data, ArrayRef<SliceDim> dims) {
  SizeArithmetic &s = lowering.sizes();
  Sizes source = lowering.getSizes(data), sizes;
  bool whole = true;
  for (auto [dim, size] : llvm::zip(dims, source)) {
    sizes.push_back(dim.size);
    whole &= constantOf(dim.start) == 0 && constantOf(dim.step) == 1 && s.same(dim.size, size);
  }
  if (whole)
    return data;
  auto element = [&](OpBuilder &b, Location loc, ValueRange) -> Value {
    SmallVector<Value> indices;
    for (auto [d, dim] : llvm::enumerate(dims)) {
      Value index = linalg::IndexOp::create(b, loc, d);
      if (constantOf(dim.step) != 1)
        index = arith::MulIOp::create(b, loc, index, BodySize(dim.step).get(b, loc));
      if (constantOf(dim.start) != 0)
        index = arith::AddIOp::create(b, loc, index, BodySize(dim.start).get(b, loc));
      indices.push_back(index);
    }
    return tensor::ExtractOp::create(b, loc, data, indices);
  };
  Value result = lowering.pointwise({}, {}, sizes, storedElement(data), element);
  SmallVector<int64_t> offsets;
  for (const SliceDim &dim : dims)
    offsets.push_back(constantOf(dim.step) == 1 ? constantOf(dim.start).value_or(-1) : -1);
  if (auto generic = result.getDefiningOp<linalg::GenericOp>();
      generic && llvm::all_of(offsets, [](int64_t offset) { return offset >= 0; }))
    generic->setAttr(attrs::kSlice, lowering.b().getDenseI64ArrayAttr(offsets));
  return result;
}

SliceDim leaf::onnxtolinalg::sliceDim(SizeArithmetic &s, Size start, Size end, int64_t step, Size size) {
  Size zero = s.constant(0), last = s.sub(size, s.constant(1));
  auto fromEnd = [&](Size position) {
    if (std::optional<int64_t> c = constantOf(position))
      return *c < 0 ? s.add(position, size) : position;
    if (s.isNonNegative(position))
      return position;
    return s.select(s.compare(arith::CmpIPredicate::slt, position, zero), s.add(position, size), position);
  };
  // INT64_MIN and its like as an end mean "before the first element".
  bool beforeFirst = constantOf(end) && *constantOf(end) <= -std::numeric_limits<int32_t>::max();
  start = fromEnd(start);
  end = beforeFirst ? s.constant(-1) : fromEnd(end);
  if (step > 0) {
    start = s.max(s.min(start, size), zero);
    end = s.max(s.min(end, size), zero);
    Size count = s.divCeil(s.max(s.sub(end, start), zero), s.constant(step));
    return {start, count, s.constant(step)};
  }
  start = s.max(s.min(start, last), zero);
  end = s.max(s.min(end, last), s.constant(-1));
  Size count = s.divCeil(s.max(s.sub(start, end), zero), s.constant(-step));
  return {start, count, s.constant(step)};
}

static LogicalResult lowerSlice(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Value data = lowering.getTensor(node.getInput(0));
  Sizes source = lowering.getSizes(data);
  FailureOr<ShapeValue> starts = lowering.readShapeValue(node, 1), ends = lowering.readShapeValue(node, 2);
  if (failed(starts) || failed(ends))
    return failure();
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, starts->elements.size()));
  SmallVector<int64_t> steps(axes.size(), 1);
  for (auto [input, values] : {std::pair(3u, &axes), std::pair(4u, &steps)}) {
    if (!node.hasInput(input))
      continue;
    std::optional<SmallVector<int64_t>> constant = lowering.getConstantInts(node.getInput(input));
    if (!constant || constant->size() != starts->elements.size())
      return node.emitError() << "has axes or steps that are not constant";
    *values = *constant;
  }
  SmallVector<SliceDim> dims;
  for (Size size : source)
    dims.push_back({s.constant(0), size, s.constant(1)});
  for (auto [i, axis] : llvm::enumerate(axes)) {
    size_t d = axis < 0 ? axis + source.size() : axis;
    dims[d] = sliceDim(s, starts->elements[i], ends->elements[i], steps[i], source[d]);
  }
  Sizes sizes = lowering.refine(llvm::map_to_vector(dims, [](const SliceDim &dim) { return dim.size; }), node);
  for (auto [dim, size] : llvm::zip(dims, sizes))
    dim.size = size;
  lowering.setTensor(node.getOperation()->getResult(0), slice(lowering, data, dims));
  return success();
}

static LogicalResult lowerSplit(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Value data = lowering.getTensor(node.getInput(0));
  Sizes source = lowering.getSizes(data), parts;
  int64_t axis = node.getAxis("axis", 0, source.size());
  unsigned count = node.getOperation()->getNumResults();
  if (node.hasInput(1)) {
    FailureOr<ShapeValue> split = lowering.readShapeValue(node, 1);
    if (failed(split))
      return failure();
    parts = split->elements;
  } else {
    // Equal parts, the last one smaller where it does not divide.
    Size part = s.divCeil(source[axis], s.constant(count));
    parts.assign(count - 1, part);
    parts.push_back(s.sub(source[axis], s.mul(part, s.constant(count - 1))));
  }
  Size start = s.constant(0);
  for (unsigned i = 0; i < count; ++i) {
    SmallVector<SliceDim> dims;
    for (Size size : source)
      dims.push_back({s.constant(0), size, s.constant(1)});
    dims[axis] = {start, parts[i], s.constant(1)};
    start = s.add(start, parts[i]);
    if (node.hasResult(i) && !node.getOperation()->getResult(i).use_empty())
      lowering.setTensor(node.getOperation()->getResult(i), slice(lowering, data, dims));
  }
  return success();
}

void leaf::onnxtolinalg::registerMovement(Registry &registry) {
  registry.add("Transpose", lowerTranspose);
  registry.add("Expand", lowerExpand);
  registry.add("Tile", lowerTile);
  registry.add("Concat", lowerConcat);
  registry.add("Slice", lowerSlice);
  registry.add("Split", lowerSplit);
}
