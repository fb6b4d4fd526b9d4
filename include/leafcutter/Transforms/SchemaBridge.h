//===- SchemaBridge.h - shape inference by libonnx's schemas ------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_TRANSFORMS_SCHEMABRIDGE_H
#define LEAFCUTTER_TRANSFORMS_SCHEMABRIDGE_H

#include "leafcutter/Transforms/HostTensor.h"
#include "mlir/IR/Operation.h"
#include "llvm/Support/Error.h"

namespace leaf {

/// What is known of a tensor without running anything.
struct TensorFacts {
  mlir::Type elementType; ///< null: unknown
  bool hasRank = false;
  llvm::SmallVector<int64_t> sizes;   ///< elements; ShapedType::kDynamic where unknown
  llvm::SmallVector<int32_t> symbols; ///< per dimension: a symbol > 0 where dynamic and named, otherwise 0

  mlir::Type toType() const;
};

struct InferenceRequest {
  mlir::Operation *op;
  llvm::ArrayRef<const HostTensor *> values; ///< per operand; null: unknown. Integer tensors may be known in part
  llvm::function_ref<int32_t(mlir::Value, unsigned)> dimSymbol; ///< symbol of a `?` dimension, or 0
};

/// Facts of each result of an onnx op from the newest version of its schema in libonnx. An operator without inference
/// gives empty facts. Errors are libonnx's messages (what contradicts what). Never throws.
llvm::Expected<std::vector<TensorFacts>> inferBySchema(const InferenceRequest &request);

} // namespace leaf

#endif // LEAFCUTTER_TRANSFORMS_SCHEMABRIDGE_H
