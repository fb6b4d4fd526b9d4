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
  unsigned sharedLoops = 0;                 ///< loops that all ops have in common; 0 for a single op
  /// Per op the loops that are shared, in the order that is common to all, and those that come next; empty for a single
  /// op.
  llvm::SmallVector<llvm::SmallVector<unsigned>> rowLoops;
};

/// True for the ops that a kernel is made of: linalg.generic, leaf.contract, leaf.concat.
bool isComputeOp(mlir::Operation *op);

/// The groups of `block`. Every compute op is in exactly one. No path leads out of a group and back into it, through
/// other groups either, so that the calls can be ordered.
///
/// Row groups are grown around reductions: generics that read each other's results row by row, where a row is what the
/// reduction's parallel loops select. Each tensor between them has the rows as its first dimensions, and no op with
/// loops inside of a row walks along its rows innermost. Besides, a contraction joins the one that it alone reads,
/// where rows of that one's result stay in the cache and the whole does not; and attention is one kernel, from scores
/// to sums of values (RowChain.h).
llvm::SmallVector<KernelGroup> findKernelGroups(mlir::Block &block);

/// Interchanges the loops of the group's ops so that the shared ones come first.
void putSharedLoopsFirst(const KernelGroup &group);

} // namespace leaf

#endif // LEAF_LIB_FORM_KERNELGROUPS_H
