//===- ExpandMath.cpp - math functions as arithmetic --------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "DoubleMath.h"
#include "FloatBuilder.h"
#include "leafcutter/Codegen/Passes.h"

#include "Leaf/Saturation.h"

#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include <cmath>

namespace leaf {

#define GEN_PASS_DEF_EXPANDMATH
#include "leafcutter/Codegen/Passes.h.inc"

using namespace mlir;
using namespace leaf::codegen;
using arith::CmpFPredicate;

namespace {

//===----------------------------------------------------------------------===//
// Exponential function, error function
//===----------------------------------------------------------------------===//

/// x = n ln 2 + r with |r| <= ln 2 / 2; error below 1.2 ulp. Results that are not normal numbers become zero.
Value expandExp(FloatBuilder &f, Value x) {
  x = f.atMost(x, f.f(89.0));
  // Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits.
  Value shifted = f.fma(x, f.f(1.44269504088896341), f.f(12582912.0));
  Value rounded = f.sub(shifted, f.f(12582912.0));
  Value r = f.fma(rounded, f.f(-0.693359375), x);
  r = f.fma(rounded, f.f(2.12194440e-4), r);
  Value p = f.polynomial(r, {1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5});
  p = f.add(f.fma(f.mul(r, r), p, r), f.f(1.0));
  // 2^(n-1): only n is left of the low bits, and doubling afterwards overflows to infinity as it should.
  Value half = f.mul(p, f.fromBits(f.addi(f.shl(f.toBits(shifted), 23), f.i(126 << 23))));
  return f.select(f.compare(CmpFPredicate::OLT, x, f.f(-86.6)), f.f(0.0), f.add(half, half));
}

/// Rational approximation of x * P(x^2) / Q(x^2) on [-4, 4].
Value expandErf(FloatBuilder &f, Value x) {
  x = f.atMost(f.atLeast(x, f.f(-4.0)), f.f(4.0));
  Value t = f.mul(x, x);
  Value p = f.polynomial(t, {-2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05,
                             -7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02});
  Value q = f.polynomial(t, {-1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03,
                             -1.42647390514189e-02});
  return f.div(f.mul(x, p), q);
}

//===----------------------------------------------------------------------===//
// Minimum, maximum
//===----------------------------------------------------------------------===//

bool isNumber(Value value) {
  FloatAttr attr;
  DenseFPElementsAttr dense;
  if (matchPattern(value, m_Constant(&attr)))
    return !attr.getValue().isNaN();
  return matchPattern(value, m_Constant(&dense)) && dense.isSplat() && !dense.getSplatValue<APFloat>().isNaN();
}

/// The extreme of x and y. `keepsNaN`: NaN where either is; otherwise the other one. With nnan among the flags of `op`
/// either may be given where one is NaN: one instruction on x86.
template <typename Op> Value expandExtreme(FloatBuilder &f, Op op, CmpFPredicate better, bool keepsNaN) {
  Value x = op.getLhs(), y = op.getRhs();
  if (isNumber(x))
    std::swap(x, y);
  // y where it is better, else x: also where one of them is NaN.
  Value result = f.select(f.compare(better, y, x), y, x);
  if (bitEnumContainsAll(op.getFastmath(), arith::FastMathFlags::nnan))
    return result;
  if (keepsNaN)
    return isNumber(y) ? result : f.select(f.isNaN(y), y, result);
  return f.select(f.isNaN(x), y, result);
}

//===----------------------------------------------------------------------===//
// Rounding, square root
//===----------------------------------------------------------------------===//

/// Applies `rounded`, which works on magnitudes below 2^23 (2^52 for f64), where x has a fraction at all.
Value expandRounding(FloatBuilder &f, Value x, function_ref<Value(Value)> rounded) {
  Value small = f.compare(CmpFPredicate::OLT, f.abs(x), f.f(f.width() == 64 ? 0x1p52 : 0x1p23));
  Value safe = f.select(small, x, f.f(0.0));
  Value result = math::CopySignOp::create(f.b, f.loc, rounded(safe), x);
  return f.select(small, result, x);
}

Value expandTrunc(FloatBuilder &f, Value x) {
  return expandRounding(f, x, [&](Value v) { return f.toFloat(f.toInt(v)); });
}

Value expandFloor(FloatBuilder &f, Value x) {
  return expandRounding(f, x, [&](Value v) {
    Value t = f.toFloat(f.toInt(v));
    return f.select(f.compare(CmpFPredicate::OGT, t, v), f.sub(t, f.f(1.0)), t);
  });
}

Value expandCeil(FloatBuilder &f, Value x) {
  return expandRounding(f, x, [&](Value v) {
    Value t = f.toFloat(f.toInt(v));
    return f.select(f.compare(CmpFPredicate::OLT, t, v), f.add(t, f.f(1.0)), t);
  });
}

Value expandRoundEven(FloatBuilder &f, Value x) {
  return expandRounding(f, x, [&](Value v) {
    Value t = f.toFloat(f.toInt(v)), rest = f.abs(f.sub(v, t));
    Value step = math::CopySignOp::create(f.b, f.loc, f.f(1.0), v);
    Value odd = f.comparei(arith::CmpIPredicate::ne, f.andi(f.toInt(v), f.i(1)), f.i(0));
    Value above = f.compare(CmpFPredicate::OGT, rest, f.f(0.5)), half = f.compare(CmpFPredicate::OEQ, rest, f.f(0.5));
    Value up = arith::OrIOp::create(f.b, f.loc, above, arith::AndIOp::create(f.b, f.loc, half, odd));
    return f.select(up, f.add(t, step), t);
  });
}

/// Newton's iteration for 1/sqrt(x) from the classic estimate, then one correction of the root itself.
Value expandSqrt(FloatBuilder &f, Value x) {
  Value y = f.fromBits(f.subi(f.i(0x5f3759df), f.ushr(f.toBits(x), 1)));
  Value half = f.mul(x, f.f(0.5));
  for (int step = 0; step < 3; ++step)
    y = f.mul(y, f.sub(f.f(1.5), f.mul(half, f.mul(y, y))));
  Value root = f.mul(x, y);
  root = f.add(root, f.mul(f.mul(f.f(0.5), y), f.sub(x, f.mul(root, root))));
  // Zero and infinity are their own roots; negative numbers have none.
  double infinity = std::numeric_limits<double>::infinity();
  Value special = arith::OrIOp::create(f.b, f.loc, f.compare(CmpFPredicate::OEQ, x, f.f(0.0)),
                                       f.compare(CmpFPredicate::UEQ, x, f.f(infinity)));
  Value negative = f.compare(CmpFPredicate::OLT, x, f.f(0.0));
  Value result = f.select(special, x, root);
  return f.select(negative, f.f(std::numeric_limits<double>::quiet_NaN()), result);
}

//===----------------------------------------------------------------------===//
// Half precision by integer arithmetic
//===----------------------------------------------------------------------===//

Value expandExtHalf(FloatBuilder &f, Value x) {
  Value bits16 = arith::BitcastOp::create(f.b, f.loc, f.intType(16), x);
  Value bits = arith::ExtUIOp::create(f.b, f.loc, f.intType(), bits16);
  Value magnitude = f.andi(bits, f.i(0x7fff));
  Value sign = f.shl(f.andi(bits, f.i(0x8000)), 16);
  // Scaling by 2^112 moves the exponent and normalizes subnormal numbers.
  Value scaled = f.mul(f.fromBits(f.shl(magnitude, 13)), f.f(0x1p112));
  Value special = f.comparei(arith::CmpIPredicate::uge, magnitude, f.i(0x7c00));
  Value wide = f.ori(f.shl(magnitude, 13), f.i(0x7f800000));
  return f.fromBits(f.ori(f.select(special, wide, f.toBits(scaled)), sign));
}

/// Rounds to nearest, ties to even.
Value expandTruncHalf(FloatBuilder &f, Value x) {
  Value bits = f.toBits(x), sign = f.andi(f.ushr(bits, 16), f.i(0x8000));
  Value magnitude = f.andi(bits, f.i(0x7fffffff));
  Value odd = f.andi(f.ushr(magnitude, 13), f.i(1));
  Value normal = f.ushr(f.addi(f.addi(f.subi(magnitude, f.i(112 << 23)), f.i(0xfff)), odd), 13);
  // Adding 0.5 aligns the last bit of a subnormal result with that of the sum.
  Value aligned = f.subi(f.toBits(f.add(f.fromBits(magnitude), f.f(0.5))), f.i(0x3f000000));
  Value result = f.select(f.comparei(arith::CmpIPredicate::ult, magnitude, f.i(113 << 23)), aligned, normal);
  result = f.select(f.comparei(arith::CmpIPredicate::uge, magnitude, f.i(0x477ff000)), f.i(0x7c00), result);
  result = f.select(f.comparei(arith::CmpIPredicate::ugt, magnitude, f.i(0x7f800000)), f.i(0x7e00), result);
  Value half = arith::TruncIOp::create(f.b, f.loc, f.intType(16), f.ori(result, sign));
  return arith::BitcastOp::create(f.b, f.loc, f.like(f.b.getF16Type()), half);
}

/// Instructions for bfloat16 take numbers below 2^-126 as zero.
Value expandTruncBF16(FloatBuilder &f, Value x) {
  Value bits = f.toBits(x), odd = f.andi(f.ushr(bits, 16), f.i(1));
  Value rounded = f.addi(f.addi(bits, f.i(0x7fff)), odd);
  // Rounding could carry a NaN into infinity.
  Value result = f.select(f.isNaN(x), f.ori(bits, f.i(0x400000)), rounded);
  Value half = arith::TruncIOp::create(f.b, f.loc, f.intType(16), f.ushr(result, 16));
  return arith::BitcastOp::create(f.b, f.loc, f.like(f.b.getBF16Type()), half);
}

//===----------------------------------------------------------------------===//
// Quotients
//===----------------------------------------------------------------------===//

/// x / divisor, correctly rounded, for a constant divisor and a quotient that saturates: a division takes as long as
/// some twenty multiplications. A quotient within one unit in the last place and the exact remainder by a fused
/// multiply-add give the correctly rounded quotient, where the reciprocal is correctly rounded (P. Markstein, IA-64 and
/// Elementary Functions, 2000, theorem 8.2). The first correction brings it within that unit, the second is the
/// theorem's. Null for divisors whose products could leave the range of normal numbers.
Value expandSaturatedQuotient(FloatBuilder &f, Value x, const APFloat &divisor) {
  double number = std::fabs(divisor.convertToDouble());
  if (!(number >= 0x1p-80 && number <= 0x1p80))
    return {};
  Value reciprocal = f.f(static_cast<float>(1 / divisor.convertToDouble()));
  // An infinity would have no remainder.
  double limit = number * saturatedQuotient;
  x = f.atMost(f.atLeast(x, f.f(-limit)), f.f(limit));
  Value negated = f.f(-divisor.convertToDouble()), quotient = f.mul(x, reciprocal);
  for (int correction = 0; correction < 2; ++correction)
    quotient = f.fma(f.fma(quotient, negated, x), reciprocal, quotient);
  return quotient;
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

struct ExpandMath : impl::ExpandMathBase<ExpandMath> {
  using ExpandMathBase::ExpandMathBase;

  void runOnOperation() override {
    if (failed(applyUpstream()))
      return signalPassFailure();
    // An expansion may use ops that are expanded themselves.
    constexpr int mostRounds = 4;
    for (int round = 0; round < mostRounds && expandAll(); ++round)
      ;
    if (fma)
      contract();
    expandFromElements();
  }

private:
  /// Functions without a formula of our own.
  LogicalResult applyUpstream() {
    RewritePatternSet patterns(&getContext());
    math::populateExpansionPatterns(patterns, {"sinh", "cosh", "tan", "asinh", "acosh", "atanh", "powf", "fpowi",
                                               "exp2", "rsqrt", "round", "clampf"});
    auto predicate = [](StringRef name) { return name != "math.exp" && name != "math.erf"; };
    populateMathF32ExpansionPatterns(patterns, predicate);
    populateMathPolynomialApproximationPatterns(patterns, predicate);
    arith::populateCeilFloorDivExpandOpsPatterns(patterns);
    return applyPatternsGreedily(getOperation(), std::move(patterns));
  }

  bool expandAll() {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isa<arith::ArithDialect, math::MathDialect>(op->getDialect()))
        ops.push_back(op);
    });
    bool changed = false;
    for (Operation *op : ops) {
      OpBuilder b(op);
      Value result = expand(b, op);
      if (!result)
        continue;
      op->getResult(0).replaceAllUsesWith(result);
      op->erase();
      ++numExpanded;
      changed = true;
    }
    return changed;
  }

  Value expand(OpBuilder &b, Operation *op) {
    Type type = op->getNumResults() == 1 ? op->getResult(0).getType() : Type();
    if (!type || !isa<FloatType>(getElementTypeOrSelf(type)))
      return {};
    FloatBuilder f{b, op->getLoc(), type, fma};
    if (Value result = expandConversion(f, op))
      return result;
    if (auto max = dyn_cast<arith::MaximumFOp>(op))
      return expandExtreme(f, max, CmpFPredicate::OGT, true);
    if (auto min = dyn_cast<arith::MinimumFOp>(op))
      return expandExtreme(f, min, CmpFPredicate::OLT, true);
    if (auto max = dyn_cast<arith::MaxNumFOp>(op))
      return expandExtreme(f, max, CmpFPredicate::OGT, false);
    if (auto min = dyn_cast<arith::MinNumFOp>(op))
      return expandExtreme(f, min, CmpFPredicate::OLT, false);
    if (auto rem = dyn_cast<arith::RemFOp>(op)) {
      Value x = rem.getLhs(), y = rem.getRhs();
      Value quotient = math::TruncOp::create(b, op->getLoc(), f.div(x, y));
      // 0 * infinity would be no number.
      return f.select(f.compare(CmpFPredicate::OLT, f.abs(x), f.abs(y)), x, f.sub(x, f.mul(quotient, y)));
    }
    if (getElementTypeOrSelf(type).isF64())
      return expandDouble(f, op);
    return getElementTypeOrSelf(type).isF32() ? expandF32(f, op) : Value();
  }

  /// The constant that all lanes hold.
  static std::optional<APFloat> getSplat(Value value) {
    if (auto broadcast = value.getDefiningOp<vector::BroadcastOp>())
      value = broadcast.getSource();
    APFloat number(0.0f);
    return matchPattern(value, m_ConstantFloat(&number)) ? std::optional(number) : std::nullopt;
  }

  Value expandF32(FloatBuilder &f, Operation *op) {
    Value x = op->getNumOperands() ? op->getOperand(0) : Value();
    if (isa<math::ExpOp>(op))
      return expandExp(f, x);
    if (isa<math::ErfOp>(op))
      return expandErf(f, x);
    if (isa<arith::DivFOp>(op) && op->removeAttr(kSaturates) && fma && !quickDivision && isa<VectorType>(f.type))
      if (std::optional<APFloat> divisor = getSplat(op->getOperand(1)))
        return expandSaturatedQuotient(f, x, *divisor);
    if (isa<math::RsqrtOp>(op))
      return f.div(f.f(1.0), math::SqrtOp::create(f.b, f.loc, x));
    if (isa<math::FmaOp>(op) && !fma)
      return f.add(f.mul(x, op->getOperand(1)), op->getOperand(2));
    if (isa<math::SqrtOp>(op) && !sqrtInstruction)
      return expandSqrt(f, x);
    if (roundInstructions)
      return {};
    if (isa<math::FloorOp>(op))
      return expandFloor(f, x);
    if (isa<math::CeilOp>(op))
      return expandCeil(f, x);
    if (isa<math::TruncOp>(op))
      return expandTrunc(f, x);
    return isa<math::RoundEvenOp>(op) ? expandRoundEven(f, x) : Value();
  }

  Value expandConversion(FloatBuilder &f, Operation *op) {
    Type from = op->getNumOperands() == 1 ? getElementTypeOrSelf(op->getOperand(0).getType()) : Type();
    // Integers in the range of f16 are exact in f32.
    if (isa<arith::SIToFPOp, arith::UIToFPOp>(op) && getElementTypeOrSelf(f.type).getIntOrFloatBitWidth() == 16) {
      Value wide = f.b.create(op->getLoc(), op->getName().getIdentifier(), op->getOperands(), f.like(f.b.getF32Type()))
                       ->getResult(0);
      return arith::TruncFOp::create(f.b, f.loc, f.type, wide);
    }
    if (isa<arith::TruncFOp>(op) && from.isF32() && getElementTypeOrSelf(f.type).isBF16()) {
      f.type = f.like(f.b.getF32Type());
      return expandTruncBF16(f, op->getOperand(0));
    }
    if (f16Conversion)
      return {};
    if (isa<arith::ExtFOp>(op) && from.isF16() && getElementTypeOrSelf(f.type).isF32())
      return expandExtHalf(f, op->getOperand(0));
    if (isa<arith::TruncFOp>(op) && from.isF32() && getElementTypeOrSelf(f.type).isF16()) {
      f.type = f.like(f.b.getF32Type());
      return expandTruncHalf(f, op->getOperand(0));
    }
    return {};
  }

  /// Canonicalization joins chains of vector.insert; the emitters know only the chain.
  void expandFromElements() {
    SmallVector<vector::FromElementsOp> ops;
    getOperation()->walk([&](vector::FromElementsOp op) { ops.push_back(op); });
    for (vector::FromElementsOp op : ops) {
      OpBuilder b(op);
      Value result = vector::BroadcastOp::create(b, op.getLoc(), op.getType(), op.getElements()[0]);
      for (int64_t i = 1; i < static_cast<int64_t>(op.getElements().size()); ++i)
        result = vector::InsertOp::create(b, op.getLoc(), op.getElements()[i], result, i);
      op.replaceAllUsesWith(result);
      op.erase();
    }
  }

  /// a * b + c with one use of the product is one instruction.
  void contract() {
    SmallVector<arith::AddFOp> sums;
    getOperation()->walk([&](arith::AddFOp op) { sums.push_back(op); });
    for (arith::AddFOp op : sums) {
      if (!getElementTypeOrSelf(op.getType()).isF32())
        continue;
      auto left = op.getLhs().getDefiningOp<arith::MulFOp>(), right = op.getRhs().getDefiningOp<arith::MulFOp>();
      arith::MulFOp product = left && left->hasOneUse() ? left : right && right->hasOneUse() ? right : arith::MulFOp();
      if (!product || product->getBlock() != op->getBlock())
        continue;
      OpBuilder b(op);
      Value other = product == left ? op.getRhs() : op.getLhs();
      Value result = math::FmaOp::create(b, op.getLoc(), product.getLhs(), product.getRhs(), other);
      op.replaceAllUsesWith(result);
      op.erase();
      product.erase();
    }
  }
};

} // namespace

} // namespace leaf
