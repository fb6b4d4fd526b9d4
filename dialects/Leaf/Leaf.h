//===- Leaf.h - the leaf dialect --------------------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_DIALECTS_LEAF_LEAF_H
#define LEAF_DIALECTS_LEAF_LEAF_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferIntRangeInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

namespace leaf {
class WeightOp;
} // namespace leaf

#include "Leaf/LeafDialect.h.inc"

#define GET_OP_CLASSES
#include "Leaf/LeafOps.h.inc"

namespace leaf {

/// Names of module, argument and result attributes that several stages read. Held here so that each is spelled once.
namespace attrs {
/// StringAttr on arguments and results of the entry function: the ONNX value's name.
inline constexpr llvm::StringLiteral kName = "leaf.name";
/// ArrayAttr of StringAttr per dimension on arguments and results: the ONNX dim_param, or "" where static or unnamed.
inline constexpr llvm::StringLiteral kDims = "leaf.dims";
/// DictionaryAttr on the module: name of each dynamic dimension -> its upper bound in elements (I64Attr).
inline constexpr llvm::StringLiteral kBounds = "leaf.bounds";
/// StringAttr on the module: the model's name as a C identifier.
inline constexpr llvm::StringLiteral kModel = "leaf.model";
/// StringAttr on an argument (a past KV input): name of the output that shares its buffer.
inline constexpr llvm::StringLiteral kAlias = "leaf.alias";
/// StringAttr on an index argument of the entry function: the dynamic dimension it carries.
inline constexpr llvm::StringLiteral kDim = "leaf.dim";
/// I64Attr on an index result of the entry function: the dimension of the output `leaf.name` whose size it is.
inline constexpr llvm::StringLiteral kAxis = "leaf.axis";
/// StringAttr on arguments and results: the ONNX element type where MLIR's differs ("uint8", "bool", ...).
inline constexpr llvm::StringLiteral kElementType = "leaf.element_type";
/// DictionaryAttr {low = array<i64>, value} on a linalg.generic that only pads its one captured tensor with a constant.
inline constexpr llvm::StringLiteral kPad = "leaf.pad";
/// DenseI64ArrayAttr (offsets) on a linalg.generic that only copies a box out of its one captured tensor, with steps
/// of 1.
inline constexpr llvm::StringLiteral kSlice = "leaf.slice";
} // namespace attrs

/// Loops of a two-dimensional convolution of stride and dilation 1 in channels-last layout, one group:
/// lhs (n, oh + kh, ow + kw, ci), rhs (kh, kw, ci, co), out (n, oh, ow, co).
struct UnitConvolution {
  int n = -1; ///< -1: a batch of one that is no loop
  unsigned oh, ow, co, kh, kw, ci;
};

/// The loops of `contract` where it is such a convolution; its rhs may be packed into panels of co.
std::optional<UnitConvolution> matchUnitConvolution(ContractOp contract);

/// Creates a weight symbol named after `hint` (made unique) at the end of `module`, owning a copy of `bytes`
/// (dense row-major, little-endian, aligned to 64).
WeightOp createWeight(mlir::ModuleOp module, mlir::Location loc, llvm::StringRef hint, mlir::RankedTensorType type,
                      llvm::ArrayRef<char> bytes);

} // namespace leaf

#endif // LEAF_DIALECTS_LEAF_LEAF_H
