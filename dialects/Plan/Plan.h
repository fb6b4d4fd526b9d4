//===- Plan.h - the plan dialect --------------------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_DIALECTS_PLAN_PLAN_H
#define LEAF_DIALECTS_PLAN_PLAN_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace leaf::plan {
class KernelOp;
} // namespace leaf::plan

#include "Plan/PlanDialect.h.inc"

#define GET_OP_CLASSES
#include "Plan/PlanOps.h.inc"

namespace leaf::plan::attrs {
/// I64Attr on the module after `plan`: bytes of arena the entry needs, kernel scratch included after `codegen`.
inline constexpr llvm::StringLiteral kArenaBytes = "plan.arena_bytes";
/// I64Attr on the module: lower bound of the arena (largest sum of live bytes).
inline constexpr llvm::StringLiteral kArenaLowerBound = "plan.arena_lower_bound";
/// I64Attr on the module: alignment of the arena and of each slot in bytes.
inline constexpr llvm::StringLiteral kArenaAlign = "plan.arena_align";
/// I64Attr on an argument of the entry function: capacity of the buffer in elements.
inline constexpr llvm::StringLiteral kCapacity = "plan.capacity";
/// DenseI64ArrayAttr on an argument of the entry function: upper bound of each dimension in elements.
inline constexpr llvm::StringLiteral kUpperBounds = "plan.upper_bounds";
/// DenseI64ArrayAttr on an aliased input of the entry function, whose type is the buffer at capacity: the sizes of the
/// ONNX input, -1 where open.
inline constexpr llvm::StringLiteral kShape = "plan.shape";
/// DictionaryAttr on an aliased input: the output that shares its buffer, with `position` (I64Attr, among all outputs),
/// `shape` and `upper_bounds` (DenseI64ArrayAttr) and the attributes that its result had.
inline constexpr llvm::StringLiteral kAliasOutput = "plan.alias_output";
/// UnitAttr on an argument of the entry function: the buffer is an output.
inline constexpr llvm::StringLiteral kOutput = "plan.output";
/// I64Attr on a weight: byte offset in the weight section, a multiple of 64.
inline constexpr llvm::StringLiteral kOffset = "plan.offset";
/// I64Attr on the module: bytes of the weight section.
inline constexpr llvm::StringLiteral kWeightBytes = "plan.weight_bytes";
} // namespace leaf::plan::attrs

#endif // LEAF_DIALECTS_PLAN_PLAN_H
