//===- Unpooling.cpp - MaxPool with indices, MaxUnpool, Col2Im -----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Unpooling.h"

#include "Imperative.h"
#include "Indexing.h"
#include "Operands.h"
#include "Scalars.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

/// Loops over all points of `extents`, outermost first.
static void nest(Code &c, ArrayRef<Value> extents, function_ref<void(ArrayRef<Value>)> body,
                 SmallVector<Value> point = {}) {
  if (point.size() == extents.size())
    return body(point);
  c.loop(c.index(0), extents[point.size()], [&](Value i) {
    SmallVector<Value> next(point);
    next.push_back(i);
    nest(c, extents, body, next);
  });
}

//===----------------------------------------------------------------------===//
// MaxPool with indices
//===----------------------------------------------------------------------===//

/// Position of an element in the flattened data: row-major, or (storage_order 1) column-major in each channel.
static Value flatten(Code &c, Value data, ArrayRef<Value> point, bool isColumnMajor) {
  Value offset = c.add(c.mul(point[0], c.size(data, 1)), point[1]);
  unsigned rank = point.size() - 2;
  for (unsigned i = 0; i < rank; ++i)
    offset = c.mul(offset, c.size(data, 2 + i));
  Value within = c.index(0);
  for (unsigned i = 0; i < rank; ++i) {
    unsigned d = isColumnMajor ? rank - 1 - i : i;
    within = c.add(c.mul(within, c.size(data, 2 + d)), point[2 + d]);
  }
  return c.add(offset, within);
}

LogicalResult leaf::onnxtolinalg::lowerMaxPoolWithIndices(Lowering &lowering, Node &node, Value data,
                                                          const Window &window, ArrayRef<Size> outSizes) {
  Type element = node.getInputElement(0), indexType = node.getResultElement(1);
  bool isColumnMajor = node.getInt("storage_order", 0) != 0;
  unsigned rank = window.rank();
  for (Size pad : window.padBegin)
    if (!constantOf(pad))
      return node.emitError() << "computes indices of maxima with padding that depends on an open size; fix it with "
                                 "--dim NAME=N";
  auto body = [&](Code &c, const ForallArguments &args) {
    Scalar s(c.b, c.loc, element);
    SmallVector<Value> kernel = llvm::map_to_vector(window.kernel, [&](int64_t size) { return c.index(size); });
    Value best = args.outs[0], where = args.outs[1];
    c.store(arith::ConstantOp::create(c.b, c.loc, lowestAttr(element)), best, args.point);
    c.store(arith::ConstantIntOp::create(
                c.b, c.loc, indexType.getIntOrFloatBitWidth() == 32 ? c.b.getI32Type() : c.b.getI64Type(), 0),
            where, args.point);
    nest(c, kernel, [&](ArrayRef<Value> taps) {
      SmallVector<Value> point = {args.point[0], args.point[1]};
      Value inside;
      for (unsigned i = 0; i < rank; ++i) {
        Value start = c.mul(args.point[2 + i], c.index(window.strides[i]));
        Value at =
            c.sub(c.add(start, c.mul(taps[i], c.index(window.dilations[i]))), c.index(*constantOf(window.padBegin[i])));
        Value within = c.both(c.less(c.index(-1), at), c.less(at, c.size(args.inputs[0], 2 + i)));
        inside = inside ? c.both(inside, within) : within;
        point.push_back(at);
      }
      c.when(inside, [&] {
        Value x = c.load(args.inputs[0], point), old = c.load(best, args.point);
        auto wide = [&](Value value) { return convertElement(c.b, c.loc, value, element, s.type); };
        c.when(s.compare(Scalar::gt, wide(x), wide(old)), [&] {
          c.store(x, best, args.point);
          Value index = flatten(c, args.inputs[0], point, isColumnMajor);
          c.store(arith::IndexCastOp::create(c.b, c.loc, Lowering::signless(indexType), index), where, args.point);
        });
      });
    });
  };
  SmallVector<Value> results =
      forall(lowering, data, {Sizes(outSizes), Sizes(outSizes)}, {element, indexType}, outSizes, body);
  for (unsigned i = 0; i < 2; ++i)
    lowering.setTensor(node.getOperation()->getResult(i), results[i]);
  return success();
}

//===----------------------------------------------------------------------===//
// MaxUnpool
//===----------------------------------------------------------------------===//

/// Indices count the elements of the data that were pooled; a larger output_shape adds zeros behind them. One
/// iteration, as nothing says that indices stay in their channel.
static LogicalResult lowerMaxUnpool(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Value data = lowering.getTensor(node.getInput(0)), indices = lowering.getTensor(node.getInput(1));
  Sizes sizes = lowering.getSizes(data), pooled(sizes);
  SmallVector<int64_t> kernel = node.getInts("kernel_shape"), strides = node.getInts("strides"),
                       pads = node.getInts("pads");
  size_t rank = kernel.size();
  strides.resize(rank, 1);
  pads.resize(2 * rank, 0);
  if (sizes.size() != rank + 2)
    return node.emitError() << "has a kernel of rank " << rank << " for data of rank " << sizes.size();
  if (failed(expectSizes(lowering, node, 1, sizes)))
    return failure();
  for (size_t i = 0; i < rank; ++i) {
    Size covered = s.add(s.mul(s.sub(sizes[2 + i], s.constant(1)), s.constant(strides[i])), s.constant(kernel[i]));
    pooled[2 + i] = s.sub(covered, s.constant(pads[i] + pads[rank + i]));
  }
  Sizes outSizes(pooled);
  if (node.hasInput(2)) {
    FailureOr<ShapeValue> shape = lowering.readShapeValue(node, 2);
    if (failed(shape))
      return failure();
    outSizes = shape->elements;
    if (outSizes.size() != sizes.size())
      return node.emitError() << "has an output_shape of " << outSizes.size() << " sizes for data of rank "
                              << sizes.size();
  }
  outSizes = lowering.refine(outSizes, node);
  Type element = node.getResultElement();
  auto body = [&](Code &c, const ForallArguments &args) {
    auto sizesOf = [&](Value buffer) {
      SmallVector<Value> extents;
      for (size_t d = 0; d < sizes.size(); ++d)
        extents.push_back(c.size(buffer, d));
      return extents;
    };
    Value out = args.outs[0];
    nest(c, sizesOf(out), [&](ArrayRef<Value> point) {
      c.store(arith::ConstantOp::create(c.b, c.loc, numberAttr(element, 0)), out, point);
    });
    nest(c, sizesOf(args.inputs[0]), [&](ArrayRef<Value> point) {
      Value rest = arith::IndexCastOp::create(c.b, c.loc, c.b.getIndexType(), c.load(args.inputs[1], point));
      SmallVector<Value> target(sizes.size());
      Value inside = c.less(c.index(-1), rest);
      for (size_t d = sizes.size(); d-- > 0;) {
        Value extent = BodySize(pooled[d]).get(c.b, c.loc);
        target[d] = d ? Value(arith::RemUIOp::create(c.b, c.loc, rest, extent)) : rest;
        rest = arith::DivUIOp::create(c.b, c.loc, rest, extent);
        inside = c.both(inside, c.less(target[d], c.size(out, d)));
      }
      c.when(inside, [&] { c.store(c.load(args.inputs[0], point), out, target); });
    });
  };
  Value result = forall(lowering, {data, indices}, {outSizes}, element, {}, body).front();
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

//===----------------------------------------------------------------------===//
// Col2Im
//===----------------------------------------------------------------------===//

namespace {
/// Columns [N, C * taps, positions] of windows that lie over an image.
struct Columns {
  SmallVector<int64_t> block, strides, dilations, pads;
  Sizes image, positions;
  size_t rank() const { return block.size(); }
};
} // namespace

static FailureOr<Columns> getColumns(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  FailureOr<ShapeValue> image = lowering.readShapeValue(node, 1);
  if (failed(image))
    return failure();
  std::optional<SmallVector<int64_t>> block = lowering.getConstantInts(node.getInput(2));
  if (!block)
    return node.emitError() << "has a block_shape that is no constant; make it one with --pin INPUT=file.npy";
  Columns columns{*block, node.getInts("strides"), node.getInts("dilations"), node.getInts("pads"), image->elements,
                  {}};
  size_t rank = columns.rank();
  auto complete = [&](SmallVector<int64_t> &list, size_t count, int64_t value) {
    if (list.empty())
      list.assign(count, value);
    return list.size() == count;
  };
  if (columns.image.size() != rank || !complete(columns.strides, rank, 1) || !complete(columns.dilations, rank, 1) ||
      !complete(columns.pads, 2 * rank, 0))
    return node.emitError() << "has lists that do not fit its " << rank << " spatial dimensions";
  auto positive = [](ArrayRef<int64_t> list) { return llvm::all_of(list, [](int64_t value) { return value > 0; }); };
  if (!positive(columns.block) || !positive(columns.strides) || !positive(columns.dilations))
    return node.emitError() << "has a block, strides or dilations that are not positive";
  for (size_t i = 0; i < rank; ++i) {
    int64_t extent = columns.dilations[i] * (columns.block[i] - 1) + 1;
    Size padded = s.add(columns.image[i], s.constant(columns.pads[i] + columns.pads[rank + i] - extent));
    columns.positions.push_back(s.add(s.divFloor(padded, s.constant(columns.strides[i])), s.constant(1)));
  }
  return columns;
}

/// An element of the image is the sum of what the windows over it hold for it.
static LogicalResult lowerCol2Im(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  FailureOr<Columns> columns = getColumns(lowering, node);
  if (failed(columns))
    return failure();
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data), split, outSizes;
  size_t rank = columns->rank();
  int64_t taps = 1;
  for (int64_t size : columns->block)
    taps *= size;
  if (sizes.size() != 3 || failed(lowering.unify(node, sizes[2], s.product(columns->positions))))
    return node.emitError() << "has columns that do not fit the windows over its image";
  Size channels = s.divFloor(sizes[1], s.constant(taps));
  split = {sizes[0], channels};
  for (int64_t size : columns->block)
    split.push_back(s.constant(size));
  llvm::append_range(split, columns->positions);
  outSizes = {sizes[0], channels};
  llvm::append_range(outSizes, columns->image);
  outSizes = lowering.refine(outSizes, node);
  Type element = node.getInputElement(0);
  auto body = [&](Code &c, const ForallArguments &args) {
    Scalar scalar(c.b, c.loc, element);
    SmallVector<Value> extents = llvm::map_to_vector(columns->block, [&](int64_t size) { return c.index(size); });
    auto store = [&](Value value) {
      c.store(convertElement(c.b, c.loc, value, scalar.type, element), args.outs[0], args.point);
    };
    store(scalar.number(0));
    nest(c, extents, [&](ArrayRef<Value> tap) {
      SmallVector<Value> at = {args.point[0], args.point[1]}, positions;
      llvm::append_range(at, tap);
      Value inside;
      for (size_t i = 0; i < rank; ++i) {
        Value shifted =
            c.sub(c.add(args.point[2 + i], columns->pads[i]), c.mul(tap[i], c.index(columns->dilations[i])));
        Value stride = c.index(columns->strides[i]), position = arith::DivUIOp::create(c.b, c.loc, shifted, stride);
        Value fits = c.both(c.less(c.index(-1), shifted), c.equal(c.mul(position, stride), shifted));
        fits = c.both(fits, c.less(position, c.size(args.inputs[0], 2 + rank + i)));
        inside = inside ? c.both(inside, fits) : fits;
        positions.push_back(position);
      }
      llvm::append_range(at, positions);
      c.when(inside, [&] {
        auto wide = [&](Value value) { return convertElement(c.b, c.loc, value, element, scalar.type); };
        store(scalar.add(wide(c.load(args.outs[0], args.point)), wide(c.load(args.inputs[0], at))));
      });
    });
  };
  Value result = forall(lowering, lowering.reshape(data, split), {outSizes}, element, outSizes, body).front();
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

void leaf::onnxtolinalg::registerUnpooling(Registry &registry) {
  registry.add("MaxUnpool", lowerMaxUnpool);
  registry.add("Col2Im", lowerCol2Im);
}
