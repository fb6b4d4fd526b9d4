//===- KernelCost.h - what a kernel computes and moves -----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_CODEGEN_KERNELCOST_H
#define LEAF_LIB_CODEGEN_KERNELCOST_H

#include "Plan/Plan.h"

namespace leaf::codegen {

/// An estimate from the loops of a kernel and the sizes of its buffers; sizes that are not static count with their
/// bounds.
struct KernelCost {
  double operations = 0; ///< scalar ones; a multiply-add is two, a math function as many as its polynomial
  double bytes = 0;      ///< read or written, each buffer once; of a buffer that is gathered from, what is read
  bool known = true;     ///< false: a size has no bound, or the loops are the op's own (leaf.forall)
};

/// `boundOf(operand, dim)`: the largest size of a dimension over all calls, -1 where unknown.
KernelCost estimateCost(plan::KernelOp kernel, llvm::function_ref<int64_t(unsigned, unsigned)> boundOf);

} // namespace leaf::codegen

#endif // LEAF_LIB_CODEGEN_KERNELCOST_H
