//===- Generators.cpp - Range, ConstantOfShape, OneHot, Trilu, MelWeightMatrix --===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"
#include "Reductions.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

//===----------------------------------------------------------------------===//
// Range
//===----------------------------------------------------------------------===//

/// A constant number of any type.
static std::optional<double> getNumber(Lowering &lowering, Value onnx) {
  std::optional<Attribute> splat = lowering.getSplat(onnx);
  if (!splat)
    return std::nullopt;
  if (auto number = dyn_cast<FloatAttr>(*splat))
    return number.getValueAsDouble();
  return cast<IntegerAttr>(*splat).getValue().getSExtValue();
}

/// start + i * delta for i below max(0, ceil((limit - start) / delta)).
static LogicalResult lowerIntRange(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Size values[3];
  for (unsigned i = 0; i < 3; ++i) {
    FailureOr<ShapeValue> value = lowering.readShapeValue(node, i);
    if (failed(value))
      return failure();
    values[i] = value->elements.front();
  }
  auto [start, limit, delta] = values;
  std::optional<int64_t> step = constantOf(delta);
  if (step == 0)
    return node.emitError() << "has step zero";
  Size distance = s.sub(limit, start), count;
  if (step)
    count = *step > 0 ? s.divCeil(s.max(distance, s.constant(0)), delta)
                      : s.divCeil(s.max(s.sub(start, limit), s.constant(0)), s.constant(-*step));
  else
    count = s.max(s.divCeil(distance, delta), s.constant(0));
  Sizes sizes = lowering.refine({count}, node);
  Type element = node.getResultElement();
  BodySize first(start), increment(delta);
  Value result = lowering.pointwise({}, {}, sizes, element, [&](OpBuilder &b, Location loc, ValueRange) -> Value {
    Value index = linalg::IndexOp::create(b, loc, 0);
    if (increment.constant() != 1)
      index = arith::MulIOp::create(b, loc, index, increment.get(b, loc));
    if (first.constant() != 0)
      index = arith::AddIOp::create(b, loc, index, first.get(b, loc));
    return arith::IndexCastOp::create(b, loc, Lowering::signless(element), index);
  });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

/// Scalar operand `i` of a range of floats, as the type that its arithmetic is done in.
static Value readScalar(Lowering &lowering, Node &node, unsigned i) {
  OpBuilder &b = lowering.b();
  Scalar s(b, lowering.loc(), node.getResultElement());
  if (std::optional<double> number = getNumber(lowering, node.getInput(i)))
    return s.number(*number);
  SmallVector<Value> first(node.getInputType(i).getRank(), lowering.sizes().value(lowering.sizes().constant(0)));
  Value element = tensor::ExtractOp::create(b, lowering.loc(), lowering.getTensor(node.getInput(i)), first);
  return convertElement(b, lowering.loc(), element, node.getInputElement(i), s.type);
}

/// max(0, ceil(x)) as an index; 0 for NaN. The entry has arithmetic only, no function that rounds.
static Value ceilToIndex(Lowering &lowering, Scalar &s, Value x) {
  OpBuilder &b = lowering.b();
  Location loc = lowering.loc();
  Value isPositive = s.compare(Scalar::gt, x, s.number(0)), isSmall = s.compare(Scalar::lt, x, s.number(1e18));
  x = s.select(isPositive, s.select(isSmall, x, s.number(1e18)), s.number(0));
  Value down = arith::FPToSIOp::create(b, loc, b.getI64Type(), x);
  Value isLess = s.compare(Scalar::lt, arith::SIToFPOp::create(b, loc, s.type, down), x);
  Value up = arith::AddIOp::create(b, loc, down, arith::ExtUIOp::create(b, loc, b.getI64Type(), isLess));
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), up);
}

static LogicalResult lowerRange(Lowering &lowering, Node &node) {
  Type element = node.getResultElement();
  if (isa<IntegerType>(element))
    return lowerIntRange(lowering, node);
  std::optional<double> start = getNumber(lowering, node.getInput(0)), limit = getNumber(lowering, node.getInput(1)),
                        delta = getNumber(lowering, node.getInput(2));
  if (delta && *delta == 0)
    return node.emitError() << "has step zero";
  Size count;
  Scalar outer(lowering.b(), lowering.loc(), element);
  Value first = readScalar(lowering, node, 0), step = readScalar(lowering, node, 2);
  if (start && limit && delta) {
    count =
        lowering.sizes().constant(std::max<int64_t>(0, static_cast<int64_t>(std::ceil((*limit - *start) / *delta))));
  } else {
    Value distance = outer.sub(readScalar(lowering, node, 1), first);
    count = ceilToIndex(lowering, outer, outer.div(distance, step));
  }
  Sizes sizes = lowering.refine({count}, node);
  Value result = lowering.pointwise({}, {}, sizes, element, [&](OpBuilder &b, Location loc, ValueRange) {
    Scalar s(b, loc, element);
    Value index = arith::IndexCastOp::create(b, loc, b.getI64Type(), linalg::IndexOp::create(b, loc, 0));
    Value x = arith::SIToFPOp::create(b, loc, s.type, index);
    return convertElement(b, loc, s.add(first, s.mul(x, step)), s.type, element);
  });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

//===----------------------------------------------------------------------===//
// ConstantOfShape, EyeLike
//===----------------------------------------------------------------------===//

static LogicalResult lowerConstantOfShape(Lowering &lowering, Node &node) {
  FailureOr<ShapeValue> shape = lowering.readShapeValue(node, 0);
  if (failed(shape))
    return failure();
  Type element = node.getResultElement();
  TypedAttr value = numberAttr(element, 0);
  if (auto given = dyn_cast_or_null<DenseElementsAttr>(node.getOperation()->getAttr("value")))
    value = signlessAttr(*given.getValues<Attribute>().begin());
  Value result = lowering.pointwise(
      {}, {}, lowering.refine(shape->elements, node), element,
      [&](OpBuilder &b, Location loc, ValueRange) -> Value { return arith::ConstantOp::create(b, loc, value); });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

static LogicalResult lowerEyeLike(Lowering &lowering, Node &node) {
  Sizes sizes = lowering.getSizesOf(node.getInput(0));
  Type element = node.getResultElement();
  Value result = lowering.pointwise({}, {}, sizes, element, [&](OpBuilder &b, Location loc, ValueRange) -> Value {
    Value row = linalg::IndexOp::create(b, loc, 0), column = linalg::IndexOp::create(b, loc, 1);
    Value diagonal = arith::AddIOp::create(b, loc, row, arith::ConstantIndexOp::create(b, loc, node.getInt("k", 0)));
    Value isOne = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, column, diagonal);
    return convertElement(b, loc, isOne, b.getI1Type(), element);
  });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

//===----------------------------------------------------------------------===//
// OneHot, Trilu
//===----------------------------------------------------------------------===//

static LogicalResult lowerOneHot(Lowering &lowering, Node &node) {
  Value indices = lowering.getTensor(node.getInput(0)), values = lowering.getTensor(node.getInput(2));
  FailureOr<ShapeValue> depth = lowering.readShapeValue(node, 1);
  if (failed(depth))
    return failure();
  Sizes sizes = lowering.getSizes(indices);
  unsigned axis = node.getAxis("axis", -1, sizes.size() + 1);
  Size classes = depth->elements.front();
  SmallVector<AffineExpr> exprs;
  for (unsigned d = 0; d <= sizes.size(); ++d)
    if (d != axis)
      exprs.push_back(lowering.b().getAffineDimExpr(d));
  sizes.insert(sizes.begin() + axis, classes);
  AffineMap map = AffineMap::get(sizes.size(), 0, exprs, lowering.b().getContext());
  Type indexType = node.getInputElement(0);
  Value result = lowering.pointwise(
      indices, map, sizes, node.getResultElement(), [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
        Value integer = convertElement(b, loc, args[0], indexType, b.getI64Type());
        Value position = arith::IndexCastOp::create(b, loc, b.getIndexType(), integer);
        Value zero = arith::ConstantIndexOp::create(b, loc, 0), one = arith::ConstantIndexOp::create(b, loc, 1);
        Value negative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, position, zero);
        Value wrapped = arith::AddIOp::create(b, loc, position, BodySize(classes).get(b, loc));
        position = arith::SelectOp::create(b, loc, negative, wrapped, position);
        Value index = linalg::IndexOp::create(b, loc, axis);
        Value hot = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, position, index);
        Value off = tensor::ExtractOp::create(b, loc, values, zero),
              on = tensor::ExtractOp::create(b, loc, values, one);
        return arith::SelectOp::create(b, loc, hot, on, off);
      });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

static LogicalResult lowerTrilu(Lowering &lowering, Node &node) {
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  Size offset = lowering.sizes().constant(0);
  if (node.hasInput(1)) {
    FailureOr<ShapeValue> k = lowering.readShapeValue(node, 1);
    if (failed(k))
      return failure();
    offset = k->elements.front();
  }
  bool upper = node.getInt("upper", 1) != 0;
  Type element = node.getResultElement();
  Value result = lowering.pointwise(data, lowering.b().getMultiDimIdentityMap(sizes.size()), sizes, element,
                                    [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                                      Value row = linalg::IndexOp::create(b, loc, sizes.size() - 2);
                                      Value column = linalg::IndexOp::create(b, loc, sizes.size() - 1);
                                      Value diagonal = arith::AddIOp::create(b, loc, row, BodySize(offset).get(b, loc));
                                      arith::CmpIPredicate keep =
                                          upper ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sle;
                                      Value kept = arith::CmpIOp::create(b, loc, keep, column, diagonal);
                                      Value zero = arith::ConstantOp::create(b, loc, numberAttr(element, 0));
                                      return arith::SelectOp::create(b, loc, kept, args[0], zero);
                                    });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

//===----------------------------------------------------------------------===//
// MelWeightMatrix
//===----------------------------------------------------------------------===//

/// Bin i of a spectrum takes part in mel bin m with the height of a triangle between three neighbouring bin borders,
/// which are equally spaced on the mel scale (2595 log10(1 + f / 700)) and rounded down to bins of the spectrum. In
/// double, since the rounding decides.
static LogicalResult lowerMelWeightMatrix(Lowering &lowering, Node &node) {
  SizeArithmetic &sizes = lowering.sizes();
  FailureOr<ShapeValue> bins = lowering.readShapeValue(node, 0);
  FailureOr<ShapeValue> length = failed(bins) ? bins : lowering.readShapeValue(node, 1);
  if (failed(length))
    return failure();
  Size melBins = bins->elements.front(), dftLength = length->elements.front();
  if (constantOf(melBins).value_or(1) < 1 || constantOf(dftLength).value_or(1) < 1)
    return node.emitError() << "has a size that is not positive";
  Size rows = sizes.add(sizes.divFloor(dftLength, sizes.constant(2)), sizes.constant(1));
  SmallVector<Value> inputs;
  SmallVector<Type> types;
  for (unsigned i = 0; i < 5; ++i) {
    inputs.push_back(lowering.reshape(lowering.getTensor(node.getInput(i)), {}));
    types.push_back(node.getInputElement(i));
  }
  SmallVector<AffineMap> maps(5, AffineMap::get(2, 0, lowering.b().getContext()));
  Type element = node.getResultElement(), wide = lowering.b().getF64Type();
  auto body = [&](OpBuilder &b, Location loc, ValueRange args) {
    Scalar s(b, loc, wide);
    auto input = [&](unsigned i) { return convertElement(b, loc, args[i], types[i], wide); };
    auto position = [&](unsigned dim, int64_t shift) {
      Value index = arith::IndexCastOp::create(b, loc, b.getI64Type(), linalg::IndexOp::create(b, loc, dim));
      return s.add(arith::SIToFPOp::create(b, loc, wide, index), s.number(static_cast<double>(shift)));
    };
    auto toMel = [&](Value hertz) {
      return s.mul(s.log(s.add(s.number(1), s.div(hertz, s.number(700)))), s.number(2595 / M_LN10));
    };
    Value low = toMel(input(3)), high = toMel(input(4));
    Value step = s.div(s.sub(high, low), s.add(input(0), s.number(2)));
    auto border = [&](int64_t shift) -> Value {
      Value mel = s.add(s.mul(position(1, shift), step), low);
      Value hertz = s.mul(s.number(700), s.sub(s.exp(s.mul(mel, s.number(M_LN10 / 2595))), s.number(1)));
      return math::FloorOp::create(b, loc, s.div(s.mul(s.add(input(1), s.number(1)), hertz), input(2)));
    };
    Value left = border(0), center = border(1), right = border(2), i = position(0, 0), zero = s.number(0);
    auto both = [&](Value x, Value y) -> Value { return arith::AndIOp::create(b, loc, x, y); };
    Value rise = s.sub(center, left), fall = s.sub(right, center), one = s.number(1);
    Value rising = s.div(s.sub(i, left), s.select(s.compare(Scalar::eq, rise, zero), one, rise));
    Value falling = s.div(s.sub(right, i), s.select(s.compare(Scalar::eq, fall, zero), one, fall));
    Value rises = both(s.compare(Scalar::ge, i, left), s.compare(Scalar::le, i, center));
    Value falls = both(s.compare(Scalar::ge, i, center), s.compare(Scalar::lt, i, right));
    Value peak = s.select(s.compare(Scalar::eq, rise, zero), one, rising);
    return convertElement(b, loc, s.select(falls, falling, s.select(rises, peak, zero)), wide, element);
  };
  Value result = lowering.pointwise(inputs, maps, lowering.refine({rows, melBins}, node), element, body);
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

void leaf::onnxtolinalg::registerGenerators(Registry &registry) {
  registry.add("Range", lowerRange);
  registry.add("ConstantOfShape", lowerConstantOfShape);
  registry.add("EyeLike", lowerEyeLike);
  registry.add("OneHot", lowerOneHot);
  registry.add("Trilu", lowerTrilu);
  registry.add("MelWeightMatrix", lowerMelWeightMatrix);
}
