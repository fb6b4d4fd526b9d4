//===- DataDependent.cpp - NonZero, Compress, NonMaxSuppression ------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Results whose size depends on the data are found in a buffer of the largest size, with a count beside them; the
// result proper has the size that the count says, which is at most what the operands' sizes allow.
//
//===----------------------------------------------------------------------===//

#include "Counted.h"
#include "Indexing.h"
#include "Scalars.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

Size leaf::onnxtolinalg::readCount(Lowering &lowering, Value count, Size most) {
  OpBuilder &b = lowering.b();
  SizeArithmetic &s = lowering.sizes();
  Value zero = s.value(s.constant(0));
  Value number = tensor::ExtractOp::create(b, lowering.loc(), count, zero);
  Value index = arith::IndexCastOp::create(b, lowering.loc(), b.getIndexType(), number);
  Size size = s.min(s.max(index, s.constant(0)), most);
  if (auto value = dyn_cast<Value>(size))
    s.setNonNegative(value);
  return size;
}

Value leaf::onnxtolinalg::takeFirst(Lowering &lowering, Value full, unsigned dim, Size size) {
  Sizes sizes = lowering.getSizes(full);
  sizes[dim] = size;
  Type element = cast<RankedTensorType>(full.getType()).getElementType();
  return lowering.pointwise({}, {}, sizes, element, [&](OpBuilder &b, Location loc, ValueRange) -> Value {
    SmallVector<Value> at;
    for (size_t d = 0; d < sizes.size(); ++d)
      at.push_back(linalg::IndexOp::create(b, loc, d));
    return tensor::ExtractOp::create(b, loc, full, at);
  });
}

Value leaf::onnxtolinalg::pickPositions(Lowering &lowering, Value data, Value positions, unsigned axis,
                                        ArrayRef<Size> sizes) {
  Type element = cast<RankedTensorType>(data.getType()).getElementType();
  return lowering.pointwise({}, {}, sizes, element, [&](OpBuilder &b, Location loc, ValueRange) -> Value {
    SmallVector<Value> at;
    for (size_t d = 0; d < sizes.size(); ++d)
      at.push_back(linalg::IndexOp::create(b, loc, d));
    Value picked = tensor::ExtractOp::create(b, loc, positions, at[axis]);
    at[axis] = arith::IndexCastOp::create(b, loc, b.getIndexType(), picked);
    return tensor::ExtractOp::create(b, loc, data, at);
  });
}

Value leaf::onnxtolinalg::toI64(Code &c, Value index) {
  return arith::IndexCastOp::create(c.b, c.loc, c.b.getI64Type(), index);
}

//===----------------------------------------------------------------------===//
// NonZero, Compress
//===----------------------------------------------------------------------===//

static LogicalResult lowerNonZero(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  Size total = s.product(sizes);
  Type element = node.getInputElement(0), i64 = lowering.b().getI64Type();
  SmallVector<Value> extents; // values of sizes are made outside of the body
  for (Size size : sizes)
    extents.push_back(s.value(size));
  Value flat = lowering.reshape(data, {total});
  auto body = [&](Code &c, const ForallArguments &args) {
    Scalar scalar(c.b, c.loc, element);
    Value found = c.loop(c.index(0), c.size(args.inputs[0], 0), c.index(0), [&](Value i, ValueRange n) -> Code::Values {
      Value x = convertElement(c.b, c.loc, c.load(args.inputs[0], i), element, scalar.type);
      Value hit = element.isInteger(1) ? x : scalar.compare(Scalar::ne, x, scalar.number(0));
      c.when(hit, [&] {
        Value rest = i;
        for (int64_t d = static_cast<int64_t>(extents.size()) - 1; d >= 0; --d) {
          Value position = arith::RemUIOp::create(c.b, c.loc, rest, extents[d]);
          rest = arith::DivUIOp::create(c.b, c.loc, rest, extents[d]);
          c.store(toI64(c, position), args.outs[0], {c.index(d), n[0]});
        }
      });
      return {c.select(hit, c.add(n[0], 1), n[0])};
    })[0];
    c.store(toI64(c, found), args.outs[1], c.index(0));
  };
  Sizes full = {s.constant(sizes.size()), total};
  SmallVector<Value> results = forall(lowering, flat, {full, {s.constant(1)}}, {i64, i64}, {}, body);
  Value result = takeFirst(lowering, results[0], 1, readCount(lowering, results[1], total));
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

static LogicalResult lowerCompress(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Value data = lowering.getTensor(node.getInput(0)), condition = lowering.getTensor(node.getInput(1));
  Sizes sizes = lowering.getSizes(data);
  unsigned axis = 0;
  if (node.hasAttr("axis")) {
    axis = node.getAxis("axis", 0, sizes.size());
  } else {
    sizes = {s.product(sizes)};
    data = lowering.reshape(data, sizes);
  }
  Size given = lowering.getSizes(condition)[0], most = s.min(given, sizes[axis]);
  Type i64 = lowering.b().getI64Type();
  Value limit = s.value(most);
  auto body = [&](Code &c, const ForallArguments &args) {
    Value found = c.loop(c.index(0), limit, c.index(0), [&](Value i, ValueRange n) -> Code::Values {
      Value hit = c.load(args.inputs[0], i);
      c.when(hit, [&] { c.store(toI64(c, i), args.outs[0], n[0]); });
      return {c.select(hit, c.add(n[0], 1), n[0])};
    })[0];
    c.store(toI64(c, found), args.outs[1], c.index(0));
  };
  SmallVector<Value> results = forall(lowering, condition, {{most}, {s.constant(1)}}, {i64, i64}, {}, body);
  Size count = readCount(lowering, results[1], most);
  sizes[axis] = count;
  Value result = pickPositions(lowering, data, results[0], axis, sizes);
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

//===----------------------------------------------------------------------===//
// NonMaxSuppression
//===----------------------------------------------------------------------===//

namespace {
/// The greedy selection of ONNX NonMaxSuppression-11. The boxes whose score is above the threshold are a heap, the best
/// at its root; each that leaves it is compared with those that were selected.
class BoxSelection {
public:
  struct Options {
    bool isCentered;
    float scoreThreshold, iouThreshold;
    int64_t levels; ///< at least the height of the heap
  };
  BoxSelection(Code &c, const ForallArguments &args, const Options &options)
      : c(c), s(c.b, c.loc, c.b.getF32Type()), boxes(args.inputs[0]), scores(args.inputs[1]), out(args.outs[0]),
        heap(args.outs[2]), options(options) {}

  /// Selections of all batches and classes; returns their number.
  Value run(Value perClass);

private:
  struct Box {
    Value top, left, bottom, right, area;
  };
  Box read(Value batch, Value i);
  Value overlaps(const Box &a, const Box &b);
  /// Position `at` of the heap, as an index.
  Value inHeap(Value at) { return toIndex(c.load(heap, at)); }
  Value toIndex(Value number) { return arith::IndexCastOp::create(c.b, c.loc, c.b.getIndexType(), number); }
  Value isBetter(ValueRange row, Value a, Value b);
  Value collect(ValueRange row);
  void sift(ValueRange row, Value box, Value start, Value size);
  Value isSuppressed(Value batch, Value candidate, Value begin, Value end);
  Value select(Value batch, Value label, Value perClass, Value count);

  Code &c;
  Scalar s;
  Value boxes, scores, out, heap;
  Options options;
};
} // namespace

BoxSelection::Box BoxSelection::read(Value batch, Value i) {
  Value v[4];
  for (int64_t k = 0; k < 4; ++k)
    v[k] = c.load(boxes, {batch, i, c.index(k)});
  Box box;
  if (options.isCentered) {
    Value halfWidth = s.mul(v[2], s.number(0.5)), halfHeight = s.mul(v[3], s.number(0.5));
    box = {s.sub(v[1], halfHeight), s.sub(v[0], halfWidth), s.add(v[1], halfHeight), s.add(v[0], halfWidth), {}};
  } else {
    box = {s.min(v[0], v[2]), s.min(v[1], v[3]), s.max(v[0], v[2]), s.max(v[1], v[3]), {}};
  }
  box.area = s.mul(s.sub(box.bottom, box.top), s.sub(box.right, box.left));
  return box;
}

/// Intersection over union above the threshold.
Value BoxSelection::overlaps(const Box &a, const Box &b) {
  Value zero = s.number(0);
  Value height = s.max(s.sub(s.min(a.bottom, b.bottom), s.max(a.top, b.top)), zero);
  Value width = s.max(s.sub(s.min(a.right, b.right), s.max(a.left, b.left)), zero);
  Value both = s.mul(height, width), any = s.sub(s.add(a.area, b.area), both);
  Value valid = c.both(s.compare(Scalar::gt, any, zero), s.compare(Scalar::gt, both, zero));
  return c.both(valid, s.compare(Scalar::gt, s.div(both, any), s.number(options.iouThreshold)));
}

/// Of equal scores that of the first box is better. `row`: batch entry and class.
Value BoxSelection::isBetter(ValueRange row, Value a, Value b) {
  Value x = c.load(scores, {row[0], row[1], a}), y = c.load(scores, {row[0], row[1], b});
  Value same = c.both(s.compare(Scalar::eq, x, y), c.less(a, b));
  return c.either(s.compare(Scalar::gt, x, y), same);
}

/// Puts the boxes above the threshold into the heap, which is none yet; their number.
Value BoxSelection::collect(ValueRange row) {
  Value zero = c.index(0);
  return c.loop(zero, c.size(boxes, 1), zero, [&](Value i, ValueRange carried) -> Code::Values {
    c.store(toI64(c, i), heap, carried[0]);
    Value passes = s.compare(Scalar::gt, c.load(scores, {row[0], row[1], i}), s.number(options.scoreThreshold));
    return {c.select(passes, c.add(carried[0], 1), carried[0])};
  })[0];
}

/// Puts `box` into the heap of `size` boxes whose element `start` is free: it sinks below all better ones.
void BoxSelection::sift(ValueRange row, Value box, Value start, Value size) {
  Value position = c.loop(c.index(0), c.index(options.levels), start, [&](Value, ValueRange carried) -> Code::Values {
    Value hole = carried[0], left = c.add(c.add(hole, hole), 1);
    return c.choose(
        c.less(left, size),
        [&]() -> Code::Values {
          Value next = c.add(left, 1), right = c.select(c.less(next, size), next, left);
          Value a = inHeap(left), b = inHeap(right), takeRight = isBetter(row, b, a);
          Value child = c.select(takeRight, right, left), best = c.select(takeRight, b, a);
          Value sinks = isBetter(row, best, box);
          c.when(sinks, [&] { c.store(toI64(c, best), heap, hole); });
          return {c.select(sinks, child, hole)};
        },
        [&]() -> Code::Values { return {hole}; });
  })[0];
  c.store(toI64(c, box), heap, position);
}

/// Whether a box of the rows `begin` to `end` of the result overlaps with the candidate.
Value BoxSelection::isSuppressed(Value batch, Value candidate, Value begin, Value end) {
  Box box = read(batch, candidate);
  Value no = arith::ConstantOp::create(c.b, c.loc, c.b.getBoolAttr(false));
  return c.loop(begin, end, no, [&](Value n, ValueRange carried) -> Code::Values {
    return c.choose(
        carried[0], [&]() -> Code::Values { return {carried[0]}; },
        [&]() -> Code::Values { return {overlaps(read(batch, toIndex(c.load(out, {n, c.index(2)}))), box)}; });
  })[0];
}

Value BoxSelection::select(Value batch, Value label, Value perClass, Value count) {
  Value zero = c.index(0), row[] = {batch, label}, found = collect(row);
  Value half = arith::DivUIOp::create(c.b, c.loc, found, c.index(2));
  c.loopDown(zero, half, [&](Value start) { sift(row, inHeap(start), start, found); });
  return c.loop(zero, found, count, [&](Value done, ValueRange carried) -> Code::Values {
    Value n = carried[0];
    return c.choose(
        c.less(c.sub(n, count), perClass),
        [&]() -> Code::Values {
          Value best = inHeap(zero), last = c.sub(c.sub(found, done), c.index(1));
          sift(row, inHeap(last), zero, last);
          Value suppressed = isSuppressed(batch, best, count, n);
          Value next = c.select(suppressed, n, c.add(n, 1));
          c.when(c.less(n, next), [&] {
            Value values[] = {batch, label, best};
            for (auto [k, value] : llvm::enumerate(values))
              c.store(toI64(c, value), out, {n, c.index(k)});
          });
          return {next};
        },
        [&]() -> Code::Values { return {n}; });
  })[0];
}

Value BoxSelection::run(Value perClass) {
  Value zero = c.index(0);
  return c.loop(zero, c.size(scores, 0), zero, [&](Value batch, ValueRange outer) -> Code::Values {
    return {c.loop(zero, c.size(scores, 1), outer[0], [&](Value label, ValueRange inner) -> Code::Values {
      return {select(batch, label, perClass, inner[0])};
    })[0]};
  })[0];
}

static LogicalResult lowerNonMaxSuppression(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Value boxes = lowering.getTensor(node.getInput(0)), scores = lowering.getTensor(node.getInput(1));
  Sizes boxSizes = lowering.getSizes(boxes), scoreSizes = lowering.getSizes(scores);
  Size perClass = s.constant(0);
  if (node.hasInput(2)) {
    FailureOr<ShapeValue> most = lowering.readShapeValue(node, 2);
    if (failed(most))
      return failure();
    perClass = s.max(s.min(most->elements.front(), boxSizes[1]), s.constant(0));
  }
  float thresholds[2] = {0, -std::numeric_limits<float>::infinity()}; // IoU, score
  for (unsigned i = 0; i < 2; ++i) {
    if (!node.hasInput(3 + i))
      continue;
    std::optional<Attribute> splat = lowering.getSplat(node.getInput(3 + i));
    if (!splat || !isa<FloatAttr>(*splat))
      return node.emitError() << "has a threshold that is not constant; make it one with --pin";
    thresholds[i] = cast<FloatAttr>(*splat).getValueAsDouble();
  }
  Size most = s.mul(s.mul(scoreSizes[0], scoreSizes[1]), perClass);
  Value limit = s.value(perClass);
  Type i64 = lowering.b().getI64Type();
  BoxSelection::Options options = {node.getInt("center_point_box", 0) != 0, thresholds[1], thresholds[0],
                                   int64_t(llvm::Log2_64_Ceil(constantOf(boxSizes[1]).value_or(int64_t(1) << 32) + 1))};
  SmallVector<Value> results =
      forall(lowering, {boxes, scores}, {{most, s.constant(3)}, {s.constant(1)}, {boxSizes[1]}}, {i64, i64, i64}, {},
             [&](Code &c, const ForallArguments &args) {
               BoxSelection selection(c, args, options);
               c.store(toI64(c, selection.run(limit)), args.outs[1], c.index(0));
             });
  Value result = takeFirst(lowering, results[0], 0, readCount(lowering, results[1], most));
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

void leaf::onnxtolinalg::registerDataDependent(Registry &registry) {
  registry.add("NonZero", lowerNonZero);
  registry.add("Compress", lowerCompress);
  registry.add("NonMaxSuppression", lowerNonMaxSuppression);
}
