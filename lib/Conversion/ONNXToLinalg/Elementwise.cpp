//===- Elementwise.cpp - arithmetic, comparisons and logic -------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"
#include "leafcutter/Support/ElementTypes.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::onnxtolinalg;
using Values = ArrayRef<Value>;

//===----------------------------------------------------------------------===//
// The common lowering
//===----------------------------------------------------------------------===//

namespace {
/// One input of the node: absent, a constant of the body, or an operand of the generic.
struct Input {
  bool present = false;
  TypedAttr constant;
  std::optional<Operand> operand;
  Type element;
  Sizes shape;
};
} // namespace

static SmallVector<Input> collectInputs(Lowering &lowering, Node &node) {
  SmallVector<Input> inputs(node.getNumInputs());
  for (auto [i, input] : llvm::enumerate(inputs)) {
    if (!node.hasInput(i))
      continue;
    input.present = true;
    Value onnx = node.getInput(i);
    input.element = node.getInputElement(i);
    input.shape = lowering.getSizesOf(onnx);
    if (std::optional<Attribute> splat = lowering.getSplat(onnx)) {
      input.constant = signlessAttr(*splat);
    } else {
      input.operand = lowering.getOperand(onnx);
      input.shape = lowering.getSizes(input.operand->tensor);
    }
  }
  return inputs;
}

LogicalResult leaf::onnxtolinalg::lowerElementwise(Lowering &lowering, Node &node, EmitFn emit, unsigned typeInput) {
  SmallVector<Input> inputs = collectInputs(lowering, node);
  SmallVector<Sizes> shapes;
  for (Input &input : inputs)
    if (input.present)
      shapes.push_back(input.shape);
  FailureOr<Sizes> broadcast = lowering.broadcast(node, shapes);
  if (failed(broadcast))
    return failure();
  Sizes outSizes = lowering.refine(*broadcast, node);
  SmallVector<Value> tensors;
  SmallVector<AffineMap> maps;
  for (Input &input : inputs) {
    if (!input.operand)
      continue;
    tensors.push_back(input.operand->tensor);
    maps.push_back(lowering.broadcastMap(input.shape, outSizes));
  }
  Type element = node.getResultElement();
  bool failed = false;
  Value result = lowering.pointwise(tensors, maps, outSizes, element, [&](OpBuilder &b, Location loc, ValueRange args) {
    SmallVector<Value> x(inputs.size());
    unsigned next = 0;
    for (auto [i, input] : llvm::enumerate(inputs)) {
      if (!input.present)
        continue;
      Value value = input.operand ? input.operand->load(b, loc, args[next++])
                                  : arith::ConstantOp::create(b, loc, input.constant).getResult();
      x[i] = convertElement(b, loc, value, input.element, computeType(input.element));
    }
    Scalar s(b, loc, inputs[typeInput].element);
    Value y = emit(s, node, x);
    if (!y) {
      failed = true;
      return x[typeInput];
    }
    return convertElement(b, loc, y, isSmallFloat(element) ? element : y.getType(), element);
  });
  if (failed)
    return failure();
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

//===----------------------------------------------------------------------===//
// Scalar code
//===----------------------------------------------------------------------===//

static Value emitAdd(Scalar &s, Node &, Values x) { return s.add(x[0], x[1]); }
static Value emitSub(Scalar &s, Node &, Values x) { return s.sub(x[0], x[1]); }
static Value emitMul(Scalar &s, Node &, Values x) { return s.mul(x[0], x[1]); }
static Value emitDiv(Scalar &s, Node &, Values x) { return s.div(x[0], x[1]); }

template <Value (Scalar::*fn)(Value, Value)> static Value emitVariadic(Scalar &s, Node &, Values x) {
  Value result = x[0];
  for (Value value : x.drop_front())
    result = (s.*fn)(result, value);
  return result;
}

static Value emitMean(Scalar &s, Node &node, Values x) {
  return s.div(emitVariadic<&Scalar::add>(s, node, x), s.number(static_cast<double>(x.size())));
}

static Value emitMod(Scalar &s, Node &node, Values x) {
  if (s.isUnsigned)
    return arith::RemUIOp::create(s.b, s.loc, x[0], x[1]);
  Value rem = s.isFloat ? arith::RemFOp::create(s.b, s.loc, x[0], x[1]).getResult()
                        : arith::RemSIOp::create(s.b, s.loc, x[0], x[1]).getResult();
  if (node.getInt("fmod", 0) != 0)
    return rem;
  // The sign of the divisor: add it once where the remainder is not zero and has the other sign.
  Value zero = s.number(0);
  Value differ = arith::XOrIOp::create(s.b, s.loc, s.compare(Scalar::lt, rem, zero), s.compare(Scalar::lt, x[1], zero));
  Value nonZero = s.compare(Scalar::ne, rem, zero);
  Value result = s.select(arith::AndIOp::create(s.b, s.loc, differ, nonZero), s.add(rem, x[1]), rem);
  return s.isFloat ? s.select(nonZero, result, math::CopySignOp::create(s.b, s.loc, zero, x[1])) : result;
}

/// Square and multiply over the bits of an exponent below 64; with larger ones only 0, 1 and -1 do not overflow, and
/// their powers follow from the lowest bit. A negative exponent gives the inverse, truncated.
static Value emitIntPow(Scalar &s, Value base, Value exponent, Type exponentType) {
  Type type = base.getType();
  exponent = convertElement(s.b, s.loc, exponent, exponentType, type);
  Value zero = s.number(0), one = s.number(1), result = one, power = base, rest = exponent;
  constexpr int kBits = 6;
  for (int bit = 0; bit < kBits; ++bit) {
    Value isSet = s.compare(Scalar::ne, arith::AndIOp::create(s.b, s.loc, rest, one), zero);
    result = s.select(isSet, s.mul(result, power), result);
    if (bit + 1 == kBits)
      break;
    power = s.mul(power, power);
    rest = arith::ShRUIOp::create(s.b, s.loc, rest, one);
  }
  if (s.isUnsigned)
    return result;
  Value isUnit = s.compare(Scalar::eq, s.abs(base), one);
  Value odd = s.compare(Scalar::ne, arith::AndIOp::create(s.b, s.loc, exponent, one), zero);
  Value inverse = s.select(isUnit, s.select(odd, base, one), zero);
  return s.select(s.compare(Scalar::lt, exponent, zero), inverse, result);
}

static Value emitPow(Scalar &s, Node &node, Values x) {
  Type exponentType = node.getInputElement(1);
  if (!s.isFloat && !isa<FloatType>(exponentType))
    return emitIntPow(s, x[0], x[1], exponentType);
  Type type = s.isFloat ? s.type : s.b.getF32Type();
  FloatAttr constant;
  if (matchPattern(x[1], m_Constant(&constant)) && s.isFloat) {
    double exponent = constant.getValueAsDouble();
    if (exponent == 2)
      return s.mul(x[0], x[0]);
    if (exponent == 3)
      return s.mul(s.mul(x[0], x[0]), x[0]);
    if (exponent == 0.5)
      return s.sqrt(x[0]);
  }
  Value base = convertElement(s.b, s.loc, x[0], s.isFloat ? s.type : s.element, type);
  Value exponent = convertElement(s.b, s.loc, x[1], isa<FloatType>(exponentType) ? x[1].getType() : exponentType, type);
  Value result = math::PowFOp::create(s.b, s.loc, base, exponent);
  return s.isFloat ? result : convertElement(s.b, s.loc, result, type, s.element);
}

template <Scalar::Predicate predicate> static Value emitCompare(Scalar &s, Node &, Values x) {
  return s.compare(predicate, x[0], x[1]);
}

static Value emitAnd(Scalar &s, Node &, Values x) { return arith::AndIOp::create(s.b, s.loc, x[0], x[1]); }
static Value emitOr(Scalar &s, Node &, Values x) { return arith::OrIOp::create(s.b, s.loc, x[0], x[1]); }
static Value emitXor(Scalar &s, Node &, Values x) { return arith::XOrIOp::create(s.b, s.loc, x[0], x[1]); }
static Value emitNot(Scalar &s, Node &, Values x) {
  Value ones = arith::ConstantOp::create(s.b, s.loc, s.b.getIntegerAttr(s.type, -1));
  return arith::XOrIOp::create(s.b, s.loc, x[0], ones);
}

/// A shift by the width or more, or by a negative number, shifts all bits out; the instructions leave it undefined.
static Value emitBitShift(Scalar &s, Node &node, Values x) {
  bool left = node.getString("direction", "LEFT") == "LEFT";
  Value width = s.number(s.type.getIntOrFloatBitWidth()), zero = s.number(0);
  Value inRange = s.compare(Scalar::lt, x[1], width);
  if (!s.isUnsigned)
    inRange = arith::AndIOp::create(s.b, s.loc, inRange, s.compare(Scalar::ge, x[1], zero));
  Value amount = s.select(inRange, x[1], zero), shifted;
  if (left)
    shifted = arith::ShLIOp::create(s.b, s.loc, x[0], amount);
  else if (s.isUnsigned)
    shifted = arith::ShRUIOp::create(s.b, s.loc, x[0], amount);
  else
    shifted = arith::ShRSIOp::create(s.b, s.loc, x[0], amount);
  bool keepsSign = !left && !s.isUnsigned;
  Value out = keepsSign ? s.select(s.compare(Scalar::lt, x[0], zero), s.number(-1), zero) : zero;
  return s.select(inRange, shifted, out);
}

static Value emitWhere(Scalar &s, Node &, Values x) { return s.select(x[0], x[1], x[2]); }

static Value emitNeg(Scalar &s, Node &, Values x) { return s.neg(x[0]); }
static Value emitAbs(Scalar &s, Node &, Values x) { return s.abs(x[0]); }
static Value emitReciprocal(Scalar &s, Node &, Values x) { return s.div(s.number(1), x[0]); }

static Value emitSign(Scalar &s, Node &, Values x) {
  Value zero = s.number(0);
  Value positive = s.select(s.compare(Scalar::gt, x[0], zero), s.number(1), zero);
  if (s.isUnsigned)
    return positive;
  Value result = s.select(s.compare(Scalar::lt, x[0], zero), s.number(-1), positive);
  return s.isFloat ? s.select(s.compare(Scalar::ne, x[0], x[0]), x[0], result) : result;
}

static Value emitIsNaN(Scalar &s, Node &, Values x) { return s.compare(Scalar::ne, x[0], x[0]); }

static Value emitIsInf(Scalar &s, Node &node, Values x) {
  Value result = arith::ConstantOp::create(s.b, s.loc, s.b.getBoolAttr(false));
  for (auto [name, sign] : {std::pair("detect_positive", false), std::pair("detect_negative", true)}) {
    if (node.getInt(name, 1) == 0)
      continue;
    auto type = cast<FloatType>(s.type);
    Value infinity =
        arith::ConstantOp::create(s.b, s.loc, s.b.getFloatAttr(type, APFloat::getInf(type.getFloatSemantics(), sign)));
    result = arith::OrIOp::create(s.b, s.loc, result, s.compare(Scalar::eq, x[0], infinity));
  }
  return result;
}

/// A unary operator with an op of the math dialect; integers (allowed for rounding in no schema) do not occur.
template <typename OpTy> static Value emitMath(Scalar &s, Node &, Values x) { return OpTy::create(s.b, s.loc, x[0]); }

//===----------------------------------------------------------------------===//
// Operators that compute nothing
//===----------------------------------------------------------------------===//

static LogicalResult lowerIdentity(Lowering &lowering, Node &node) {
  Value input = node.getInput(0), result = node.getOperation()->getResult(0);
  if (ElementsAttr constant = isa<BlockArgument>(input) ? ElementsAttr() : lowering.getConstant(input))
    lowering.setConstant(result, constant);
  else
    lowering.setTensor(result, lowering.getTensor(input));
  return success();
}

void leaf::onnxtolinalg::registerElementwise(Registry &registry) {
  registry.add("Add", elementwise<emitAdd>);
  registry.add("Sub", elementwise<emitSub>);
  registry.add("Mul", elementwise<emitMul>);
  registry.add("Div", elementwise<emitDiv>);
  registry.add("Mod", elementwise<emitMod>);
  registry.add("Pow", elementwise<emitPow>);
  registry.add("Max", elementwise<emitVariadic<&Scalar::max>>);
  registry.add("Min", elementwise<emitVariadic<&Scalar::min>>);
  registry.add("Sum", elementwise<emitVariadic<&Scalar::add>>);
  registry.add("Mean", elementwise<emitMean>);
  registry.add("Equal", elementwise<emitCompare<Scalar::eq>>);
  registry.add("Less", elementwise<emitCompare<Scalar::lt>>);
  registry.add("LessOrEqual", elementwise<emitCompare<Scalar::le>>);
  registry.add("Greater", elementwise<emitCompare<Scalar::gt>>);
  registry.add("GreaterOrEqual", elementwise<emitCompare<Scalar::ge>>);
  for (StringRef name : {"And", "BitwiseAnd"})
    registry.add(name, elementwise<emitAnd>);
  for (StringRef name : {"Or", "BitwiseOr"})
    registry.add(name, elementwise<emitOr>);
  for (StringRef name : {"Xor", "BitwiseXor"})
    registry.add(name, elementwise<emitXor>);
  for (StringRef name : {"Not", "BitwiseNot"})
    registry.add(name, elementwise<emitNot>);
  registry.add("BitShift", elementwise<emitBitShift>);
  registry.add("Where", elementwise<emitWhere, 1>);
  registry.add("Neg", elementwise<emitNeg>);
  registry.add("Abs", elementwise<emitAbs>);
  registry.add("Sign", elementwise<emitSign>);
  registry.add("Reciprocal", elementwise<emitReciprocal>);
  registry.add("IsNaN", elementwise<emitIsNaN>);
  registry.add("IsInf", elementwise<emitIsInf>);
  registry.add("Sqrt", elementwise<emitMath<math::SqrtOp>>);
  registry.add("Exp", elementwise<emitMath<math::ExpOp>>);
  registry.add("Log", elementwise<emitMath<math::LogOp>>);
  registry.add("Erf", elementwise<emitMath<math::ErfOp>>);
  registry.add("Tanh", elementwise<emitMath<math::TanhOp>>);
  registry.add("Sin", elementwise<emitMath<math::SinOp>>);
  registry.add("Cos", elementwise<emitMath<math::CosOp>>);
  registry.add("Tan", elementwise<emitMath<math::TanOp>>);
  registry.add("Asin", elementwise<emitMath<math::AsinOp>>);
  registry.add("Acos", elementwise<emitMath<math::AcosOp>>);
  registry.add("Atan", elementwise<emitMath<math::AtanOp>>);
  registry.add("Sinh", elementwise<emitMath<math::SinhOp>>);
  registry.add("Cosh", elementwise<emitMath<math::CoshOp>>);
  registry.add("Asinh", elementwise<emitMath<math::AsinhOp>>);
  registry.add("Acosh", elementwise<emitMath<math::AcoshOp>>);
  registry.add("Atanh", elementwise<emitMath<math::AtanhOp>>);
  registry.add("Floor", elementwise<emitMath<math::FloorOp>>);
  registry.add("Ceil", elementwise<emitMath<math::CeilOp>>);
  registry.add("Round", elementwise<emitMath<math::RoundEvenOp>>);
  registry.add("Identity", lowerIdentity);
}
