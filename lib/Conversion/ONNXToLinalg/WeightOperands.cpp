//===- WeightOperands.cpp - stored weights and their conversion --------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "WeightOperands.h"

#include "Scalars.h"
#include "leafcutter/Support/ElementTypes.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::onnxtolinalg;

/// Scale and zero point of a DequantizeLinear are constants that one rule covers: per tensor or per axis.
static bool hasFoldableParameters(Lowering &lowering, Node &node) {
  if (node.getInt("block_size", 0) != 0)
    return false;
  for (unsigned i = 1; i <= 2; ++i)
    if (node.hasInput(i) && (!lowering.getConstant(node.getInput(i)) || node.getInputType(i).getRank() > 1))
      return false;
  return true;
}

bool leaf::onnxtolinalg::isFoldableIntoReader(Lowering &lowering, Node &node) {
  StringRef name = node.getName();
  if (name != "Cast" && name != "DequantizeLinear" && name != "Transpose")
    return false;
  Operation *inner = lowering.getDeferred(node.getInput(0));
  bool isWeight = static_cast<bool>(lowering.getConstant(node.getInput(0)));
  if (name == "Transpose")
    return isWeight || inner;
  if (!isWeight &&
      !(inner && lowering.nodeOf(inner).getName() == "Transpose" && lowering.getConstant(inner->getOperand(0))))
    return false;
  if (name == "Cast")
    return isa<FloatType>(node.getResultElement()) && !isSmallFloat(node.getResultElement()) &&
           node.getResultType().getRank() > 0;
  return hasFoldableParameters(lowering, node);
}

/// Dimension i of the result of two transpositions, `first` then `second`.
static SmallVector<int64_t> compose(ArrayRef<int64_t> first, ArrayRef<int64_t> second) {
  if (first.empty())
    return SmallVector<int64_t>(second);
  return llvm::map_to_vector(second, [&](int64_t d) { return first[d]; });
}

static void setParameter(Lowering &lowering, Node &node, unsigned input, Value &tensor, TypedAttr &constant) {
  Value onnx = node.getInput(input);
  if (std::optional<Attribute> splat = lowering.getSplat(onnx)) {
    constant = signlessAttr(*splat);
    return;
  }
  tensor = lowering.getTensor(onnx);
}

WeightOperand leaf::onnxtolinalg::getWeightOperand(Lowering &lowering, Value onnx) {
  Operation *op = lowering.getDeferred(onnx);
  WeightOperand result;
  if (!op) {
    result.stored = lowering.getTensor(onnx);
    result.storedType = result.type = lowering.getONNXType(onnx).getElementType();
    return result;
  }
  Node node = lowering.nodeOf(op);
  result = getWeightOperand(lowering, op->getOperand(0));
  if (node.getName() == "Transpose") {
    SmallVector<int64_t> perm = node.getInts("perm");
    if (perm.empty())
      perm = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, node.getResultType().getRank())));
    result.perm = compose(result.perm, perm);
    return result;
  }
  result.type = node.getResultElement();
  if (node.getName() == "Cast")
    return result;
  setParameter(lowering, node, 1, result.scale, result.scaleConstant);
  // Floats have no zero point.
  if (node.hasInput(2) && isa<IntegerType>(result.storedType)) {
    setParameter(lowering, node, 2, result.zero, result.zeroConstant);
    result.zeroType = node.getInputElement(2);
  }
  result.axis = node.getAxis("axis", 1, node.getResultType().getRank());
  if (!result.perm.empty())
    result.axis = result.perm[result.axis];
  return result;
}

Value WeightOperand::convert(OpBuilder &b, Location loc, Value element, Value scaleElement, Value zeroElement) const {
  Type compute = computeType(type);
  if (scaleConstant)
    scaleElement = arith::ConstantOp::create(b, loc, scaleConstant);
  if (zeroConstant)
    zeroElement = arith::ConstantOp::create(b, loc, zeroConstant);
  if (!scaleElement) {
    element = convertElement(b, loc, element, storedType, compute);
    return zeroElement ? arith::SubIOp::create(b, loc, element, convertElement(b, loc, zeroElement, zeroType, compute))
                             .getResult()
                       : element;
  }
  if (zeroElement) {
    Type wide = b.getI32Type();
    Value difference = arith::SubIOp::create(b, loc, convertElement(b, loc, element, storedType, wide),
                                             convertElement(b, loc, zeroElement, zeroType, wide));
    element = convertElement(b, loc, difference, wide, compute);
  } else {
    element = convertElement(b, loc, element, storedType, compute);
  }
  scaleElement = convertElement(b, loc, scaleElement, scaleElement.getType(), compute);
  return arith::MulFOp::create(b, loc, element, scaleElement);
}

Operand Lowering::getOperand(Value onnx) {
  Operand result;
  result.element = getONNXType(onnx).getElementType();
  if (deferred.count(onnx)) {
    WeightOperand weight = getWeightOperand(*this, onnx);
    if (weight.perm.empty() && !weight.scale && !weight.zero) {
      result.tensor = weight.stored;
      result.load = [weight, type = result.element](OpBuilder &b, Location loc, Value element) {
        Value value = weight.convert(b, loc, element, nullptr, nullptr);
        return convertElement(b, loc, value, computeType(weight.type), signless(type));
      };
      return result;
    }
  }
  result.tensor = getTensor(onnx);
  result.load = [](OpBuilder &, Location, Value element) { return element; };
  return result;
}
