//===- Onnx.h - onnx ops by name ----------------------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_TRANSFORMS_ONNX_H
#define LEAFCUTTER_TRANSFORMS_ONNX_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"

namespace leaf {

/// Table-driven passes name onnx operators by their ONNX spelling ("Conv"); these helpers read and make such ops
/// without one C++ type per operator.

/// Whether `op` is of the onnx dialect.
bool isOnnx(mlir::Operation *op);
/// Whether `op` is the onnx operator called `name` ("Conv", "ml.Scaler").
bool isOnnx(mlir::Operation *op, llvm::StringRef name);
/// The ONNX operator name of an onnx op, without the dialect.
llvm::StringRef onnxName(mlir::Operation *op);

/// Operand `i`, or null where it is absent (beyond the last, or an onnx.NoValue).
mlir::Value onnxOperand(mlir::Operation *op, unsigned i);
/// Whether `value` is the result of an onnx.NoValue.
bool isNoValue(mlir::Value value);

int64_t intAttr(mlir::Operation *op, llvm::StringRef name, int64_t absent);
double floatAttr(mlir::Operation *op, llvm::StringRef name, double absent);
llvm::StringRef stringAttr(mlir::Operation *op, llvm::StringRef name, llvm::StringRef absent);
/// Nothing when the attribute is absent.
std::optional<llvm::SmallVector<int64_t>> intsAttr(mlir::Operation *op, llvm::StringRef name);

/// `axis` counted from the front; nothing when it is out of range for `rank`.
std::optional<int64_t> normalizeAxis(int64_t axis, int64_t rank);

/// Creates onnx.`name` at the insertion point. Trailing optional operands must be given (as onnx.NoValue).
mlir::Operation *createOnnx(mlir::OpBuilder &builder, mlir::Location loc, llvm::StringRef name,
                            mlir::TypeRange resultTypes, mlir::ValueRange operands,
                            llvm::ArrayRef<mlir::NamedAttribute> attributes);
/// The same with attributes given by name.
mlir::Operation *createOnnx(mlir::OpBuilder &builder, mlir::Location loc, llvm::StringRef name,
                            mlir::TypeRange resultTypes, mlir::ValueRange operands,
                            std::initializer_list<std::pair<llvm::StringRef, mlir::Attribute>> attributes = {});
/// An onnx.NoValue.
mlir::Value createNoValue(mlir::OpBuilder &builder, mlir::Location loc);

/// MLIR type of an ONNX TensorProto.DataType (strings: onnx.String), or null (strings, complex).
mlir::Type elementTypeOfONNX(mlir::MLIRContext *context, int64_t dataType);
/// TensorProto.DataType of an MLIR element type; 0 when there is none.
int32_t onnxElementType(mlir::Type type);

/// The name given to an op's ONNX node: the text of its NameLoc, or the op's name where it has none.
std::string nodeName(mlir::Operation *op);

} // namespace leaf

#endif // LEAFCUTTER_TRANSFORMS_ONNX_H
