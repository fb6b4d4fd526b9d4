//===- Elementwise.h - operators that work element by element ----*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_ELEMENTWISE_H
#define LEAF_CONVERSION_ONNXTOLINALG_ELEMENTWISE_H

#include "Lowering.h"
#include "Scalars.h"

namespace leaf::onnxtolinalg {

/// Emits the scalar code of an operator. `x` has one value of compute type per input (null where absent); `s` works in
/// the type of input `typeInput`. Returns a value of the compute type of the result, or null after an error.
using EmitFn = mlir::Value (*)(Scalar &s, Node &node, llvm::ArrayRef<mlir::Value> x);

/// Lowers `node` to one linalg.generic over the broadcast of its inputs; constants with one distinct element are part
/// of the body.
mlir::LogicalResult lowerElementwise(Lowering &lowering, Node &node, EmitFn emit, unsigned typeInput = 0);

/// A LowerFn of an operator whose scalar code is `emit`.
template <EmitFn emit, unsigned typeInput = 0> mlir::LogicalResult elementwise(Lowering &lowering, Node &node) {
  return lowerElementwise(lowering, node, emit, typeInput);
}

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_ELEMENTWISE_H
