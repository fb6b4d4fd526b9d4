//===- Shapes.cpp - shape arithmetic on scalars ------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Slices.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

/// Most elements of an integer tensor that is kept as scalars.
static constexpr int64_t kMaxElements = 16;

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

using EvalFn = Size (*)(SizeArithmetic &, ArrayRef<Size>);
using Predicate = arith::CmpIPredicate;

template <Size (SizeArithmetic::*fn)(Size, Size)> static Size fold(SizeArithmetic &s, ArrayRef<Size> x) {
  Size result = x[0];
  for (Size size : x.drop_front())
    result = (s.*fn)(result, size);
  return result;
}

template <Predicate predicate> static Size compare(SizeArithmetic &s, ArrayRef<Size> x) {
  return s.compare(predicate, x[0], x[1]);
}

static Size boolean(bool value, MLIRContext *context) { return BoolAttr::get(context, value); }

static Size logicalAnd(SizeArithmetic &s, ArrayRef<Size> x) { return s.select(x[0], x[1], x[0]); }
static Size logicalOr(SizeArithmetic &s, ArrayRef<Size> x) { return s.select(x[0], x[0], x[1]); }
static Size negate(SizeArithmetic &s, ArrayRef<Size> x) { return s.sub(s.constant(0), x[0]); }
static Size absolute(SizeArithmetic &s, ArrayRef<Size> x) { return s.max(x[0], s.sub(s.constant(0), x[0])); }
static Size choose(SizeArithmetic &s, ArrayRef<Size> x) { return s.select(x[0], x[1], x[2]); }

static EvalFn getEvaluation(Node &node) {
  return llvm::StringSwitch<EvalFn>(node.getName())
      .Case("Add", fold<&SizeArithmetic::add>)
      .Case("Sub", fold<&SizeArithmetic::sub>)
      .Case("Mul", fold<&SizeArithmetic::mul>)
      .Case("Div", fold<&SizeArithmetic::divTrunc>)
      .Case("Mod", node.getInt("fmod", 0) == 0 ? EvalFn(fold<&SizeArithmetic::modFloor>) : nullptr)
      .Case("Max", fold<&SizeArithmetic::max>)
      .Case("Min", fold<&SizeArithmetic::min>)
      .Case("Neg", negate)
      .Case("Abs", absolute)
      .Case("Equal", compare<Predicate::eq>)
      .Case("Less", compare<Predicate::slt>)
      .Case("LessOrEqual", compare<Predicate::sle>)
      .Case("Greater", compare<Predicate::sgt>)
      .Case("GreaterOrEqual", compare<Predicate::sge>)
      .Case("And", logicalAnd)
      .Case("Or", logicalOr)
      .Case("Where", choose)
      .Default(nullptr);
}

/// Elements of the broadcast of scalars and vectors, or nothing if lengths do not fit.
static std::optional<ShapeValue> evaluate(SizeArithmetic &s, EvalFn fn, ArrayRef<const ShapeValue *> inputs) {
  ShapeValue result;
  result.isScalar = llvm::all_of(inputs, [](const ShapeValue *value) { return value->isScalar; });
  size_t count = 1;
  for (const ShapeValue *value : inputs)
    if (value->elements.size() != 1)
      count = value->elements.size();
  for (size_t i = 0; i < count; ++i) {
    SmallVector<Size> x;
    for (const ShapeValue *value : inputs) {
      if (value->elements.size() != 1 && value->elements.size() != count)
        return std::nullopt;
      x.push_back(value->elements[value->elements.size() == 1 ? 0 : i]);
    }
    result.elements.push_back(fn(s, x));
  }
  return result;
}

/// Cast between integers (which are all index here) and bool.
static std::optional<ShapeValue> evaluateCast(SizeArithmetic &s, Node &node, const ShapeValue &input) {
  Type from = node.getInputElement(0), to = node.getResultElement();
  ShapeValue result = input;
  for (Size &size : result.elements) {
    if (from.isInteger(1) && !to.isInteger(1))
      size = s.select(size, s.constant(1), s.constant(0));
    else if (to.isInteger(1) && !from.isInteger(1))
      size = s.compare(Predicate::ne, size, s.constant(0));
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Structure
//===----------------------------------------------------------------------===//

static std::optional<ShapeValue> evaluateGather(Lowering &lowering, Node &node, const ShapeValue &data) {
  const ShapeValue *indices = lowering.getShapeValue(node.getInput(1));
  if (!indices || data.isScalar)
    return std::nullopt;
  ShapeValue result;
  result.isScalar = indices->isScalar;
  int64_t count = data.elements.size();
  for (Size size : indices->elements) {
    std::optional<int64_t> index = constantOf(size);
    if (!index || *index < -count || *index >= count)
      return std::nullopt;
    result.elements.push_back(data.elements[*index < 0 ? *index + count : *index]);
  }
  return result;
}

static std::optional<ShapeValue> evaluateSlice(Lowering &lowering, Node &node, const ShapeValue &data) {
  std::optional<SmallVector<int64_t>> starts = lowering.getConstantInts(node.getInput(1));
  std::optional<SmallVector<int64_t>> ends = lowering.getConstantInts(node.getInput(2));
  std::optional<SmallVector<int64_t>> steps = SmallVector<int64_t>{1};
  if (node.hasInput(4))
    steps = lowering.getConstantInts(node.getInput(4));
  if (!starts || !ends || !steps || starts->size() != 1 || ends->size() != 1 || steps->size() != 1)
    return std::nullopt;
  SizeArithmetic &s = lowering.sizes();
  SliceDim dim = sliceDim(s, s.constant(starts->front()), s.constant(ends->front()), steps->front(),
                          s.constant(data.elements.size()));
  int64_t start = *constantOf(dim.start), count = *constantOf(dim.size), step = *constantOf(dim.step);
  ShapeValue result;
  for (int64_t i = 0; i < count; ++i)
    result.elements.push_back(data.elements[start + i * step]);
  return result;
}

static std::optional<ShapeValue> evaluateConcat(ArrayRef<const ShapeValue *> inputs) {
  ShapeValue result;
  for (const ShapeValue *value : inputs)
    llvm::append_range(result.elements, value->elements);
  return result;
}

static std::optional<ShapeValue> evaluateReduction(SizeArithmetic &s, Node &node, const ShapeValue &input) {
  EvalFn fn = llvm::StringSwitch<EvalFn>(node.getName())
                  .Case("ReduceSum", fold<&SizeArithmetic::add>)
                  .Case("ReduceProd", fold<&SizeArithmetic::mul>)
                  .Case("ReduceMax", fold<&SizeArithmetic::max>)
                  .Case("ReduceMin", fold<&SizeArithmetic::min>)
                  .Default(nullptr);
  if (!fn || input.elements.empty())
    return std::nullopt;
  return ShapeValue{{fn(s, input.elements)}, node.getResultType().getRank() == 0};
}

/// A rank-0 or rank-1 view of the same elements.
static ShapeValue reshaped(Node &node, const ShapeValue &input) {
  return ShapeValue{input.elements, node.getResultType().getRank() == 0};
}

static std::optional<ShapeValue> evaluateShape(Lowering &lowering, Node &node) {
  Sizes sizes = lowering.getSizesOf(node.getInput(0));
  int64_t rank = sizes.size();
  auto clamp = [&](int64_t value) { return std::clamp<int64_t>(value < 0 ? value + rank : value, 0, rank); };
  int64_t start = clamp(node.getInt("start", 0)), end = clamp(node.getInt("end", rank));
  ShapeValue result;
  for (int64_t d = start; d < end; ++d)
    result.elements.push_back(sizes[d]);
  return result;
}

static std::optional<ShapeValue> evaluateExpand(Lowering &lowering, Node &node, const ShapeValue &input) {
  std::optional<SmallVector<int64_t>> shape = lowering.getConstantInts(node.getInput(1));
  if (!shape || shape->size() != 1 || input.elements.size() != 1 || shape->front() > kMaxElements)
    return std::nullopt;
  return ShapeValue{Sizes(std::max<int64_t>(1, shape->front()), input.elements.front()), false};
}

static std::optional<ShapeValue> evaluateConstantOfShape(Lowering &lowering, Node &node) {
  std::optional<SmallVector<int64_t>> shape = lowering.getConstantInts(node.getInput(0));
  if (!shape || shape->size() != 1 || shape->front() > kMaxElements)
    return std::nullopt;
  int64_t value = 0;
  if (auto given = dyn_cast_or_null<DenseElementsAttr>(node.getOperation()->getAttr("value")))
    value = (*given.getValues<APInt>().begin()).getSExtValue();
  Size element = node.getResultElement().isInteger(1) ? boolean(value != 0, node.getOperation()->getContext())
                                                      : lowering.sizes().constant(value);
  return ShapeValue{Sizes(shape->front(), element), false};
}

/// Operators whose first input alone is known scalars.
static std::optional<ShapeValue> evaluateStructural(Lowering &lowering, Node &node) {
  StringRef name = node.getName();
  const ShapeValue *first = lowering.getShapeValue(node.getInput(0));
  if (!first || isa<FloatType>(node.getResultElement()))
    return std::nullopt;
  ShapeValue input = *first;
  if (name == "Gather")
    return evaluateGather(lowering, node, input);
  if (name == "Slice")
    return evaluateSlice(lowering, node, input);
  if (name == "Cast")
    return evaluateCast(lowering.sizes(), node, input);
  if (name == "Expand")
    return evaluateExpand(lowering, node, input);
  if (name.starts_with("Reduce"))
    return evaluateReduction(lowering.sizes(), node, input);
  if (name == "Unsqueeze" || name == "Squeeze" || name == "Reshape" || name == "Identity" || name == "Flatten")
    return reshaped(node, input);
  return std::nullopt;
}

static std::optional<ShapeValue> evaluateElementwise(Lowering &lowering, Node &node) {
  EvalFn fn = getEvaluation(node);
  bool isConcat = node.getName() == "Concat";
  if (!fn && !isConcat)
    return std::nullopt;
  // Values are copied out: reading a constant may move those read before.
  SmallVector<ShapeValue> values;
  for (unsigned i = 0; i < node.getNumInputs(); ++i) {
    const ShapeValue *value = node.hasInput(i) ? lowering.getShapeValue(node.getInput(i)) : nullptr;
    if (!value)
      return std::nullopt;
    values.push_back(*value);
  }
  SmallVector<const ShapeValue *> inputs;
  for (const ShapeValue &value : values)
    inputs.push_back(&value);
  return isConcat ? evaluateConcat(inputs) : evaluate(lowering.sizes(), fn, inputs);
}

FailureOr<bool> leaf::onnxtolinalg::lowerShapeArithmetic(Lowering &lowering, Node &node) {
  if (node.getOperation()->getNumResults() != 1)
    return false;
  RankedTensorType type = node.getResultType();
  if (!isa<IntegerType>(type.getElementType()) || type.getRank() > 1)
    return false;
  StringRef name = node.getName();
  std::optional<ShapeValue> result;
  if (name == "Shape")
    result = evaluateShape(lowering, node);
  else if (name == "Size")
    result = ShapeValue{{lowering.sizes().product(lowering.getSizesOf(node.getInput(0)))}, true};
  else if (name == "ConstantOfShape")
    result = evaluateConstantOfShape(lowering, node);
  else if (node.getNumInputs() > 0 && node.hasInput(0))
    result = evaluateStructural(lowering, node);
  if (!result && node.getNumInputs() > 0)
    result = evaluateElementwise(lowering, node);
  if (!result || result->elements.size() > kMaxElements)
    return false;
  lowering.setShapeValue(node.getOperation()->getResult(0), std::move(*result));
  return true;
}

static LogicalResult lowerShape(Lowering &, Node &node) {
  return node.emitError() << "of a tensor with more than " << kMaxElements << " dimensions is not supported";
}

void leaf::onnxtolinalg::registerShapes(Registry &registry) {
  // Evaluated by lowerShapeArithmetic.
  registry.add("Shape", lowerShape);
  registry.add("Size", lowerShape);
}
