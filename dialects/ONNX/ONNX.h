//===- ONNX.h - the onnx dialect --------------------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Inside namespace leaf, `onnx::` means this dialect; libonnx's protobuf classes are `::onnx::`.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_DIALECTS_ONNX_ONNX_H
#define LEAF_DIALECTS_ONNX_ONNX_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include <optional>

#include "ONNX/ONNXDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "ONNX/ONNXTypes.h.inc"

namespace leaf::onnx::detail {
/// What the generated builders do.
void build(mlir::OperationState &state, mlir::TypeRange types, mlir::ValueRange operands,
           llvm::ArrayRef<mlir::NamedAttribute> attributes);
/// Null attributes are left out.
void setAttribute(mlir::OperationState &state, llvm::StringRef name, mlir::Attribute value);
} // namespace leaf::onnx::detail

#define GET_OP_CLASSES
#include "ONNX/ONNXOps.h.inc"

namespace leaf::onnx {

/// Unit attribute on Conv, ConvTranspose and pools: data operand and result are N, spatial..., C.
inline constexpr llvm::StringLiteral kChannelsLast = "leaf.channels_last";

/// The ONNX domain ("" or "ai.onnx.ml") and operator type of an op of this dialect: ("", "Conv").
std::pair<llvm::StringRef, llvm::StringRef> getOperatorName(mlir::Operation *op);

/// The attribute's or value's name in the ONNX schema of an ODS name (they differ where the schema's name would clash
/// with a member of mlir::Op: `type_attr` is `type`).
llvm::StringRef getSchemaName(llvm::StringRef odsName);

/// Whether an optional operand or result is absent (its type is none).
inline bool isAbsent(mlir::Value value) { return llvm::isa<mlir::NoneType>(value.getType()); }

/// The constant that `value` is: of an onnx.Constant, or of a leaf.load_weight through its symbol (then the elements
/// are those of the weight's resource and are copied into a dense attribute: don't ask for large weights). Null when
/// `value` is no constant or its resource is not attached.
mlir::ElementsAttr getConstantValue(mlir::Value value);

/// Whether `value` is an onnx.Constant or a leaf.load_weight; cheap.
bool isConstant(mlir::Value value);

/// The elements of a constant integer (or bool) tensor, row-major; nullopt when `value` is absent or no such constant.
std::optional<llvm::SmallVector<int64_t>> getIntConstant(mlir::Value value);

/// The single element of a constant integer tensor of one element.
std::optional<int64_t> getIntScalarConstant(mlir::Value value);

/// The single element of a constant floating-point tensor of one element.
std::optional<double> getFloatScalarConstant(mlir::Value value);

} // namespace leaf::onnx

#endif // LEAF_DIALECTS_ONNX_ONNX_H
