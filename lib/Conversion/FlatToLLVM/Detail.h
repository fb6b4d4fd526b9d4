//===- Detail.h - parts of the conversion to LLVM ----------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_CONVERSION_FLATTOLLVM_DETAIL_H
#define LEAFCUTTER_LIB_CONVERSION_FLATTOLLVM_DETAIL_H

#include "Plan/Plan.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace leaf::flat {

/// Fields of leaf_context (runtime/include/leaf/leaf.h), in order.
enum ContextField { Arena, ArenaBytes, Weights, ParallelFor, ParallelUser, MaxWorkers, IsaLevel, Device };

/// The LLVM type of leaf_context; size_t has the width of index.
mlir::LLVM::LLVMStructType getContextType(const mlir::LLVMTypeConverter &converter);

/// Loads one field of the leaf_context at `context`.
mlir::Value loadContextField(mlir::OpBuilder &b, mlir::Location loc, const mlir::LLVMTypeConverter &converter,
                             mlir::Value context, ContextField field);

/// Casts `value` to its converted type and back. The conversion that runs afterwards makes both sides meet.
mlir::Value castToLLVM(mlir::OpBuilder &b, const mlir::LLVMTypeConverter &converter, mlir::Value value);
mlir::Value castFromLLVM(mlir::OpBuilder &b, mlir::Value value, mlir::Type type);

/// Turns @main (control flow graph form) into NAME_entry: same body behind a prologue that loads and checks the
/// arguments. Replaces every op of `plan` and `leaf` in it but plan.launch, and erases the weights.
mlir::LogicalResult lowerEntryPoint(mlir::ModuleOp module, mlir::func::FuncOp entry,
                                    const mlir::LLVMTypeConverter &converter);

struct LaunchCounts {
  unsigned launches = 0, launchers = 0;
};

/// Replaces every plan.launch of NAME_entry by a call of the kernel or of its launcher.
mlir::FailureOr<LaunchCounts> lowerLaunches(mlir::ModuleOp module, mlir::func::FuncOp entry,
                                            const mlir::LLVMTypeConverter &converter);

/// Whether `op`, which has a memref operand or result, is lowered by the patterns below.
bool isSupportedMemoryOp(mlir::Operation *op);

/// Loads, stores and reshapes of memrefs as bare pointers, and vector.fma as a true fused multiply-add.
void populateMemoryPatterns(const mlir::LLVMTypeConverter &converter, mlir::RewritePatternSet &patterns);

/// Dot products and tile registers as intrinsics of the target.
void populateMachinePatterns(const mlir::LLVMTypeConverter &converter, mlir::RewritePatternSet &patterns);

/// The pointer to element `index` of the rank-1 buffer at `base`.
mlir::Value createElementAddress(mlir::OpBuilder &b, mlir::Location loc, const mlir::LLVMTypeConverter &converter,
                                 mlir::MemRefType type, mlir::Value base, mlir::Value index);

} // namespace leaf::flat

#endif // LEAFCUTTER_LIB_CONVERSION_FLATTOLLVM_DETAIL_H
