//===- Patterns.h - parts of the conversion to EmitC ------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// How values look in C:
//   index                 ptrdiff_t
//   i1                    bool
//   i8 ... i64            int8_t ... int64_t
//   f32, f64              float, double
//   f16, bf16             uint16_t (their bits)
//   memref<...xT>         T *, to the element at the memref's offset; T is a may_alias typedef: leaf_f32, leaf_i32 ...
//   vector<8xf32>         leaf_f32x8, a GNU vector
//   vector<8xi1>          a vector of ints, each 0 or -1, as wide as fits a native vector (leaf_i32x8)
//
// What C has no operator for becomes a call of `leaf_<op>_<type>` (leaf_fma_f32x8). lib/Target/C/Helpers.cpp prints the
// definitions of those that a file uses.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_CONVERSION_FLATTOEMITC_PATTERNS_H
#define LEAFCUTTER_LIB_CONVERSION_FLATTOEMITC_PATTERNS_H

#include "mlir/Dialect/EmitC/IR/EmitC.h"
#include "mlir/Transforms/DialectConversion.h"
#include <string>

namespace leaf {

/// Types of Flat (after codegen) to types of C.
class CTypeConverter : public mlir::TypeConverter {
public:
  /// `vectorBytes` is the width of the target's vectors; it decides how wide the lanes of a mask are.
  CTypeConverter(mlir::MLIRContext *context, unsigned vectorBytes);

  /// Bits of one lane of a mask of `lanes` lanes.
  unsigned maskBits(int64_t lanes) const;

private:
  unsigned vectorBytes;
};

/// "f32", "i8", "u16" (the bits of an f16 or bf16), "f32x8": the part of helper and typedef names that says the type.
/// Null for types that have no such name.
std::string typeSuffix(mlir::Type type);

/// !emitc.opaque<"TEXT">, and its TEXT. A pointer, "T *", has a space at its end inside the dialect.
mlir::Type opaqueType(mlir::MLIRContext *context, const llvm::Twine &text);
std::string typeText(mlir::Type type);

/// The text of a scalar constant in C; `value` is an IntegerAttr or FloatAttr. Floats that have no decimal text (inf,
/// nan) come back as a call of a helper.
mlir::Value buildScalar(mlir::OpBuilder &builder, mlir::Location loc, mlir::TypedAttr value, mlir::Type type);

/// A C expression without operands that is printed where it is used.
mlir::Value buildLiteral(mlir::OpBuilder &builder, mlir::Location loc, const llvm::Twine &text, mlir::Type type);

/// A call of the helper `name`.
mlir::Value buildCall(mlir::OpBuilder &builder, mlir::Location loc, mlir::Type result, const llvm::Twine &name,
                      mlir::ValueRange operands);

void populateFloatPatterns(const CTypeConverter &types, mlir::RewritePatternSet &patterns);
void populateIntegerPatterns(const CTypeConverter &types, mlir::RewritePatternSet &patterns);
void populateVectorPatterns(const CTypeConverter &types, mlir::RewritePatternSet &patterns);
void populateMemoryPatterns(const CTypeConverter &types, mlir::RewritePatternSet &patterns);
/// leaf.dot and leaf.tile_*.
void populateMachinePatterns(const CTypeConverter &types, mlir::RewritePatternSet &patterns);
/// func.func, func.return.
void populateFunctionPatterns(const CTypeConverter &types, mlir::RewritePatternSet &patterns);

/// Turns `@main` into NAME_entry with the ABI of leaf.h, and makes it the last function: it takes buffers and sizes
/// from its arguments after checking them; plan.* and leaf.* become C. To be called before the conversion: what the
/// rest of the body uses or gives is connected by unrealized casts.
mlir::LogicalResult buildEntry(mlir::ModuleOp module, const CTypeConverter &types);

/// Calls the kernels from the entry: directly where there is one tile, otherwise by a launcher that hands the tiles to
/// leaf_context.parallel_for. Before buildEntry.
mlir::LogicalResult buildLaunches(mlir::ModuleOp module, const CTypeConverter &types);

/// `value` as a value of C, by an unrealized cast.
mlir::Value castToC(mlir::OpBuilder &builder, const CTypeConverter &types, mlir::Value value);

/// Notes on each kernel what its comment says: ONNX nodes and the shapes of its first launch. Before buildLaunches.
void describeKernels(mlir::ModuleOp module);

/// Erases what no one uses, makes the parameters of kernels `const` and `restrict` where they are, marks unused ones,
/// puts the comment before. After the conversion.
void finishFunction(mlir::emitc::FuncOp function);

/// Names of attributes that the parts hand to each other, on functions and their arguments.
namespace flat {
inline constexpr llvm::StringLiteral kMain = "main";
inline constexpr llvm::StringLiteral kKernel = "leaf.kernel";
inline constexpr llvm::StringLiteral kRestrict = "leaf.restrict";
inline constexpr llvm::StringLiteral kNodes = "nodes";
inline constexpr llvm::StringLiteral kComment = "leaf.comment";
} // namespace flat

} // namespace leaf

#endif // LEAFCUTTER_LIB_CONVERSION_FLATTOEMITC_PATTERNS_H
