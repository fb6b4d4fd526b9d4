//===- SinkTranspose.h - moves a Transpose below one op -----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_TRANSFORMS_SINKTRANSPOSE_H
#define LEAFCUTTER_LIB_TRANSFORMS_SINKTRANSPOSE_H

#include "leafcutter/Transforms/Shapes.h"

namespace leaf {

/// Moves the Transpose ops before `op` below it, where that leaves no more of them than there were: op(T(a), T(b))
/// becomes T(op'(a, b)), op' having its axes, pads, constants permuted. Replaces and erases `op` and returns true when
/// it did.
bool sinkTransposes(mlir::Operation *op);

/// Gemm(Reshape(T(x)), W) becomes Gemm(Reshape(x), W') with the rows of the constant W permuted, likewise MatMul.
bool permuteWeightRows(mlir::Operation *op);

} // namespace leaf

#endif // LEAFCUTTER_LIB_TRANSFORMS_SINKTRANSPOSE_H
