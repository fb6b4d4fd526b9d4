//===- Shapes.h - reshapes, permutations, dead ops ----------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_TRANSFORMS_SHAPES_H
#define LEAFCUTTER_TRANSFORMS_SHAPES_H

#include "leafcutter/Transforms/HostTensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include <optional>

namespace leaf {

/// A permutation as ONNX has it: dimension i of the result is dimension perm[i] of the operand.
using Permutation = llvm::SmallVector<int64_t>;

/// Permutation of an onnx.Transpose on `rank` dimensions (reversed where the attribute is absent).
Permutation permutationOf(mlir::Operation *transpose, int64_t rank);
bool isIdentityPermutation(llvm::ArrayRef<int64_t> perm);
Permutation inversePermutation(llvm::ArrayRef<int64_t> perm);
/// `values` in the order of the transposed tensor.
llvm::SmallVector<int64_t> permute(llvm::ArrayRef<int64_t> values, llvm::ArrayRef<int64_t> perm);
/// Whether transposing `shape` moves dimensions of size 1 only, so that it is a reshape.
bool movesUnitDimsOnly(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> perm);

/// onnx.Reshape to a static shape; `value` itself when it has that shape.
mlir::Value createReshape(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value,
                          llvm::ArrayRef<int64_t> shape);
/// `tensor` with its dimensions in the order `perm`.
HostTensor transposeTensor(const HostTensor &tensor, llvm::ArrayRef<int64_t> perm);
/// onnx.Transpose; of a constant, the transposed constant.
mlir::Value createTranspose(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value,
                            llvm::ArrayRef<int64_t> perm);

/// The numpy broadcast of two static shapes, or nothing.
std::optional<llvm::SmallVector<int64_t>> broadcast(llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b);

/// Erases onnx ops and leaf.load_weight without uses, users first.
void removeDeadOps(mlir::ModuleOp module);

} // namespace leaf

#endif // LEAFCUTTER_TRANSFORMS_SHAPES_H
