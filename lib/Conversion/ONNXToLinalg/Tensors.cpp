//===- Tensors.cpp - sizes, generics and reshapes ----------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "leafcutter/Support/ElementTypes.h"

#include "Plan/Plan.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::onnxtolinalg;

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

Sizes Lowering::getSizes(Value tensor) {
  if (auto it = tensorSizes.find(tensor); it != tensorSizes.end())
    return it->second;
  Sizes result;
  auto type = cast<RankedTensorType>(tensor.getType());
  for (auto [d, size] : llvm::enumerate(type.getShape())) {
    if (!ShapedType::isDynamic(size)) {
      result.push_back(arithmetic.constant(size));
      continue;
    }
    Value dim = tensor::DimOp::create(builder, currentLoc, tensor, d);
    arithmetic.setNonNegative(dim);
    result.push_back(dim);
  }
  setSizes(tensor, result);
  return result;
}

Sizes Lowering::getSizesOf(Value onnx) {
  if (tensors.count(onnx))
    return getSizes(tensors.lookup(onnx));
  // Constants and scalars have static shapes; a deferred op has its weight's.
  Sizes result;
  for (int64_t size : cast<RankedTensorType>(onnx.getType()).getShape())
    result.push_back(arithmetic.constant(size));
  if (auto it = shapeValues.find(onnx); it != shapeValues.end() && !it->second.isScalar)
    result = {arithmetic.constant(it->second.elements.size())};
  return result;
}

void Lowering::setSizes(Value tensor, ArrayRef<Size> sizes) { tensorSizes[tensor] = Sizes(sizes); }

Sizes Lowering::refine(ArrayRef<Size> sizes, Node &node, unsigned i) {
  Sizes result(sizes);
  auto type = dyn_cast<RankedTensorType>(node.getOperation()->getResult(i).getType());
  if (!type || type.getRank() != static_cast<int64_t>(sizes.size()))
    return result;
  std::optional<int64_t> bound = node.getBound(i);
  for (auto [d, size] : llvm::enumerate(type.getShape()))
    if (!ShapedType::isDynamic(size) && !constantOf(result[d]))
      result[d] = arithmetic.constant(size);
    else if (bound)
      result[d] = limit(result[d], *bound);
  return result;
}

void Lowering::requireWithinBound(Size condition, StringRef message) {
  plan::RequireOp::create(builder, currentLoc, arithmetic.value(condition), builder.getStringAttr(message),
                          builder.getUnitAttr());
}

Size Lowering::limit(Size size, int64_t bound) {
  if (std::optional<int64_t> known = arithmetic.upperBound(size); known && *known <= bound)
    return size;
  // Unsigned: a negative size is above each bound.
  requireWithinBound(arithmetic.compare(arith::CmpIPredicate::ule, size, arithmetic.constant(bound)),
                     "a size is above its bound");
  Value limited =
      BoundOp::create(builder, currentLoc, arithmetic.value(size), builder.getI64IntegerAttr(bound)).getResult();
  arithmetic.setNonNegative(limited);
  return limited;
}

FailureOr<Size> Lowering::unify(Node &node, Size a, Size b) {
  if (arithmetic.same(a, b))
    return a;
  std::optional<int64_t> ca = constantOf(a), cb = constantOf(b);
  if (ca && cb)
    return node.emitError() << "dimensions " << *ca << " and " << *cb << " must be equal";
  Size equal = arithmetic.compare(arith::CmpIPredicate::eq, a, b);
  plan::RequireOp::create(builder, currentLoc, arithmetic.value(equal), builder.getStringAttr("sizes must be equal"));
  return ca ? a : cb ? b : a;
}

FailureOr<Sizes> Lowering::broadcast(Node &node, ArrayRef<Sizes> shapes) {
  size_t rank = 0;
  for (const Sizes &shape : shapes)
    rank = std::max(rank, shape.size());
  Sizes result(rank, arithmetic.constant(1));
  for (size_t d = 0; d < rank; ++d) {
    std::optional<Size> size;
    for (const Sizes &shape : shapes) {
      if (shape.size() + d < rank)
        continue;
      Size candidate = shape[shape.size() + d - rank];
      if (constantOf(candidate) == 1)
        continue;
      FailureOr<Size> both = size ? unify(node, *size, candidate) : FailureOr<Size>(candidate);
      if (failed(both))
        return failure();
      size = *both;
    }
    if (size)
      result[d] = *size;
  }
  return result;
}

AffineMap Lowering::broadcastMap(ArrayRef<Size> sizes, ArrayRef<Size> outSizes) {
  SmallVector<AffineExpr> exprs;
  size_t shift = outSizes.size() - sizes.size();
  for (size_t d = 0; d < sizes.size(); ++d) {
    bool isBroadcast = constantOf(sizes[d]) == 1 && constantOf(outSizes[d + shift]) != 1;
    exprs.push_back(isBroadcast ? builder.getAffineConstantExpr(0) : builder.getAffineDimExpr(d + shift));
  }
  return AffineMap::get(outSizes.size(), 0, exprs, builder.getContext());
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

Type Lowering::signless(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type))
    return IntegerType::get(type.getContext(), integer.getWidth() == 1 ? 1 : std::max(integer.getWidth(), 8u));
  return isSmallFloat(type) ? IntegerType::get(type.getContext(), 8) : type;
}

RankedTensorType Lowering::tensorType(ArrayRef<Size> sizes, Type element) {
  SmallVector<int64_t> shape;
  for (Size size : sizes)
    shape.push_back(constantOf(size).value_or(ShapedType::kDynamic));
  return RankedTensorType::get(shape, signless(element));
}

Value Lowering::empty(ArrayRef<Size> sizes, Type element) {
  Value result = tensor::EmptyOp::create(builder, currentLoc, sizes, signless(element));
  setSizes(result, sizes);
  return result;
}

Value Lowering::fill(ArrayRef<Size> sizes, Type element, TypedAttr value) {
  Value scalar = arith::ConstantOp::create(builder, currentLoc, value);
  Value init = empty(sizes, element);
  Value result = linalg::FillOp::create(builder, currentLoc, scalar, init).getResult(0);
  setSizes(result, sizes);
  return result;
}

SmallVector<Value> Lowering::generic(ValueRange ins, ValueRange inits, ArrayRef<AffineMap> maps,
                                     ArrayRef<utils::IteratorType> iterators, BodyBuilder body) {
  SmallVector<Type> types(inits.getTypes());
  auto op = linalg::GenericOp::create(
      builder, currentLoc, types, ins, inits, maps, iterators,
      [&](OpBuilder &b, Location loc, ValueRange args) { linalg::YieldOp::create(b, loc, body(b, loc, args)); });
  for (auto [result, init] : llvm::zip(op.getResults(), inits))
    setSizes(result, getSizes(init));
  return SmallVector<Value>(op.getResults());
}

Value Lowering::pointwise(ValueRange ins, ArrayRef<AffineMap> inMaps, ArrayRef<Size> outSizes, Type element,
                          function_ref<Value(OpBuilder &, Location, ValueRange)> body) {
  SmallVector<AffineMap> maps(inMaps);
  maps.push_back(builder.getMultiDimIdentityMap(outSizes.size()));
  SmallVector<utils::IteratorType> iterators(outSizes.size(), utils::IteratorType::parallel);
  return generic(ins, empty(outSizes, element), maps, iterators,
                 [&](OpBuilder &b, Location loc, ValueRange args) -> SmallVector<Value> {
                   return {body(b, loc, args.drop_back())};
                 })
      .front();
}

Value Lowering::castTo(Value tensor, RankedTensorType type) {
  if (tensor.getType() == type)
    return tensor;
  Value result = tensor::CastOp::create(builder, currentLoc, type, tensor);
  Sizes sizes = getSizes(tensor);
  for (auto [d, size] : llvm::enumerate(type.getShape()))
    if (!ShapedType::isDynamic(size))
      sizes[d] = arithmetic.constant(size);
  setSizes(result, sizes);
  return result;
}

//===----------------------------------------------------------------------===//
// Reshape
//===----------------------------------------------------------------------===//

namespace {
/// Consecutive dimensions of the source and of the result that hold the same elements.
struct Group {
  ReassociationIndices source, result;
};
} // namespace

/// The smallest next group that starts at (i, j), or one up to the end of both.
static Group nextGroup(SizeArithmetic &sizes, ArrayRef<Size> source, ArrayRef<Size> result, size_t i, size_t j) {
  auto make = [&](size_t a, size_t b) {
    Group group;
    for (size_t k = 0; k < a; ++k)
      group.source.push_back(i + k);
    for (size_t k = 0; k < b; ++k)
      group.result.push_back(j + k);
    return group;
  };
  size_t left = source.size() - i, right = result.size() - j;
  for (size_t total = 2; total < left + right; ++total)
    for (size_t a = 1; a < total; ++a) {
      size_t b = total - a;
      if (a <= left && b <= right && (a < left) == (b < right) &&
          sizes.factor(source.slice(i, a)) == sizes.factor(result.slice(j, b)))
        return make(a, b);
    }
  return make(left, right);
}

static SmallVector<Group> groupDims(SizeArithmetic &sizes, ArrayRef<Size> source, ArrayRef<Size> result) {
  SmallVector<Group> groups;
  for (size_t i = 0, j = 0; i < source.size();) {
    groups.push_back(nextGroup(sizes, source, result, i, j));
    i += groups.back().source.size();
    j += groups.back().result.size();
  }
  return groups;
}

Value Lowering::reshape(Value tensor, ArrayRef<Size> sizes) {
  Sizes source = getSizes(tensor);
  Type element = cast<RankedTensorType>(tensor.getType()).getElementType();
  if (source.size() == sizes.size() &&
      llvm::all_of_zip(source, sizes, [&](Size a, Size b) { return arithmetic.same(a, b); }))
    return tensor;
  tensor = castTo(tensor, tensorType(source, element));
  SmallVector<ReassociationIndices> collapse, expand;
  Sizes middle;
  if (!source.empty() && !sizes.empty()) {
    for (Group &group : groupDims(arithmetic, source, sizes)) {
      Sizes dims;
      for (int64_t d : group.result)
        dims.push_back(sizes[d]);
      middle.push_back(arithmetic.product(dims));
      collapse.push_back(group.source);
      expand.push_back(group.result);
    }
  }
  if (middle.size() != source.size()) {
    Value collapsed = tensor::CollapseShapeOp::create(builder, currentLoc, tensor, collapse);
    setSizes(collapsed, middle);
    tensor = collapsed;
  }
  // A collapsed dimension may be known better, or less, than the product of its parts.
  tensor = castTo(tensor, tensorType(middle, element));
  setSizes(tensor, middle);
  if (middle.size() == sizes.size())
    return tensor;
  Value expanded =
      tensor::ExpandShapeOp::create(builder, currentLoc, tensorType(sizes, element), tensor, expand, sizes);
  setSizes(expanded, sizes);
  return expanded;
}
