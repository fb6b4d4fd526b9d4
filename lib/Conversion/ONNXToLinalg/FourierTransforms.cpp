//===- FourierTransforms.cpp - DFT, STFT -------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "FourierTransforms.h"

#include "ContractBuilder.h"
#include "Indexing.h"
#include "Operands.h"
#include "Scalars.h"
#include "Slices.h"
#include "Windows.h"

#include <cmath>

using namespace mlir;
using namespace leaf::onnxtolinalg;
using utils::IteratorType;

/// Lengths up to this are one product.
static constexpr int64_t kDirectLength = 32;
/// The longest transform of the first step, if the length has a factor up to it.
static constexpr int64_t kOuterLength = 16;

/// A factor of a composite length for the first step; 1 for primes.
static int64_t outerFactor(int64_t length) {
  for (int64_t factor = kOuterLength; factor > 1; --factor)
    if (length % factor == 0)
      return factor;
  for (int64_t factor = kOuterLength + 1; factor * factor <= length; ++factor)
    if (length % factor == 0)
      return factor;
  return 1;
}

/// cos and sin of 2 pi * turns / length; the integers are reduced first.
static std::pair<double, double> rootOfUnity(int64_t turns, int64_t length) {
  double angle = 2 * M_PI * static_cast<double>(turns % length) / static_cast<double>(length);
  return {std::cos(angle), std::sin(angle)};
}

static Value firstArgument(OpBuilder &, Location, ValueRange args) { return args[0]; }

Value FourierTransform::weight(ArrayRef<double> values, ArrayRef<int64_t> shape, StringRef name) {
  auto type = RankedTensorType::get(shape, compute);
  if (compute.isF64())
    return lowering.loadConstant(DenseElementsAttr::get(type, values), name);
  SmallVector<float> narrow(values.begin(), values.end());
  return lowering.loadConstant(DenseElementsAttr::get(type, ArrayRef<float>(narrow)), name);
}

/// [rows, length * parts] x [length * parts, bins * 2].
Value FourierTransform::direct(Value rows, int64_t length, int64_t bins, double scale) {
  OpBuilder &b = lowering.b();
  SizeArithmetic &s = lowering.sizes();
  Sizes sizes = lowering.getSizes(rows);
  int64_t parts = *constantOf(sizes[2]);
  SmallVector<double> matrix(length * parts * bins * 2);
  for (int64_t t = 0; t < length; ++t)
    for (int64_t k = 0; k < bins; ++k) {
      auto [cosine, sine] = rootOfUnity(t * k, length);
      double real = cosine * scale, imaginary = sign * sine * scale;
      double *entry = &matrix[t * parts * bins * 2 + k * 2];
      entry[0] = real, entry[1] = imaginary;
      if (parts == 2)
        entry[bins * 2] = -imaginary, entry[bins * 2 + 1] = real;
    }
  AffineExpr m = b.getAffineDimExpr(0), n = b.getAffineDimExpr(1), k = b.getAffineDimExpr(2);
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(3, 0, exprs, b.getContext()); };
  ContractBuilder contract;
  contract.lhs = lowering.reshape(rows, {sizes[0], s.constant(length * parts)});
  contract.rhs = weight(matrix, {length * parts, bins * 2}, "dft_matrix");
  contract.lhsMap = map({m, k});
  contract.rhsMap = map({k, n});
  contract.outMap = map({m, n});
  contract.iterators = {IteratorType::parallel, IteratorType::parallel, IteratorType::reduction};
  contract.accumulator = contract.outElement = compute;
  contract.outSizes = {sizes[0], s.constant(bins * 2)};
  contract.lhsPrologue = contract.rhsPrologue = firstArgument;
  Value product = contract.build(lowering);
  return lowering.reshape(product, {sizes[0], s.constant(bins), s.constant(2)});
}

/// [count, inner, outer, 2] -> [count, outer, inner, 2], element (k, b) times exp(sign * 2 pi i b k / (outer * inner)).
Value FourierTransform::twiddle(Value rows, Size count, int64_t outer, int64_t inner) {
  OpBuilder &b = lowering.b();
  SizeArithmetic &s = lowering.sizes();
  // What real and imaginary part add to part c of the result.
  SmallVector<double> ofReal(outer * inner * 2), ofImaginary(outer * inner * 2);
  for (int64_t k = 0; k < outer; ++k)
    for (int64_t i = 0; i < inner; ++i) {
      auto [cosine, sine] = rootOfUnity(k * i, outer * inner);
      int64_t at = (k * inner + i) * 2;
      ofReal[at] = cosine, ofReal[at + 1] = sign * sine;
      ofImaginary[at] = -sign * sine, ofImaginary[at + 1] = cosine;
    }
  AffineExpr row = b.getAffineDimExpr(0), k = b.getAffineDimExpr(1), i = b.getAffineDimExpr(2),
             part = b.getAffineDimExpr(3);
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(4, 0, exprs, b.getContext()); };
  AffineMap table = map({k, i, part});
  return lowering.pointwise(
      {rows, rows, weight(ofReal, {outer, inner, 2}, "dft_twiddles"),
       weight(ofImaginary, {outer, inner, 2}, "dft_twiddles")},
      {map({row, i, k, b.getAffineConstantExpr(0)}), map({row, i, k, b.getAffineConstantExpr(1)}), table, table},
      {count, s.constant(outer), s.constant(inner), s.constant(2)}, compute,
      [&](OpBuilder &body, Location loc, ValueRange args) {
        Scalar scalar(body, loc, compute);
        return scalar.add(scalar.mul(args[0], args[2]), scalar.mul(args[1], args[3]));
      });
}

/// The tensor with its dimensions 1 and 2 swapped.
static Value swapInner(Lowering &lowering, Value x) {
  OpBuilder &b = lowering.b();
  Sizes sizes = lowering.getSizes(x);
  std::swap(sizes[1], sizes[2]);
  SmallVector<AffineExpr> exprs;
  for (unsigned d : {0u, 2u, 1u, 3u})
    exprs.push_back(b.getAffineDimExpr(d));
  return lowering.pointwise(x, AffineMap::get(4, 0, exprs, b.getContext()), sizes,
                            cast<RankedTensorType>(x.getType()).getElementType(), firstArgument);
}

Value FourierTransform::transform(Value rows, int64_t length, int64_t bins, double scale) {
  SizeArithmetic &s = lowering.sizes();
  int64_t outer = length <= kDirectLength ? 1 : outerFactor(length), inner = length / outer;
  if (outer == 1)
    return direct(rows, length, bins, scale);
  Sizes sizes = lowering.getSizes(rows);
  Size count = sizes[0], parts = sizes[2];
  // Element inner * a + b lies at [a, b]; transforms over a need it last.
  Value columns = swapInner(lowering, lowering.reshape(rows, {count, s.constant(outer), s.constant(inner), parts}));
  columns = lowering.reshape(columns, {s.mul(count, s.constant(inner)), s.constant(outer), parts});
  Value first = direct(columns, outer, outer, scale);
  first = lowering.reshape(first, {count, s.constant(inner), s.constant(outer), s.constant(2)});
  Value turned = twiddle(first, count, outer, inner);
  turned = lowering.reshape(turned, {s.mul(count, s.constant(outer)), s.constant(inner), s.constant(2)});
  // Result k1 + outer * k2 lies at [k1, k2]: where fewer are wanted, fewer k2 are.
  int64_t innerBins = (bins + outer - 1) / outer;
  Value second = transform(turned, inner, innerBins, 1);
  second = lowering.reshape(second, {count, s.constant(outer), s.constant(innerBins), s.constant(2)});
  Value ordered = swapInner(lowering, second);
  ordered = lowering.reshape(ordered, {count, s.constant(innerBins * outer), s.constant(2)});
  Sizes all = lowering.getSizes(ordered);
  return slice(lowering, ordered,
               {{s.constant(0), all[0], s.constant(1)},
                {s.constant(0), s.constant(bins), s.constant(1)},
                {s.constant(0), all[2], s.constant(1)}});
}

Value FourierTransform::transform(Value rows, int64_t length, int64_t bins) {
  return transform(rows, length, bins, isInverse ? 1.0 / static_cast<double>(length) : 1.0);
}

//===----------------------------------------------------------------------===//
// DFT
//===----------------------------------------------------------------------===//

namespace {
/// A DFT being lowered.
struct DFT {
  int64_t axis, length;
  bool isInverse, isOnesided;
  Type element, compute;
};
} // namespace

static FailureOr<DFT> getDFT(Lowering &lowering, Node &node, ArrayRef<Size> sizes) {
  int64_t rank = sizes.size();
  DFT dft{rank - 2, 0, node.getInt("inverse", 0) != 0, node.getInt("onesided", 0) != 0, node.getInputElement(0), {}};
  dft.compute = computeType(dft.element);
  if (node.hasInput(2)) {
    std::optional<SmallVector<int64_t>> axis = lowering.getConstantInts(node.getInput(2));
    if (!axis || axis->size() != 1)
      return node.emitError() << "has an axis that is no constant";
    dft.axis = axis->front() < 0 ? axis->front() + rank : axis->front();
  }
  if (rank < 2 || dft.axis < 0 || dft.axis > rank - 2)
    return node.emitError() << "transforms dimension " << dft.axis << " of data of rank " << rank;
  std::optional<int64_t> size = constantOf(sizes[dft.axis]), parts = constantOf(sizes.back());
  if (!parts || *parts < 1 || *parts > 2)
    return node.emitError() << "has data whose last dimension is neither 1 (real) nor 2 (real, imaginary)";
  if (node.hasInput(1)) {
    std::optional<SmallVector<int64_t>> length = lowering.getConstantInts(node.getInput(1));
    if (!length || length->size() != 1)
      return node.emitError() << "has a dft_length that is no constant; make it one with --pin INPUT=file.npy";
    dft.length = length->front();
  } else if (size) {
    dft.length = dft.isInverse && dft.isOnesided ? 2 * (*size - 1) : *size;
  }
  if (!size)
    return node.emitError() << "transforms a dimension of open size; fix it with --dim NAME=N";
  if (dft.length < 1)
    return node.emitError() << "has length " << dft.length << ", which must be positive";
  return dft;
}

/// Data as [rows, size, parts] of the compute type: the axis moved behind the other dimensions.
static Value toRows(Lowering &lowering, Value data, const DFT &dft) {
  OpBuilder &b = lowering.b();
  Sizes sizes = lowering.getSizes(data), outer, moved;
  unsigned rank = sizes.size();
  SmallVector<AffineExpr> exprs(rank);
  for (unsigned d = 0; d < rank; ++d)
    if (d != dft.axis && d + 1 != rank) {
      exprs[d] = b.getAffineDimExpr(outer.size());
      outer.push_back(sizes[d]);
    }
  moved = outer;
  for (unsigned d : {static_cast<unsigned>(dft.axis), rank - 1}) {
    exprs[d] = b.getAffineDimExpr(moved.size());
    moved.push_back(sizes[d]);
  }
  Value rows = data;
  if (dft.axis != rank - 2 || Lowering::signless(dft.element) != dft.compute)
    rows = lowering.pointwise(data, AffineMap::get(rank, 0, exprs, b.getContext()), moved, dft.compute,
                              [&](OpBuilder &body, Location loc, ValueRange args) {
                                return convertElement(body, loc, args[0], dft.element, dft.compute);
                              });
  return lowering.reshape(rows, {lowering.sizes().product(outer), sizes[dft.axis], sizes.back()});
}

/// The first `length` elements of each row, zeros where there are fewer.
static Value fitRows(Lowering &lowering, Value rows, int64_t length, Type compute) {
  SizeArithmetic &s = lowering.sizes();
  Sizes sizes = lowering.getSizes(rows);
  int64_t size = *constantOf(sizes[1]);
  Size zero = s.constant(0), one = s.constant(1);
  if (size > length)
    return slice(lowering, rows, {{zero, sizes[0], one}, {zero, s.constant(length), one}, {zero, sizes[2], one}});
  if (size == length)
    return rows;
  return padConstant(lowering, rows, {zero, zero, zero}, {sizes[0], s.constant(length), sizes[2]},
                     numberAttr(compute, 0));
}

/// All `length` elements of a spectrum of which the first half is given: the others are their conjugates.
static Value completeSpectrum(Lowering &lowering, Value rows, int64_t length, Type compute) {
  SizeArithmetic &s = lowering.sizes();
  int64_t half = length / 2 + 1;
  Value given = fitRows(lowering, rows, half, compute);
  Sizes sizes = lowering.getSizes(given);
  return lowering.pointwise(
      {}, {}, {sizes[0], s.constant(length), s.constant(2)}, compute,
      [&](OpBuilder &b, Location loc, ValueRange) -> Value {
        Scalar scalar(b, loc, compute);
        Value row = linalg::IndexOp::create(b, loc, 0), k = linalg::IndexOp::create(b, loc, 1),
              part = linalg::IndexOp::create(b, loc, 2);
        auto constant = [&](int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); };
        Value isGiven = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, k, constant(half));
        Value mirrored = arith::SubIOp::create(b, loc, constant(length), k);
        Value at = arith::SelectOp::create(b, loc, isGiven, k, mirrored);
        Value x = tensor::ExtractOp::create(b, loc, given, ValueRange{row, at, part});
        Value isReal = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, part, constant(0));
        Value keeps = arith::OrIOp::create(b, loc, isGiven, isReal);
        return scalar.select(keeps, x, scalar.neg(x));
      });
}

/// Rows [rows, bins, parts] back in the place of the axis, of the result's type.
static Value fromRows(Lowering &lowering, Value rows, ArrayRef<Size> dataSizes, const DFT &dft) {
  OpBuilder &b = lowering.b();
  Sizes sizes = lowering.getSizes(rows), split, result(dataSizes);
  unsigned rank = dataSizes.size();
  SmallVector<AffineExpr> exprs;
  for (unsigned d = 0; d < rank; ++d)
    if (d != dft.axis && d + 1 != rank) {
      split.push_back(dataSizes[d]);
      exprs.push_back(b.getAffineDimExpr(d));
    }
  split.append({sizes[1], sizes[2]});
  exprs.append({b.getAffineDimExpr(dft.axis), b.getAffineDimExpr(rank - 1)});
  result[dft.axis] = sizes[1];
  result[rank - 1] = sizes[2];
  Value data = lowering.reshape(rows, split);
  if (dft.axis == rank - 2 && Lowering::signless(dft.element) == dft.compute)
    return data;
  return lowering.pointwise(data, AffineMap::get(rank, 0, exprs, b.getContext()), result, dft.element,
                            [&](OpBuilder &body, Location loc, ValueRange args) {
                              return convertElement(body, loc, args[0], dft.compute, dft.element);
                            });
}

static LogicalResult lowerDFT(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  FailureOr<DFT> dft = getDFT(lowering, node, sizes);
  if (failed(dft))
    return failure();
  Value rows = toRows(lowering, data, *dft);
  bool toReal = dft->isInverse && dft->isOnesided;
  rows = toReal ? completeSpectrum(lowering, rows, dft->length, dft->compute)
                : fitRows(lowering, rows, dft->length, dft->compute);
  int64_t bins = dft->isOnesided && !dft->isInverse ? dft->length / 2 + 1 : dft->length;
  Value result = FourierTransform(lowering, dft->compute, dft->isInverse).transform(rows, dft->length, bins);
  if (toReal) {
    Size zero = s.constant(0), one = s.constant(1);
    Sizes all = lowering.getSizes(result);
    result = slice(lowering, result, {{zero, all[0], one}, {zero, all[1], one}, {zero, one, one}});
  }
  lowering.setTensor(node.getOperation()->getResult(0), fromRows(lowering, result, sizes, *dft));
  return success();
}

//===----------------------------------------------------------------------===//
// STFT
//===----------------------------------------------------------------------===//

/// Frame f of the signal begins at f * step: [batch, frames, length, parts], times the window, in the compute type.
static Value framesOf(Lowering &lowering, Node &node, Size frames, int64_t length, int64_t step) {
  OpBuilder &b = lowering.b();
  Value signal = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(signal);
  if (sizes.size() == 2) {
    sizes.push_back(lowering.sizes().constant(1));
    signal = lowering.reshape(signal, sizes);
  }
  Type element = node.getInputElement(0), compute = computeType(element);
  AffineExpr batch = b.getAffineDimExpr(0), frame = b.getAffineDimExpr(1), i = b.getAffineDimExpr(2),
             part = b.getAffineDimExpr(3);
  SmallVector<Value> inputs = {signal};
  SmallVector<AffineMap> maps = {AffineMap::get(4, 0, {batch, frame * step + i, part}, b.getContext())};
  if (node.hasInput(2)) {
    inputs.push_back(lowering.getTensor(node.getInput(2)));
    maps.push_back(AffineMap::get(4, 0, i));
  }
  return lowering.pointwise(inputs, maps, {sizes[0], frames, lowering.sizes().constant(length), sizes[2]}, compute,
                            [&](OpBuilder &body, Location loc, ValueRange args) {
                              Value x = convertElement(body, loc, args[0], element, compute);
                              if (args.size() < 2)
                                return x;
                              Value factor = convertElement(body, loc, args[1], node.getInputElement(2), compute);
                              return Scalar(body, loc, compute).mul(x, factor);
                            });
}

static LogicalResult lowerSTFT(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Sizes sizes = lowering.getSizesOf(node.getInput(0));
  auto constantInput = [&](unsigned input) -> std::optional<int64_t> {
    std::optional<SmallVector<int64_t>> values =
        node.hasInput(input) ? lowering.getConstantInts(node.getInput(input)) : std::nullopt;
    return values && values->size() == 1 ? std::optional<int64_t>(values->front()) : std::nullopt;
  };
  std::optional<int64_t> step = constantInput(1), length = constantInput(3);
  if (!length && node.hasInput(2))
    length = constantOf(lowering.getSizesOf(node.getInput(2))[0]);
  if (!length && !node.hasInput(2) && !node.hasInput(3) && sizes.size() > 1)
    length = constantOf(sizes[1]);
  if (!step || !length || *step < 1 || *length < 1)
    return node.emitError() << "needs a constant positive frame_step and frame length; make them constants with --pin "
                               "INPUT=file.npy";
  if (node.hasInput(2) && failed(expectSizes(lowering, node, 2, s.constant(*length))))
    return failure();
  bool isOnesided = node.getInt("onesided", 1) != 0;
  if (sizes.size() < 2 || sizes.size() > 3)
    return node.emitError() << "has a signal of rank " << sizes.size() << ", not [batch, length, 1 or 2]";
  if (isOnesided && sizes.size() == 3 && constantOf(sizes[2]) != 1)
    return node.emitError() << "wants one side of the spectrum of a complex signal";
  Size frames = s.add(s.divFloor(s.sub(sizes[1], s.constant(*length)), s.constant(*step)), s.constant(1));
  Value framed = framesOf(lowering, node, s.max(frames, s.constant(0)), *length, *step);
  Sizes framedSizes = lowering.getSizes(framed);
  Size rows = s.mul(framedSizes[0], framedSizes[1]);
  Type element = node.getResultElement(), compute = computeType(element);
  int64_t bins = isOnesided ? *length / 2 + 1 : *length;
  Value spectrum = FourierTransform(lowering, compute, /*isInverse=*/false)
                       .transform(lowering.reshape(framed, {rows, s.constant(*length), framedSizes[3]}), *length, bins);
  Sizes resultSizes = lowering.refine({framedSizes[0], framedSizes[1], s.constant(bins), s.constant(2)}, node);
  Value result = lowering.reshape(spectrum, resultSizes);
  if (Lowering::signless(element) != compute)
    result = lowering.pointwise(
        result, lowering.b().getMultiDimIdentityMap(4), resultSizes, element,
        [&](OpBuilder &b, Location loc, ValueRange args) { return convertElement(b, loc, args[0], compute, element); });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

void leaf::onnxtolinalg::registerFourierTransforms(Registry &registry) {
  registry.add("DFT", lowerDFT);
  registry.add("STFT", lowerSTFT);
}
