//===- Scalars.cpp - scalar code in bodies -----------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Scalars.h"

#include "Lowering.h"
#include "leafcutter/Support/ElementTypes.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::onnxtolinalg;

Type leaf::onnxtolinalg::computeType(Type element) {
  if (isa<FloatType>(element) && element.getIntOrFloatBitWidth() < 32)
    return Float32Type::get(element.getContext());
  return Lowering::signless(element);
}

/// Between f16, bf16, f32 and f64, rounded once.
static Value convertFloat(OpBuilder &b, Location loc, Value value, Type to) {
  unsigned from = value.getType().getIntOrFloatBitWidth(), width = to.getIntOrFloatBitWidth();
  if (value.getType() == to)
    return value;
  if (from == width) // f16 and bf16
    value = arith::ExtFOp::create(b, loc, b.getF32Type(), value);
  else if (from == 64 && width == 16)
    value = roundToOdd(b, loc, value);
  if (value.getType().getIntOrFloatBitWidth() < width)
    return arith::ExtFOp::create(b, loc, to, value);
  return arith::TruncFOp::create(b, loc, to, value);
}

/// An integer in at least a byte to one of `to`; what does not fit loses its high bits.
static Value convertIntToInt(OpBuilder &b, Location loc, Value value, Type from, Type to) {
  Type type = Lowering::signless(to);
  unsigned source = value.getType().getIntOrFloatBitWidth(), width = type.getIntOrFloatBitWidth();
  if (source > width)
    value = arith::TruncIOp::create(b, loc, type, value);
  else if (source < width && (from.isUnsignedInteger() || from.isInteger(1)))
    value = arith::ExtUIOp::create(b, loc, type, value);
  else if (source < width)
    value = arith::ExtSIOp::create(b, loc, type, value);
  unsigned bits = to.getIntOrFloatBitWidth();
  if (bits == width || from.getIntOrFloatBitWidth() < bits || from == to)
    return value;
  Value amount = arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, width - bits));
  value = arith::ShLIOp::create(b, loc, value, amount);
  if (to.isUnsignedInteger())
    return arith::ShRUIOp::create(b, loc, value, amount);
  return arith::ShRSIOp::create(b, loc, value, amount);
}

/// A float in its compute type.
static Value convertFloatToInt(OpBuilder &b, Location loc, Value value, Type to) {
  Type type = Lowering::signless(to);
  unsigned width = type.getIntOrFloatBitWidth();
  if (width == 64 && to.isUnsignedInteger())
    return arith::FPToUIOp::create(b, loc, type, value);
  // Narrow types go through a wider one, so that what is out of range wraps as in C on common machines.
  unsigned wide = width < 32 ? 32 : width == 32 && to.isUnsignedInteger() ? 64 : width;
  Type wideType = b.getIntegerType(wide);
  Value result = arith::FPToSIOp::create(b, loc, wideType, value);
  return convertIntToInt(b, loc, result, wideType, to);
}

Value leaf::onnxtolinalg::convertElement(OpBuilder &b, Location loc, Value value, Type from, Type to,
                                         SmallFloatRounding rounding) {
  if (from == to && value.getType() == Lowering::signless(to))
    return value;
  if (isa<FloatType>(from)) {
    if (isSmallFloat(from) && value.getType() == b.getI8Type())
      value = decodeSmallFloat(b, loc, value, cast<FloatType>(from));
    if (isSmallFloat(to)) {
      Value number = value.getType().isF64() ? roundToOdd(b, loc, value) : convertFloat(b, loc, value, b.getF32Type());
      return encodeSmallFloat(b, loc, number, cast<FloatType>(to), rounding);
    }
    if (isa<FloatType>(to))
      return convertFloat(b, loc, value, to);
    value = convertFloat(b, loc, value, computeType(from));
    if (!to.isInteger(1))
      return convertFloatToInt(b, loc, value, to);
  }
  if (to.isInteger(1)) {
    Scalar s(b, loc, from);
    return s.compare(Scalar::ne, value, s.number(0));
  }
  if (!isa<FloatType>(to))
    return convertIntToInt(b, loc, value, from, to);
  Type compute = computeType(to);
  if (from.isUnsignedInteger() || from.isInteger(1))
    value = arith::UIToFPOp::create(b, loc, compute, value);
  else
    value = arith::SIToFPOp::create(b, loc, compute, value);
  return convertElement(b, loc, value, compute, to, rounding);
}

TypedAttr leaf::onnxtolinalg::numberAttr(Type element, double value) {
  Builder b(element.getContext());
  if (isa<FloatType>(element))
    return signlessAttr(b.getFloatAttr(element, value));
  unsigned width = Lowering::signless(element).getIntOrFloatBitWidth();
  return b.getIntegerAttr(Lowering::signless(element),
                          APInt(64, static_cast<uint64_t>(static_cast<int64_t>(value)), true).trunc(width));
}

TypedAttr leaf::onnxtolinalg::signlessAttr(Attribute element) {
  auto typed = cast<TypedAttr>(element);
  Type type = Lowering::signless(typed.getType());
  unsigned width = type.getIntOrFloatBitWidth();
  if (auto integer = dyn_cast<IntegerAttr>(element)) {
    APInt value = integer.getValue();
    return IntegerAttr::get(type, typed.getType().isUnsignedInteger() ? value.zext(width) : value.sext(width));
  }
  if (type != typed.getType())
    return IntegerAttr::get(type, cast<FloatAttr>(element).getValue().bitcastToAPInt().zext(width));
  return typed;
}

static TypedAttr extreme(Type element, bool highest) {
  Builder b(element.getContext());
  if (auto type = dyn_cast<FloatType>(element))
    return b.getFloatAttr(type, APFloat::getInf(type.getFloatSemantics(), !highest));
  unsigned width = element.getIntOrFloatBitWidth();
  bool isUnsigned = element.isUnsignedInteger() || width == 1;
  Type type = Lowering::signless(element);
  APInt value = highest ? (isUnsigned ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width))
                        : (isUnsigned ? APInt::getMinValue(width) : APInt::getSignedMinValue(width));
  unsigned stored = type.getIntOrFloatBitWidth();
  return b.getIntegerAttr(type, isUnsigned ? value.zext(stored) : value.sext(stored));
}

TypedAttr leaf::onnxtolinalg::lowestAttr(Type element) { return extreme(element, false); }
TypedAttr leaf::onnxtolinalg::highestAttr(Type element) { return extreme(element, true); }

//===----------------------------------------------------------------------===//
// Scalar
//===----------------------------------------------------------------------===//

Scalar::Scalar(OpBuilder &builder, Location loc, Type element)
    : b(builder), loc(loc), element(element), type(computeType(element)), isFloat(isa<FloatType>(type)),
      isUnsigned(element.isUnsignedInteger() || element.isInteger(1)) {}

Value Scalar::number(double value) {
  // Through `element` for signedness, in the compute type.
  return arith::ConstantOp::create(b, loc, numberAttr(isFloat ? type : element, value));
}

Value Scalar::add(Value x, Value y) {
  return isFloat ? arith::AddFOp::create(b, loc, x, y).getResult() : arith::AddIOp::create(b, loc, x, y).getResult();
}
Value Scalar::sub(Value x, Value y) {
  return isFloat ? arith::SubFOp::create(b, loc, x, y).getResult() : arith::SubIOp::create(b, loc, x, y).getResult();
}
Value Scalar::mul(Value x, Value y) {
  return isFloat ? arith::MulFOp::create(b, loc, x, y).getResult() : arith::MulIOp::create(b, loc, x, y).getResult();
}
Value Scalar::div(Value x, Value y) {
  if (isFloat)
    return arith::DivFOp::create(b, loc, x, y);
  if (isUnsigned)
    return arith::DivUIOp::create(b, loc, x, y);
  return arith::DivSIOp::create(b, loc, x, y);
}
Value Scalar::neg(Value x) { return isFloat ? arith::NegFOp::create(b, loc, x).getResult() : sub(number(0), x); }
Value Scalar::abs(Value x) {
  if (isFloat)
    return math::AbsFOp::create(b, loc, x);
  return isUnsigned ? x : max(x, neg(x));
}
Value Scalar::max(Value x, Value y) {
  if (isFloat)
    return arith::MaximumFOp::create(b, loc, x, y);
  if (isUnsigned)
    return arith::MaxUIOp::create(b, loc, x, y);
  return arith::MaxSIOp::create(b, loc, x, y);
}
Value Scalar::min(Value x, Value y) {
  if (isFloat)
    return arith::MinimumFOp::create(b, loc, x, y);
  if (isUnsigned)
    return arith::MinUIOp::create(b, loc, x, y);
  return arith::MinSIOp::create(b, loc, x, y);
}
Value Scalar::exp(Value x) { return math::ExpOp::create(b, loc, x); }
Value Scalar::log(Value x) { return math::LogOp::create(b, loc, x); }
Value Scalar::sqrt(Value x) { return math::SqrtOp::create(b, loc, x); }
Value Scalar::tanh(Value x) { return math::TanhOp::create(b, loc, x); }
Value Scalar::select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, loc, condition, x, y); }

Value Scalar::compare(Predicate predicate, Value x, Value y) {
  using F = arith::CmpFPredicate;
  using I = arith::CmpIPredicate;
  static constexpr F floats[] = {F::OEQ, F::UNE, F::OLT, F::OLE, F::OGT, F::OGE};
  static constexpr I signedInts[] = {I::eq, I::ne, I::slt, I::sle, I::sgt, I::sge};
  static constexpr I unsignedInts[] = {I::eq, I::ne, I::ult, I::ule, I::ugt, I::uge};
  if (isFloat)
    return arith::CmpFOp::create(b, loc, floats[predicate], x, y);
  return arith::CmpIOp::create(b, loc, (isUnsigned ? unsignedInts : signedInts)[predicate], x, y);
}
