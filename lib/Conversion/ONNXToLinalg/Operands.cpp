//===- Operands.cpp - what operands must be like -----------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Operands.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

LogicalResult leaf::onnxtolinalg::expectSizes(Lowering &lowering, Node &node, unsigned input, ArrayRef<Size> sizes) {
  Sizes given = lowering.getSizesOf(node.getInput(input));
  if (given.size() != sizes.size())
    return node.emitError() << "has input " << input << " of rank " << given.size() << ", not " << sizes.size();
  for (auto [a, b] : llvm::zip(given, sizes))
    if (failed(lowering.unify(node, a, b)))
      return failure();
  return success();
}
