//===- DoubleMath.cpp - math functions of f64 -----------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Cody and Waite, Software Manual for the Elementary Functions (1980): reduction by a multiple of log 2 in two parts,
// then a Taylor polynomial of exp on [-log(2)/2, log(2)/2], and the series of 2 atanh(s) for log.
//
//===----------------------------------------------------------------------===//

#include "DoubleMath.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace leaf::codegen;
using arith::CmpFPredicate;

static constexpr double kLog2High = 0x1.62e42fefa38p-1, kLog2Low = 0x1.ef35793c7673p-45;
static constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// (exp(r) - 1) / r for |r| <= 0.35.
static Value emitExpTail(FloatBuilder &f, Value r) {
  SmallVector<double> coefficients;
  double factorial = 1;
  for (int k = 1; k <= 14; ++k)
    coefficients.insert(coefficients.begin(), 1 / (factorial *= k));
  return f.polynomial(r, coefficients);
}

/// 2^n for an integer n, as a value of type f64, -1022 <= n <= 1023.
static Value emitPowerOfTwo(FloatBuilder &f, Value n) { return f.fromBits(f.shl(f.addi(n, f.i(1023)), 52)); }

static Value expandExp(FloatBuilder &f, Value x) {
  // Beyond these the result is zero or infinity; the bounds keep n in range.
  Value safe = f.atMost(f.atLeast(x, f.f(-746)), f.f(710));
  Value scaled = f.mul(safe, f.f(1.4426950408889634));
  Value half = math::CopySignOp::create(f.b, f.loc, f.f(0.5), scaled);
  Value n = f.toInt(f.add(scaled, half)), count = f.toFloat(n);
  Value r = f.sub(f.sub(safe, f.mul(count, f.f(kLog2High))), f.mul(count, f.f(kLog2Low)));
  Value p = f.add(f.f(1), f.mul(r, emitExpTail(f, r)));
  // In two steps, so that neither power leaves the range of normal numbers.
  Value first = f.shr(n, 1), second = f.subi(n, first);
  Value result = f.mul(f.mul(p, emitPowerOfTwo(f, first)), emitPowerOfTwo(f, second));
  result = f.select(f.compare(CmpFPredicate::OGT, x, f.f(709.782712893384)), f.f(kInfinity), result);
  return f.select(f.isNaN(x), x, result);
}

static Value expandExpM1(FloatBuilder &f, Value x) {
  Value small = f.compare(CmpFPredicate::OLT, f.abs(x), f.f(0.35));
  Value inside = f.select(small, x, f.f(0));
  return f.select(small, f.mul(inside, emitExpTail(f, inside)), f.sub(expandExp(f, x), f.f(1)));
}

static Value expandLog(FloatBuilder &f, Value x) {
  Value tiny = f.compare(CmpFPredicate::OLT, x, f.f(std::numeric_limits<double>::min()));
  Value normal = f.select(tiny, f.mul(x, f.f(0x1p54)), x);
  Value bits = f.toBits(normal);
  Value exponent = f.subi(f.ushr(bits, 52), f.i(1023));
  Value mantissa = f.fromBits(f.ori(f.andi(bits, f.i(0x000fffffffffffff)), f.i(0x3ff0000000000000)));
  Value large = f.compare(CmpFPredicate::OGT, mantissa, f.f(1.4142135623730951));
  mantissa = f.select(large, f.mul(mantissa, f.f(0.5)), mantissa);
  exponent = f.select(large, f.addi(exponent, f.i(1)), exponent);
  exponent = f.select(tiny, f.subi(exponent, f.i(54)), exponent);
  Value s = f.div(f.sub(mantissa, f.f(1)), f.add(mantissa, f.f(1))), z = f.mul(s, s);
  SmallVector<double> coefficients;
  for (int k = 11; k >= 0; --k)
    coefficients.push_back(2.0 / (2 * k + 1));
  Value count = f.toFloat(exponent);
  Value low = f.add(f.mul(s, f.polynomial(z, coefficients)), f.mul(count, f.f(kLog2Low)));
  Value result = f.add(f.mul(count, f.f(kLog2High)), low);
  result = f.select(f.compare(CmpFPredicate::OEQ, x, f.f(0)), f.f(-kInfinity), result);
  result = f.select(f.compare(CmpFPredicate::OEQ, x, f.f(kInfinity)), x, result);
  return f.select(f.compare(CmpFPredicate::ULT, x, f.f(0)), f.f(std::numeric_limits<double>::quiet_NaN()), result);
}

/// log(u) * x / (u - 1) with u = 1 + x makes up for what the sum loses (Goldberg 1991, theorem 4).
static Value expandLog1p(FloatBuilder &f, Value x) {
  Value u = f.add(f.f(1), x), difference = f.sub(u, f.f(1));
  Value zero = f.compare(CmpFPredicate::OEQ, difference, f.f(0));
  Value corrected = f.mul(expandLog(f, u), f.div(x, f.select(zero, f.f(1), difference)));
  Value infinite = f.compare(CmpFPredicate::OEQ, x, f.f(kInfinity));
  return f.select(zero, x, f.select(infinite, x, corrected));
}

static Value expandTanh(FloatBuilder &f, Value x) {
  // Above this tanh is one; the bound keeps exp from overflowing.
  Value magnitude = f.atMost(f.abs(x), f.f(20));
  Value e = expandExpM1(f, f.mul(f.f(2), magnitude));
  Value result = math::CopySignOp::create(f.b, f.loc, f.div(e, f.add(e, f.f(2))), x);
  return f.select(f.isNaN(x), x, result);
}

Value leaf::codegen::expandDouble(FloatBuilder &f, Operation *op) {
  if (op->getNumOperands() != 1)
    return {};
  Value x = op->getOperand(0);
  if (isa<math::ExpOp>(op))
    return expandExp(f, x);
  if (isa<math::ExpM1Op>(op))
    return expandExpM1(f, x);
  if (isa<math::LogOp>(op))
    return expandLog(f, x);
  if (isa<math::Log1pOp>(op))
    return expandLog1p(f, x);
  if (isa<math::Log2Op>(op))
    return f.mul(expandLog(f, x), f.f(1.4426950408889634));
  if (isa<math::Log10Op>(op))
    return f.mul(expandLog(f, x), f.f(0.4342944819032518));
  if (isa<math::TanhOp>(op))
    return expandTanh(f, x);
  if (isa<math::RsqrtOp>(op))
    return f.div(f.f(1), math::SqrtOp::create(f.b, f.loc, x));
  return {};
}
