//===- Imperative.h - scalar code in the body of leaf.forall -----*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_IMPERATIVE_H
#define LEAF_CONVERSION_ONNXTOLINALG_IMPERATIVE_H

#include "Lowering.h"

namespace leaf::onnxtolinalg {

/// Emits loops, branches and accesses in the body of a leaf.forall. Indices are values of type index.
class Code {
public:
  Code(mlir::OpBuilder &builder, mlir::Location loc) : b(builder), loc(loc) {}

  using Values = llvm::SmallVector<mlir::Value>;

  mlir::OpBuilder &b;
  mlir::Location loc;

  mlir::Value index(int64_t value);
  /// The size of dimension `dim` of a body buffer.
  mlir::Value size(mlir::Value buffer, int64_t dim);
  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value add(mlir::Value x, int64_t y) { return add(x, index(y)); }
  mlir::Value sub(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, mlir::Value y);
  /// Signed comparison of indices or integers.
  mlir::Value less(mlir::Value x, mlir::Value y);
  mlir::Value equal(mlir::Value x, mlir::Value y);
  mlir::Value both(mlir::Value x, mlir::Value y);
  mlir::Value either(mlir::Value x, mlir::Value y);
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y);

  mlir::Value load(mlir::Value buffer, mlir::ValueRange indices);
  void store(mlir::Value value, mlir::Value buffer, mlir::ValueRange indices);

  /// for lower <= i < upper: carried = body(i, carried)
  Values loop(mlir::Value lower, mlir::Value upper, mlir::ValueRange carried,
              llvm::function_ref<Values(mlir::Value, mlir::ValueRange)> body);
  void loop(mlir::Value lower, mlir::Value upper, llvm::function_ref<void(mlir::Value)> body);
  /// for upper > i >= lower, downwards.
  void loopDown(mlir::Value lower, mlir::Value upper, llvm::function_ref<void(mlir::Value)> body);
  void when(mlir::Value condition, llvm::function_ref<void()> body);
  Values choose(mlir::Value condition, llvm::function_ref<Values()> then, llvm::function_ref<Values()> otherwise);
};

/// What the body of a leaf.forall works on.
struct ForallArguments {
  mlir::ValueRange point, inputs, outs;
};

/// A leaf.forall over `extents` into fresh tensors; `outSizes` and `elements` describe these. The sizes of a result
/// are those of its destination.
llvm::SmallVector<mlir::Value> forall(Lowering &lowering, mlir::ValueRange inputs, llvm::ArrayRef<Sizes> outSizes,
                                      llvm::ArrayRef<mlir::Type> elements, llvm::ArrayRef<Size> extents,
                                      llvm::function_ref<void(Code &, const ForallArguments &)> body);

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_IMPERATIVE_H
