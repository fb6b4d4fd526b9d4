//===- KernelGroups.h - which ops become one kernel --------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_FORM_KERNELGROUPS_H
#define LEAF_LIB_FORM_KERNELGROUPS_H

#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/SmallVector.h"

namespace leaf {

/// Compute ops of one block that are to become one kernel. Fills and tensor.empty are no members: they are copied into
/// the kernels that use them.
struct KernelGroup {
  llvm::SmallVector<mlir::Operation *> ops; ///< in block order
  unsigned sharedLoops = 0;                 ///< leading loops that all ops have in common; 0 for a single op
};

/// True for the ops that a kernel is made of: linalg.generic, leaf.contract, leaf.concat.
bool isComputeOp(mlir::Operation *op);

/// The groups of `block`, ordered by their last op. Every compute op is in exactly one; groups are convex: no path
/// leads out of a group and back into it.
llvm::SmallVector<KernelGroup> findKernelGroups(mlir::Block &block);

} // namespace leaf

#endif // LEAF_LIB_FORM_KERNELGROUPS_H
