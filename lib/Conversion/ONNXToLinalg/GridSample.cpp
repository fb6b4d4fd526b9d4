//===- GridSample.cpp - GridSample ----------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"
#include "Lowering.h"
#include "Scalars.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

namespace {
/// One result element: positions and coefficients per spatial axis, as GridSample-22 defines them.
class GridBody {
public:
  GridBody(OpBuilder &b, Location loc, Node &node, Lowering &lowering, Value data, Type element)
      : b(b), loc(loc), s(b, loc, b.getF32Type()), data(data), element(element), sizes(lowering.getSizes(data)),
        mode(node.getString("mode", "linear")), padding(node.getString("padding_mode", "zeros")),
        align(node.getInt("align_corners", 0) != 0) {}

  Value emit(Value batch, Value channel, ArrayRef<Value> coordinates);

private:
  struct Tap {
    Value index, weight, inside; ///< `inside` is null where every position counts
  };
  Value length(unsigned axis) {
    Value integer = arith::IndexCastOp::create(b, loc, b.getI32Type(), BodySize(sizes[2 + axis]).get(b, loc));
    return arith::SIToFPOp::create(b, loc, b.getF32Type(), integer);
  }
  Value floor(Value x) { return math::FloorOp::create(b, loc, x); }
  std::pair<Value, Value> borders(unsigned axis) {
    Value zero = s.number(align ? 0 : -0.5);
    return {zero, s.sub(length(axis), s.number(align ? 1 : 0.5))};
  }
  Value reflect(Value x, unsigned axis);
  Tap makeTap(Value position, Value weight, unsigned axis);
  SmallVector<Tap> tapsOf(Value coordinate, unsigned axis);
  Value cubic(Value distance);

  OpBuilder &b;
  Location loc;
  Scalar s;
  Value data;
  Type element;
  Sizes sizes;
  StringRef mode, padding;
  bool align;
};
} // namespace

/// Mirrors a position at both borders until it lies between them.
Value GridBody::reflect(Value x, unsigned axis) {
  auto [low, high] = borders(axis);
  Value range = s.sub(high, low);
  Value distance = s.abs(s.sub(x, low));
  Value period = s.mul(range, s.number(2));
  Value rest = s.sub(distance, s.mul(floor(s.div(distance, period)), period));
  Value mirrored = s.select(s.compare(Scalar::gt, rest, range), s.sub(period, rest), rest);
  // A picture of one pixel has no range.
  return s.select(s.compare(Scalar::gt, range, s.number(0)), s.add(low, mirrored), s.number(0));
}

Value GridBody::cubic(Value distance) {
  constexpr double a = -0.75;
  Value x = s.abs(distance);
  auto polynomial = [&](ArrayRef<double> coefficients) {
    Value sum = s.number(coefficients[0]);
    for (double c : coefficients.drop_front())
      sum = s.add(s.mul(sum, x), s.number(c));
    return sum;
  };
  Value inner = polynomial({a + 2, -(a + 3), 0, 1}), outer = polynomial({a, -5 * a, 8 * a, -4 * a});
  return s.select(s.compare(Scalar::le, x, s.number(1)), inner, outer);
}

GridBody::Tap GridBody::makeTap(Value position, Value weight, unsigned axis) {
  Value last = s.sub(length(axis), s.number(1)), zero = s.number(0);
  Tap tap{{}, weight, {}};
  if (padding == "reflection")
    position = reflect(position, axis);
  else if (padding == "zeros")
    tap.inside =
        arith::AndIOp::create(b, loc, s.compare(Scalar::ge, position, zero), s.compare(Scalar::le, position, last));
  Value clamped = s.max(s.min(position, last), zero);
  Value integer = arith::FPToSIOp::create(b, loc, b.getI32Type(), clamped);
  tap.index = arith::IndexCastOp::create(b, loc, b.getIndexType(), integer);
  return tap;
}

SmallVector<GridBody::Tap> GridBody::tapsOf(Value coordinate, unsigned axis) {
  Value one = s.number(1), half = s.number(0.5);
  Value x = align ? s.mul(s.mul(s.add(coordinate, one), half), s.sub(length(axis), one))
                  : s.mul(s.sub(s.mul(s.add(coordinate, one), length(axis)), one), half);
  if (mode == "nearest")
    x = math::RoundEvenOp::create(b, loc, x);
  auto [low, high] = borders(axis);
  if (padding == "border") {
    Value outside = arith::OrIOp::create(b, loc, s.compare(Scalar::lt, x, low), s.compare(Scalar::gt, x, high));
    Value clamped = s.max(s.min(x, s.sub(length(axis), one)), s.number(0));
    x = s.select(outside, clamped, x);
  } else if (padding == "reflection") {
    x = reflect(x, axis);
  }
  if (mode == "nearest")
    return {makeTap(x, one, axis)};
  Value base = floor(x), ratio = s.sub(x, base);
  bool isCubic = mode == "cubic";
  SmallVector<Tap> taps;
  for (int k = isCubic ? -1 : 0; k <= (isCubic ? 2 : 1); ++k) {
    Value distance = s.sub(ratio, s.number(k));
    Value weight = isCubic ? cubic(distance) : s.sub(one, s.abs(distance));
    taps.push_back(makeTap(s.add(base, s.number(k)), weight, axis));
  }
  return taps;
}

Value GridBody::emit(Value batch, Value channel, ArrayRef<Value> coordinates) {
  SmallVector<SmallVector<Tap>> taps;
  for (auto [axis, coordinate] : llvm::enumerate(coordinates))
    taps.push_back(tapsOf(coordinate, axis));
  Value sum;
  auto visit = [&](auto &&self, SmallVector<Value> at, Value weight, Value inside) -> void {
    unsigned axis = at.size() - 2;
    if (axis < taps.size()) {
      for (const Tap &tap : taps[axis]) {
        SmallVector<Value> next(at);
        next.push_back(tap.index);
        Value both = inside && tap.inside ? arith::AndIOp::create(b, loc, inside, tap.inside).getResult()
                     : inside             ? inside
                                          : tap.inside;
        self(self, next, weight ? s.mul(weight, tap.weight) : tap.weight, both);
      }
      return;
    }
    Value x = convertElement(b, loc, tensor::ExtractOp::create(b, loc, data, at), element, s.type);
    if (inside)
      x = s.select(inside, x, s.number(0));
    Value term = mode == "nearest" ? x : s.mul(weight, x);
    sum = sum ? s.add(sum, term) : term;
  };
  visit(visit, {batch, channel}, Value(), Value());
  return sum;
}

static LogicalResult lowerGridSample(Lowering &lowering, Node &node) {
  Value data = lowering.getTensor(node.getInput(0)), grid = lowering.getTensor(node.getInput(1));
  Sizes dataSizes = lowering.getSizes(data), gridSizes = lowering.getSizes(grid);
  unsigned rank = dataSizes.size() - 2;
  if (gridSizes.size() != dataSizes.size() || constantOf(gridSizes.back()) != static_cast<int64_t>(rank))
    return node.emitError() << "has a grid that does not fit data of rank " << dataSizes.size();
  Sizes sizes = {dataSizes[0], dataSizes[1]};
  sizes.append(gridSizes.begin() + 1, gridSizes.end() - 1);
  sizes = lowering.refine(sizes, node);
  Type element = node.getInputElement(0), gridElement = node.getInputElement(1);
  Value result = lowering.pointwise({}, {}, sizes, element, [&](OpBuilder &b, Location loc, ValueRange) -> Value {
    SmallVector<Value> point;
    for (size_t d = 0; d < sizes.size(); ++d)
      point.push_back(linalg::IndexOp::create(b, loc, d));
    SmallVector<Value> coordinates;
    for (unsigned axis = 0; axis < rank; ++axis) {
      SmallVector<Value> at = {point[0]};
      at.append(point.begin() + 2, point.end());
      at.push_back(arith::ConstantIndexOp::create(b, loc, rank - 1 - axis)); // the grid names the last axis first
      Value value = tensor::ExtractOp::create(b, loc, grid, at);
      coordinates.push_back(convertElement(b, loc, value, gridElement, b.getF32Type()));
    }
    Value value = GridBody(b, loc, node, lowering, data, element).emit(point[0], point[1], coordinates);
    return convertElement(b, loc, value, b.getF32Type(), element);
  });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

void leaf::onnxtolinalg::registerGridSample(Registry &registry) { registry.add("GridSample", lowerGridSample); }
