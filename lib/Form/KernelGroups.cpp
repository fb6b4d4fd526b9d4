//===- KernelGroups.cpp - which ops become one kernel ------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "KernelGroups.h"
#include "Leaf/Leaf.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace leaf;

bool leaf::isComputeOp(Operation *op) { return isa<linalg::GenericOp, ContractOp, ConcatOp>(op); }

SmallVector<KernelGroup> leaf::findKernelGroups(Block &block) {
  SmallVector<KernelGroup> groups;
  for (Operation &op : block)
    if (isComputeOp(&op))
      groups.push_back({{&op}, 0});
  return groups;
}
