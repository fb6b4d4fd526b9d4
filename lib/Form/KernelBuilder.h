//===- KernelBuilder.h - makes a plan.kernel out of a group ------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_FORM_KERNELBUILDER_H
#define LEAF_LIB_FORM_KERNELBUILDER_H

#include "KernelGroups.h"
#include "Plan/Plan.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/SetVector.h"

namespace leaf {

/// Outlines one group: collects what the kernel takes, clones the ops into it, puts a call behind the last op and
/// replaces the uses of the group's results. The group's ops stay behind without uses.
///
/// Expects that every init is a tensor.empty or a linalg.fill of one with a constant, and that regions capture no
/// scalars but constants and sizes (`prepareForOutlining`).
class KernelBuilder {
public:
  KernelBuilder(const KernelGroup &group, mlir::SymbolTable &symbols) : group(group), symbols(symbols) {}

  /// Makes the kernel, called `name`. Fails with an error at the op that no kernel can hold.
  mlir::LogicalResult run(llvm::StringRef name);

private:
  bool isInside(mlir::Value value) const;
  mlir::LogicalResult collect();
  mlir::LogicalResult collectValue(mlir::Operation *op, mlir::Value value);
  void collectSizes(mlir::tensor::EmptyOp empty);
  void cloneBody(mlir::OpBuilder &builder, mlir::Block &body);
  mlir::Value cloneInit(mlir::OpBuilder &builder, mlir::Value init, mlir::Value destination);
  /// Copies the constant or tensor.empty that defines `value` into the kernel, once.
  mlir::Value cloneIn(mlir::OpBuilder &builder, mlir::Value value);
  plan::CallOp createCall(plan::KernelOp kernel);

  const KernelGroup &group;
  mlir::SymbolTable &symbols;
  llvm::SetVector<mlir::Value> inputs, sizes;
  llvm::SmallVector<mlir::OpResult> results; ///< those used outside of the group, in order
  mlir::IRMapping mapping;                   ///< outside value -> kernel value
};

/// Per result (all of ops of `group`): index into `inputs` of the tensor whose buffer it may share, or -1.
llvm::SmallVector<int64_t> findInPlace(const KernelGroup &group, llvm::ArrayRef<mlir::OpResult> results,
                                       llvm::ArrayRef<mlir::Value> inputs);

/// The ONNX node names in `location`, in order, without duplicates, appended to `names`.
void collectNodeNames(mlir::Location location, llvm::SetVector<mlir::StringAttr> &names);

} // namespace leaf

#endif // LEAF_LIB_FORM_KERNELBUILDER_H
