//===- Reshapes.cpp - operators that only change the shape -------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "Plan/Plan.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::onnxtolinalg;

/// The tensor at `sizes`, checked at run time where the number of elements is not known to agree.
static void setReshaped(Lowering &lowering, Node &node, Value data, ArrayRef<Size> sizes) {
  SizeArithmetic &s = lowering.sizes();
  Sizes source = lowering.getSizes(data);
  if (!(s.factor(source) == s.factor(sizes))) {
    Size equal = s.compare(arith::CmpIPredicate::eq, s.product(source), s.product(sizes));
    plan::RequireOp::create(lowering.b(), lowering.loc(), s.value(equal),
                            lowering.b().getStringAttr("reshape must keep the number of elements"));
  }
  lowering.setTensor(node.getOperation()->getResult(0), lowering.reshape(data, sizes));
}

/// The size that -1 stands for: what is left of `source` after the other sizes.
static Size inferSize(SizeArithmetic &s, ArrayRef<Size> source, ArrayRef<Size> others) {
  SizeArithmetic::Product all = s.factor(source), known = s.factor(others);
  SmallVector<Value> rest;
  for (Value factor : known.factors) {
    auto it = llvm::find(all.factors, factor);
    if (it != all.factors.end())
      all.factors.erase(it);
    else
      rest.push_back(factor);
  }
  known.factors = rest;
  return s.divFloor(s.fromProduct(all), s.fromProduct(known));
}

static LogicalResult lowerReshape(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Value data = lowering.getTensor(node.getInput(0));
  Sizes source = lowering.getSizes(data), sizes, others;
  FailureOr<ShapeValue> shape = lowering.readShapeValue(node, 1);
  if (failed(shape))
    return failure();
  bool allowZero = node.getInt("allowzero", 0) != 0;
  std::optional<size_t> inferred;
  for (auto [d, size] : llvm::enumerate(shape->elements)) {
    std::optional<int64_t> c = constantOf(size);
    if (c == -1) {
      inferred = d;
      sizes.push_back(s.constant(1));
      continue;
    }
    if (c == 0 && !allowZero) {
      if (d >= source.size())
        return node.emitError() << "copies dimension " << d << ", which its input does not have";
      size = source[d];
    }
    sizes.push_back(size);
    others.push_back(size);
  }
  if (inferred)
    sizes[*inferred] = inferSize(s, source, others);
  setReshaped(lowering, node, data, lowering.refine(sizes, node));
  return success();
}

static LogicalResult lowerFlatten(Lowering &lowering, Node &node) {
  Value data = lowering.getTensor(node.getInput(0));
  Sizes source = lowering.getSizes(data);
  int64_t axis = node.getAxis("axis", 1, source.size());
  ArrayRef<Size> all(source);
  Sizes sizes = {lowering.sizes().product(all.take_front(axis)), lowering.sizes().product(all.drop_front(axis))};
  setReshaped(lowering, node, data, lowering.refine(sizes, node));
  return success();
}

/// Constant axes of input 1 in [0, rank), sorted.
static FailureOr<SmallVector<int64_t>> getAxes(Lowering &lowering, Node &node, int64_t rank) {
  std::optional<SmallVector<int64_t>> axes = lowering.getConstantInts(node.getInput(1));
  if (!axes)
    return node.emitError() << "has axes that are not constant";
  for (int64_t &axis : *axes)
    axis += axis < 0 ? rank : 0;
  llvm::sort(*axes);
  return *axes;
}

static LogicalResult lowerUnsqueeze(Lowering &lowering, Node &node) {
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  FailureOr<SmallVector<int64_t>> axes = getAxes(lowering, node, node.getResultType().getRank());
  if (failed(axes))
    return failure();
  for (int64_t axis : *axes)
    sizes.insert(sizes.begin() + axis, lowering.sizes().constant(1));
  setReshaped(lowering, node, data, sizes);
  return success();
}

static LogicalResult lowerSqueeze(Lowering &lowering, Node &node) {
  Value data = lowering.getTensor(node.getInput(0));
  Sizes source = lowering.getSizes(data), sizes;
  SmallVector<int64_t> axes;
  if (node.hasInput(1)) {
    FailureOr<SmallVector<int64_t>> given = getAxes(lowering, node, source.size());
    if (failed(given))
      return failure();
    axes = *given;
  }
  for (auto [d, size] : llvm::enumerate(source)) {
    bool drop = node.hasInput(1) ? llvm::is_contained(axes, static_cast<int64_t>(d)) : constantOf(size) == 1;
    if (!drop)
      sizes.push_back(size);
  }
  setReshaped(lowering, node, data, sizes);
  return success();
}

void leaf::onnxtolinalg::registerReshapes(Registry &registry) {
  registry.add("Reshape", lowerReshape);
  registry.add("Flatten", lowerFlatten);
  registry.add("Unsqueeze", lowerUnsqueeze);
  registry.add("Squeeze", lowerSqueeze);
}
