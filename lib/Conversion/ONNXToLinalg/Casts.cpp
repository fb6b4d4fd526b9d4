//===- Casts.cpp - Cast, CastLike, BitCast -------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

static Value emitCast(Scalar &s, Node &node, ArrayRef<Value> x) {
  Type to = node.getResultElement();
  if (!isa<IntegerType, FloatType>(to) || !isa<IntegerType, FloatType>(s.element)) {
    node.emitError() << "from " << s.element << " to " << to << " is not supported";
    return nullptr;
  }
  return convertElement(s.b, s.loc, x[0], s.isFloat ? s.type : s.element, to);
}

static LogicalResult lowerCast(Lowering &lowering, Node &node) {
  if (Lowering::signless(node.getInputElement(0)) == Lowering::signless(node.getResultElement())) {
    lowering.setTensor(node.getOperation()->getResult(0), lowering.getTensor(node.getInput(0)));
    return success();
  }
  return lowerElementwise(lowering, node, emitCast);
}

/// Only the type of the second operand counts.
static LogicalResult lowerCastLike(Lowering &lowering, Node &node) {
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  Type from = node.getInputElement(0), to = node.getResultElement();
  if (!isa<IntegerType, FloatType>(to) || !isa<IntegerType, FloatType>(from))
    return node.emitError() << "from " << from << " to " << to << " is not supported";
  Value result = lowering.pointwise(
      data, lowering.b().getMultiDimIdentityMap(sizes.size()), sizes, to,
      [&](OpBuilder &b, Location loc, ValueRange args) { return convertElement(b, loc, args[0], from, to); });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

static LogicalResult lowerBitCast(Lowering &lowering, Node &node) {
  Type from = Lowering::signless(node.getInputElement(0)), to = Lowering::signless(node.getResultElement());
  if (from.getIntOrFloatBitWidth() != to.getIntOrFloatBitWidth() || from.isInteger(1) != to.isInteger(1))
    return node.emitError() << "from " << node.getInputElement(0) << " to " << node.getResultElement()
                            << " is not supported: only types of the same width are";
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  if (from != to)
    data = lowering.pointwise(data, lowering.b().getMultiDimIdentityMap(sizes.size()), sizes, to,
                              [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                                return arith::BitcastOp::create(b, loc, to, args[0]);
                              });
  lowering.setTensor(node.getOperation()->getResult(0), data);
  return success();
}

void leaf::onnxtolinalg::registerCasts(Registry &registry) {
  registry.add("Cast", lowerCast);
  registry.add("CastLike", lowerCastLike);
  registry.add("BitCast", lowerBitCast);
}
