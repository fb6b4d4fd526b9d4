//===- StoredWeights.h - weights in fewer bits, decoded to float --*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_COMPRESS_STOREDWEIGHTS_H
#define LEAF_LIB_COMPRESS_STOREDWEIGHTS_H

#include "leafcutter/Compress/Layers.h"

namespace leaf {

/// A float32 weight that an op reads, and the axis that scales run along.
struct StoredWeight {
  mlir::Operation *op;
  unsigned operand;
  int64_t axis;
};

/// Stores the weights of contractions, recurrent layers and embeddings for which `filter` says so as `type` (i8, f16,
/// bf16), in branches and loops too. A weight that cannot be stored so stays, and its op gets the reason. Returns how
/// many were stored.
unsigned storeWeights(mlir::ModuleOp module, mlir::Type type, llvm::function_ref<bool(const StoredWeight &)> filter);

} // namespace leaf

#endif // LEAF_LIB_COMPRESS_STOREDWEIGHTS_H
