//===- CopyKernel.h - kernels that copy a tensor -----------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_PLAN_COPYKERNEL_H
#define LEAF_LIB_PLAN_COPYKERNEL_H

#include "Plan/Plan.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/SymbolTable.h"

namespace leaf {

/// Hands out copy kernels of a module, one per pair of types.
class CopyKernels {
public:
  explicit CopyKernels(mlir::ModuleOp module) : symbols(module) {}

  /// The kernel that copies a `source` into a `destination`, two types of the same shape but for what is dynamic.
  plan::KernelOp get(mlir::Location loc, mlir::RankedTensorType source, mlir::RankedTensorType destination);

private:
  mlir::SymbolTable symbols;
  llvm::DenseMap<std::pair<mlir::Type, mlir::Type>, plan::KernelOp> kernels;
};

} // namespace leaf

#endif // LEAF_LIB_PLAN_COPYKERNEL_H
