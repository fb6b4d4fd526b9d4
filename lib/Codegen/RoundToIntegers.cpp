//===- RoundToIntegers.cpp - quantization by few instructions ---------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "RoundToIntegers.h"

#include "FloatBuilder.h"
#include "Machine/Machine.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <cmath>

using namespace mlir;
using namespace leaf;
using namespace leaf::codegen;

namespace {
/// saturate(round_half_even(quotient) + zero) to [low, high], as `narrow` computes it.
struct Quantization {
  arith::TruncIOp narrow;
  Value quotient;
  int64_t zero = 0, low = 0, high = 0;
};
} // namespace

/// The one number of a constant.
static std::optional<double> numberOf(Value value) {
  if (auto broadcast = value.getDefiningOp<vector::BroadcastOp>())
    return numberOf(broadcast.getSource());
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  Attribute attr = constant ? Attribute(constant.getValue()) : Attribute();
  if (auto splat = dyn_cast_or_null<SplatElementsAttr>(attr))
    attr = splat.getSplatValue<Attribute>();
  if (auto number = dyn_cast_or_null<FloatAttr>(attr))
    return number.getValueAsDouble();
  return std::nullopt;
}

/// An integer of at most 17 bits.
static std::optional<int64_t> integerOf(Value value) {
  std::optional<double> number = numberOf(value);
  if (!number || *number != std::floor(*number) || std::abs(*number) > 65536)
    return std::nullopt;
  return static_cast<int64_t>(*number);
}

/// The operand of `op` beside a constant integer, which goes to `constant`.
template <typename OpT> static Value splitConstant(Value value, int64_t &constant) {
  auto op = value.getDefiningOp<OpT>();
  std::optional<int64_t> number = op ? integerOf(op.getRhs()) : std::nullopt;
  if (!number)
    return {};
  constant = *number;
  return op.getLhs();
}

static std::optional<Quantization> match(arith::TruncIOp narrow) {
  unsigned bits = getElementTypeOrSelf(narrow.getType()).getIntOrFloatBitWidth();
  auto convert = narrow.getIn().getDefiningOp<arith::FPToSIOp>();
  if (!convert || (bits != 8 && bits != 16) || !getElementTypeOrSelf(convert.getIn().getType()).isF32())
    return std::nullopt;
  Quantization result{narrow, {}};
  Value value = splitConstant<arith::MinimumFOp>(convert.getIn(), result.high);
  value = value ? splitConstant<arith::MaximumFOp>(value, result.low) : Value();
  if (!value)
    return std::nullopt;
  if (Value sum = splitConstant<arith::AddFOp>(value, result.zero))
    value = sum;
  auto round = value.getDefiningOp<math::RoundEvenOp>();
  if (!round)
    return std::nullopt;
  result.quotient = round.getOperand();
  return result;
}

/// A quotient of a number that is clamped at 0 before it would be clamped there again: the quotient of the number.
static Value withoutClamp(OpBuilder &b, const Quantization &q) {
  auto divide = [&](auto op) -> Value {
    if (!op)
      return {};
    auto clamp = op.getLhs().template getDefiningOp<arith::MaximumFOp>();
    std::optional<double> bound = clamp ? numberOf(clamp.getRhs()) : std::nullopt, by = numberOf(op.getRhs());
    if (!bound || *bound != 0 || !by || !(*by > 0) || q.low != q.zero)
      return {};
    return decltype(op)::create(b, op.getLoc(), clamp.getLhs(), op.getRhs());
  };
  if (Value quotient = divide(q.quotient.getDefiningOp<arith::DivFOp>()))
    return quotient;
  Value quotient = divide(q.quotient.getDefiningOp<arith::MulFOp>());
  return quotient ? quotient : q.quotient;
}

static Value saturate(OpBuilder &b, Quantization q, Value quotient) {
  Location loc = q.narrow.getLoc();
  Type i32 = b.getI32Type();
  int64_t bits = q.narrow.getType().getIntOrFloatBitWidth();
  bool isSigned = q.low < 0, isNarrower = q.low != (isSigned ? -(int64_t(1) << (bits - 1)) : 0) ||
                                          q.high != (int64_t(1) << (bits - (isSigned ? 1 : 0))) - 1;
  Value value = machine::SaturateOp::create(b, loc, i32, quotient, q.zero, bits, isSigned);
  if (isNarrower) {
    value = arith::MaxSIOp::create(b, loc, value, arith::ConstantIntOp::create(b, loc, q.low, 32));
    value = arith::MinSIOp::create(b, loc, value, arith::ConstantIntOp::create(b, loc, q.high, 32));
  }
  return arith::TruncIOp::create(b, loc, q.narrow.getType(), value);
}

static Value addToRound(OpBuilder &b, Quantization q, Value quotient) {
  constexpr double unit = 0x1.8p23; // the last bit of floats from here to 2^24 is worth 1
  FloatBuilder f{b, q.narrow.getLoc(), quotient.getType(), false};
  Value value = arith::MaximumFOp::create(b, f.loc, quotient, f.f(static_cast<double>(q.low - q.zero)));
  value = arith::MinimumFOp::create(b, f.loc, value, f.f(static_cast<double>(q.high - q.zero)));
  // An odd zero point would turn ties the other way.
  bool isEven = q.zero % 2 == 0;
  value = f.add(value, f.f(unit + static_cast<double>(isEven ? q.zero : 0)));
  Value integer = arith::TruncIOp::create(b, f.loc, q.narrow.getType(), f.toBits(value));
  unsigned bits = getElementTypeOrSelf(q.narrow.getType()).getIntOrFloatBitWidth();
  return isEven ? integer : f.addi(integer, f.constant(b.getIntegerAttr(b.getIntegerType(bits), q.zero)));
}

void leaf::codegen::roundToIntegers(func::FuncOp function, bool hasSaturation) {
  SmallVector<Quantization> found;
  function.walk([&](arith::TruncIOp narrow) {
    bool isVector = isa<VectorType>(narrow.getType());
    if (std::optional<Quantization> q = match(narrow); q && (isVector || hasSaturation))
      found.push_back(*q);
  });
  for (Quantization &q : found) {
    OpBuilder b(q.narrow);
    Value quotient = withoutClamp(b, q);
    q.narrow.replaceAllUsesWith(isa<VectorType>(q.narrow.getType()) ? addToRound(b, q, quotient)
                                                                    : saturate(b, q, quotient));
    // What computed it is dead; the canonicalizer takes the rest.
    q.narrow.erase();
  }
}
