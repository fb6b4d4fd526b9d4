//===- UnrollLoop.h - onnx.Loop, iteration by iteration ----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_TRANSFORMS_UNROLLLOOP_H
#define LEAF_LIB_TRANSFORMS_UNROLLLOOP_H

#include "mlir/IR/Operation.h"

namespace leaf {

/// Whether `value`, the condition with which the body of an onnx.Loop ends or the Loop begins, always holds: a constant
/// true, or the body's own condition handed on.
bool isAlwaysTrue(mlir::Value value, mlir::Block &body);

/// Replaces an onnx.Loop whose trip count is constant, and which does not end before, by its iterations; collected
/// outputs are concatenated. Returns the op that now stands where the Loop stood, or null where it cannot be unrolled.
mlir::Operation *unrollLoop(mlir::Operation *loop);

} // namespace leaf

#endif // LEAF_LIB_TRANSFORMS_UNROLLLOOP_H
