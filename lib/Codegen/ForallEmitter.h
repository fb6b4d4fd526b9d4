//===- ForallEmitter.h - bodies of leaf.forall -------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_CODEGEN_FORALLEMITTER_H
#define LEAF_LIB_CODEGEN_FORALLEMITTER_H

#include "KernelBuilder.h"
#include "Leaf/Leaf.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace leaf::codegen {

/// Clones the body of a leaf.forall for one point of its index space; multi-dimensional accesses of the body's buffers
/// become loads and stores of `buffers` (inputs, then destinations) at linear addresses. Innermost loops of elementwise
/// code on neighbours take vectors.
class ForallEmitter {
public:
  ForallEmitter(KernelBuilder &kb, ForallOp op, llvm::ArrayRef<const Buffer *> buffers);
  mlir::LogicalResult emit(llvm::ArrayRef<mlir::Value> point);

private:
  mlir::LogicalResult cloneBlock(mlir::Block &block);
  mlir::LogicalResult cloneOp(mlir::Operation &op);
  mlir::LogicalResult cloneRegions(mlir::Operation &op);
  mlir::LogicalResult cloneVectorLoop(mlir::scf::ForOp loop, int64_t lanes);
  void cloneVectorOp(mlir::Operation &op, int64_t lanes);
  mlir::Value address(const Buffer &buffer, mlir::ValueRange indices);

  KernelBuilder &kb;
  ForallOp op;
  llvm::DenseMap<mlir::Value, const Buffer *> bufferOf;
  mlir::IRMapping mapping;
};

} // namespace leaf::codegen

#endif // LEAF_LIB_CODEGEN_FORALLEMITTER_H
