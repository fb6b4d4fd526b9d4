//===- SmallFloats.cpp - floats of 8 and 4 bits in bodies --------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "SmallFloats.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/APFloat.h"
#include <cmath>

using namespace mlir;
using namespace leaf::onnxtolinalg;
using llvm::APFloat;
using IntCompare = arith::CmpIPredicate;
using FloatCompare = arith::CmpFPredicate;

namespace {

// Of f32.
constexpr int kMantissa = 23, kBias = 127;
constexpr int64_t kMagnitude = 0x7fffffff, kInfinity = 0x7f800000, kNaN = 0x7fc00000;

/// Arithmetic on i32 and f32.
struct Bits {
  OpBuilder &b;
  Location loc;

  Value i(int64_t value) {
    return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(static_cast<int32_t>(static_cast<uint32_t>(value))));
  }
  Value f(double value) { return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(static_cast<float>(value))); }
  Value andi(Value x, int64_t y) { return arith::AndIOp::create(b, loc, x, i(y)); }
  Value ori(Value x, Value y) { return arith::OrIOp::create(b, loc, x, y); }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }
  Value shl(Value x, int64_t n) { return arith::ShLIOp::create(b, loc, x, i(n)); }
  Value shr(Value x, int64_t n) { return arith::ShRUIOp::create(b, loc, x, i(n)); }
  Value is(IntCompare predicate, Value x, int64_t y) { return arith::CmpIOp::create(b, loc, predicate, x, i(y)); }
  Value select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, loc, condition, x, y); }
  Value toFloat(Value x) { return arith::BitcastOp::create(b, loc, b.getF32Type(), x); }
  Value toBits(Value x) { return arith::BitcastOp::create(b, loc, b.getI32Type(), x); }
};

/// What there is to know of a type with a sign, exponent and mantissa.
struct Format {
  int mantissa, exponent, bias;
  int64_t largest;  ///< bits of the largest finite number
  int64_t nan;      ///< bits of a NaN without sign; -1: there is none
  bool hasInfinity; ///< right above `largest`
  bool hasMinusZero;

  explicit Format(FloatType type) {
    const llvm::fltSemantics &semantics = type.getFloatSemantics();
    int width = static_cast<int>(type.getWidth());
    mantissa = static_cast<int>(APFloat::semanticsPrecision(semantics)) - 1;
    exponent = width - 1 - mantissa;
    bias = 1 - APFloat::semanticsMinExponent(semantics);
    largest = APFloat::getLargest(semantics).bitcastToAPInt().getZExtValue();
    hasInfinity = APFloat::semanticsHasInf(semantics);
    bool hasNaN = APFloat::semanticsHasNaN(semantics);
    nan = hasNaN ? static_cast<int64_t>(APFloat::getNaN(semantics).bitcastToAPInt().getZExtValue()) : -1;
    hasMinusZero = nan != int64_t(1) << (width - 1);
  }
  int64_t sign() const { return int64_t(1) << (mantissa + exponent); }
};

} // namespace

/// 2^(bits - 127); 255 is NaN. The smallest is no normal number of f32.
static Value decodePower(Bits s, Value bits) {
  Value normal = s.shl(bits, kMantissa);
  Value result = s.select(s.is(IntCompare::eq, bits, 0), s.i(1 << (kMantissa - 1)), normal);
  return s.toFloat(s.select(s.is(IntCompare::eq, bits, 255), s.i(kNaN), result));
}

Value leaf::onnxtolinalg::decodeSmallFloat(OpBuilder &b, Location loc, Value value, FloatType type) {
  Bits s{b, loc};
  Value bits = arith::ExtUIOp::create(b, loc, b.getI32Type(), value);
  if (isa<Float8E8M0FNUType>(type))
    return decodePower(s, bits);
  Format format(type);
  Value magnitude = s.andi(bits, format.sign() - 1), field = s.shr(magnitude, format.mantissa);
  // mantissa * 2^(exponent - bias - its bits); subnormal numbers have the exponent 1 and no leading one.
  Value subnormal = s.is(IntCompare::eq, field, 0);
  int64_t one = int64_t(1) << format.mantissa;
  Value mantissa = s.add(s.andi(bits, one - 1), s.select(subnormal, s.i(0), s.i(one)));
  Value power = s.add(s.select(subnormal, s.i(1), field), s.i(kBias - format.bias - format.mantissa));
  Value number = arith::MulFOp::create(b, loc, arith::UIToFPOp::create(b, loc, b.getF32Type(), mantissa),
                                       s.toFloat(s.shl(power, kMantissa)));
  Value sign = s.shl(s.andi(bits, format.sign()), 31 - format.mantissa - format.exponent);
  Value result = s.ori(s.toBits(number), sign);
  if (format.hasInfinity) {
    Value beyond = s.is(IntCompare::ugt, magnitude, format.largest);
    Value infinite = s.is(IntCompare::eq, magnitude, format.largest + 1);
    result = s.select(beyond, s.select(infinite, s.ori(s.i(kInfinity), sign), s.i(kNaN)), result);
  } else if (!format.hasMinusZero) {
    result = s.select(s.is(IntCompare::eq, bits, format.nan), s.i(kNaN), result);
  } else if (format.nan >= 0) {
    result = s.select(s.is(IntCompare::ugt, magnitude, format.largest), s.i(kNaN), result);
  }
  return s.toFloat(result);
}

/// The exponent, one more where `rounding` says so.
static Value encodePower(Bits s, Value bits, SmallFloatRounding rounding) {
  Value exponent = s.andi(s.shr(bits, kMantissa), 0xff), fraction = s.andi(bits, (1 << kMantissa) - 1);
  Value special = s.is(IntCompare::eq, exponent, 0xff);
  Value up;
  int64_t half = 1 << (kMantissa - 1);
  if (rounding.e8m0 == SmallFloatRounding::Up) {
    up = s.is(IntCompare::ne, fraction, 0);
  } else if (rounding.e8m0 == SmallFloatRounding::Nearest) {
    // A tie goes up, where the exponent is no zero.
    Value tie =
        arith::AndIOp::create(s.b, s.loc, s.is(IntCompare::eq, fraction, half), s.is(IntCompare::ne, exponent, 0));
    up = arith::OrIOp::create(s.b, s.loc, s.is(IntCompare::ugt, fraction, half), tie);
  }
  Value result = exponent;
  if (up)
    result = s.add(result, s.select(up, s.i(1), s.i(0)));
  if (rounding.saturate)
    result = s.select(s.is(IntCompare::ugt, result, 0xfe), s.i(0xfe), result);
  return s.select(special, s.i(0xff), result);
}

Value leaf::onnxtolinalg::encodeSmallFloat(OpBuilder &b, Location loc, Value value, FloatType type,
                                           SmallFloatRounding rounding) {
  Bits s{b, loc};
  Value bits = s.toBits(value);
  if (isa<Float8E8M0FNUType>(type))
    return arith::TruncIOp::create(b, loc, b.getI8Type(), encodePower(s, bits, rounding));
  Format format(type);
  Value magnitude = s.andi(bits, kMagnitude);
  int dropped = kMantissa - format.mantissa;
  // Half of the last place, less one where it is even, carries into it.
  Value odd = s.andi(s.shr(magnitude, dropped), 1);
  Value carried = s.add(s.add(magnitude, s.i((int64_t(1) << (dropped - 1)) - 1)), odd);
  Value normal = s.sub(s.shr(carried, dropped), s.i(int64_t(kBias - format.bias) << format.mantissa));
  // The last place of this sum is the smallest number.
  double aligner = std::ldexp(1.0, 1 - format.bias - format.mantissa + kMantissa);
  Value sum = arith::AddFOp::create(b, loc, s.toFloat(magnitude), s.f(aligner));
  Value subnormal = s.sub(s.toBits(sum), s.toBits(s.f(aligner)));
  Value isSubnormal = s.is(IntCompare::ult, magnitude, int64_t(kBias + 1 - format.bias) << kMantissa);
  Value result = s.select(isSubnormal, subnormal, normal);
  // A type without infinity and NaN has nothing but its largest number for what is too large.
  bool saturate = rounding.saturate || format.nan < 0;
  Value overflow = s.i(saturate ? format.largest : format.hasInfinity ? format.largest + 1 : format.nan);
  result = s.select(s.is(IntCompare::ugt, result, format.largest), overflow, result);
  Value isNaN = s.is(IntCompare::ugt, magnitude, kInfinity);
  Value sign = s.andi(s.shr(bits, 31 - format.mantissa - format.exponent), format.sign());
  if (format.hasMinusZero) {
    // As ml_dtypes has it: a NaN that has no code becomes zero.
    result = s.select(isNaN, s.i(std::max<int64_t>(format.nan, 0)), result);
    result = s.ori(result, sign);
  } else {
    Value signedResult = s.select(s.is(IntCompare::eq, result, 0), s.i(0), s.ori(result, sign));
    result = s.select(isNaN, s.i(format.nan), signedResult);
  }
  return arith::TruncIOp::create(b, loc, b.getI8Type(), result);
}

Value leaf::onnxtolinalg::roundToOdd(OpBuilder &b, Location loc, Value value) {
  Bits s{b, loc};
  Value rounded = arith::TruncFOp::create(b, loc, b.getF32Type(), value), bits = s.toBits(rounded);
  Value back = arith::ExtFOp::create(b, loc, b.getF64Type(), rounded);
  Value size = math::AbsFOp::create(b, loc, value), backSize = math::AbsFOp::create(b, loc, back);
  // Inexact and even: the neighbour on the other side is odd. NaN compares as neither.
  Value even = s.is(IntCompare::eq, s.andi(bits, 1), 0);
  Value above = arith::CmpFOp::create(b, loc, FloatCompare::OGT, size, backSize);
  Value below = arith::CmpFOp::create(b, loc, FloatCompare::OLT, size, backSize);
  Value step = s.select(above, s.i(1), s.select(below, s.i(-1), s.i(0)));
  return s.toFloat(s.add(bits, s.select(even, step, s.i(0))));
}
