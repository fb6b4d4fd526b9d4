//===- Branches.h - branches of onnx.If --------------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_TRANSFORMS_BRANCHES_H
#define LEAF_LIB_TRANSFORMS_BRANCHES_H

#include "mlir/IR/Operation.h"

namespace leaf {

/// Replaces an onnx.If whose condition is a constant by the ops of the branch taken and erases it. Returns the op that
/// now stands first where the If stood, or null where the condition is not known.
mlir::Operation *inlineKnownBranch(mlir::Operation *ifOp);

/// Replaces the ops of a branch (0: else, 1: then) that cannot run by zeros of the other branch's types, and marks the
/// If with `reason`, as `leaf.invalid_else` or `leaf.invalid_then`: taking that branch is an error of the run. Fails
/// where the other branch is invalid too, or its types are not known.
mlir::LogicalResult invalidateBranch(mlir::Operation *ifOp, unsigned region, llvm::StringRef reason);

} // namespace leaf

#endif // LEAF_LIB_TRANSFORMS_BRANCHES_H
