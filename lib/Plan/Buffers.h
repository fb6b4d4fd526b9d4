//===- Buffers.h - who writes a buffer of the plan -------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_PLAN_BUFFERS_H
#define LEAF_LIB_PLAN_BUFFERS_H

#include "Plan/Plan.h"

namespace leaf {

/// The one call that writes `buffer`; null where none or several do, or where anything but calls, loads and views that
/// are only read uses it. Such a buffer may become a view of another one.
plan::CallOp getOnlyWriter(mlir::Value buffer);

/// Replaces all uses of `buffer` with `with`, which has the same shape and may have other strides: views of it follow.
void replaceBuffer(mlir::Value buffer, mlir::Value with);

/// The box of `shape` elements (dense steps) that begins at `offsets` of `whole`, as a view.
mlir::Value createBox(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value whole, llvm::ArrayRef<int64_t> offsets,
                      llvm::ArrayRef<int64_t> shape);

/// Erases the kernels of `module` that nothing calls any more and that `matches`.
void eraseUncalledKernels(mlir::ModuleOp module, llvm::function_ref<bool(plan::KernelOp)> matches);

} // namespace leaf

#endif // LEAF_LIB_PLAN_BUFFERS_H
