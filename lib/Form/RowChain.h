//===- RowChain.h - two contractions and the rows between them ---*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_FORM_ROWCHAIN_H
#define LEAF_LIB_FORM_ROWCHAIN_H

#include "Leaf/Leaf.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace leaf {

/// Attention, or what has its form: a contraction of two values makes rows (the scores of a query), generics reduce and
/// change each row by itself (softmax), and a second contraction is all that reads the result, row by row. A row may be
/// computed from start to end while it is in the cache; the tensors between hold nothing that is needed later.
struct RowChain {
  ContractOp producer, consumer;
  llvm::SmallVector<mlir::linalg::GenericOp> generics; ///< in block order
  /// By generic: its loops that select the row, in the order of the dimensions.
  llvm::SmallVector<llvm::SmallVector<unsigned>> rowLoops;
  /// Dimensions that select a row, the first of each tensor between the two and the first loops of both contractions.
  /// The last of them (the query) is a loop of rows: neither rhs depends on it.
  unsigned numRows = 0;

  /// [rows…, elements of a row], static.
  llvm::ArrayRef<int64_t> getShape() {
    return llvm::cast<mlir::RankedTensorType>(producer.getResult().getType()).getShape();
  }
};

/// The chain that ends with `consumer`; nothing where there is none, or its tensors have dynamic sizes or are so small
/// that they stay in the cache as they are.
std::optional<RowChain> findRowChain(ContractOp consumer);

} // namespace leaf

#endif // LEAF_LIB_FORM_ROWCHAIN_H
