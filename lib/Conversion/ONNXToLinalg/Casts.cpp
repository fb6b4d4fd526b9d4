//===- Casts.cpp - Cast and CastLike -----------------------------------------===//
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

void leaf::onnxtolinalg::registerCasts(Registry &registry) {
  registry.add("Cast", lowerCast);
  registry.add("CastLike", lowerCast);
}
