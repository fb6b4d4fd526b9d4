//===- SizeBounds.h - sizes of buffers and their upper bounds ----*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_PLAN_SIZEBOUNDS_H
#define LEAFCUTTER_PLAN_SIZEBOUNDS_H

#include "mlir/Analysis/DataFlowFramework.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/PatternMatch.h"
#include <memory>
#include <optional>

namespace leaf {

/// Upper bounds of index values: the smaller one of what value bounds and integer ranges know. Answers are valid as
/// long as the IR that it was made for does not change.
class SizeBounds {
public:
  /// Analyses everything in `root`.
  explicit SizeBounds(mlir::Operation *root);
  ~SizeBounds();

  /// The largest value `index` can take, or nothing where that is not known.
  std::optional<int64_t> getUpperBound(mlir::Value index);

private:
  mlir::DataFlowConfig config;
  std::unique_ptr<mlir::DataFlowSolver> solver;
};

/// Sizes of `buffer` (elements), static or as index values that exist or are created at the builder's position. Follows
/// views down to the memref.alloc, plan.slot or memref.reinterpret_cast that has the sizes as operands; fails on a
/// dynamic size of anything else.
mlir::FailureOr<llvm::SmallVector<mlir::OpFoldResult>> getBufferSizes(mlir::OpBuilder &builder, mlir::Value buffer);

/// A view of all of the dense `buffer` as `type` with `sizes` (elements); the buffer itself where that is the same.
mlir::Value createDenseView(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value buffer, mlir::MemRefType type,
                            llvm::ArrayRef<mlir::OpFoldResult> sizes);

} // namespace leaf

#endif // LEAFCUTTER_PLAN_SIZEBOUNDS_H
