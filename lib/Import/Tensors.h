//===- Tensors.h - element types and payloads of TensorProto -----*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_IMPORT_TENSORS_H
#define LEAF_LIB_IMPORT_TENSORS_H

#include "SourceModel.h"

#include "mlir/IR/BuiltinAttributes.h"

namespace leaf::importer {

/// Bytes of one element in TensorData; 0 where Leafcutter has no such element type (strings, complex, ...).
size_t elementBytes(int32_t dataType);
/// numpy's name of the element type ("float32"); ONNX's name where it has none.
std::string elementName(int32_t dataType);
/// Null where elementBytes is 0.
mlir::Type elementType(mlir::MLIRContext *context, int32_t dataType);

/// Bytes of a dense tensor. Throws where a dimension is negative, the type unsupported or the product too large;
/// `what` names the tensor.
size_t denseBytes(int32_t dataType, llvm::ArrayRef<int64_t> shape, const std::string &what);

/// Bytes that ONNX stores where TensorData has `dense`: it packs types of 4 and 2 bits.
size_t storedBytes(int32_t dataType, size_t dense);
/// Stores the elements of a TensorData in a protobuf whose data_type is set.
void setRawData(::onnx::TensorProto &tensor, llvm::ArrayRef<char> bytes);

/// The elements of a tensor without external data. The result refers to `tensor`'s own memory where the layout is the
/// same, and to converted bytes otherwise.
TensorData readTensor(std::shared_ptr<const ::onnx::TensorProto> tensor, const std::string &what);

/// The dense form of a sparse tensor.
::onnx::TensorProto densify(const ::onnx::SparseTensorProto &sparse, const std::string &what);

/// A dense attribute with a copy of the elements.
mlir::ElementsAttr denseAttribute(mlir::MLIRContext *context, const TensorData &tensor);
/// A dense resource named `key` that keeps the tensor's owner alive.
mlir::ElementsAttr resourceAttribute(mlir::MLIRContext *context, llvm::StringRef key, const TensorData &tensor);

} // namespace leaf::importer

#endif // LEAF_LIB_IMPORT_TENSORS_H
