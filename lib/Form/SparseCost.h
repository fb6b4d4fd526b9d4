//===- SparseCost.h - cycles of dense and sparse contractions ----*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_FORM_SPARSECOST_H
#define LEAF_LIB_FORM_SPARSECOST_H

#include "Leaf/Leaf.h"

namespace leaf {

/// What the estimates need to know of the target and the model.
struct SparseCostTarget {
  int64_t lanes;         ///< float32 lanes of a vector; 1: scalar code
  int64_t winogradBytes; ///< that weights may grow by for dense convolutions by Winograd's filtering
  int64_t weightBytes;   ///< of the whole model, dense: what no cache holds comes from memory in each run
};

/// An encoded weight (Leaf/Sparse.h).
struct SparseWork {
  int64_t entries, outer, depth, columns, block, elementBytes, segment;
};

/// Elements of the reduction in a segment, for a weight [depth, columns] of which the share `density` is not zero.
/// Where rows run along the lanes a segment of them stays in the first level cache; without them only the number of
/// segments counts.
int64_t chooseSegment(ContractOp contract, int64_t depth, int64_t columns, double density,
                      const SparseCostTarget &target);
/// Cycles of `contract` as it is, on a core that does two multiply-adds of vectors per cycle.
double estimateDenseCycles(ContractOp contract, const SparseCostTarget &target);
/// The same with its weight encoded.
double estimateSparseCycles(ContractOp contract, const SparseWork &work, const SparseCostTarget &target);

} // namespace leaf

#endif // LEAF_LIB_FORM_SPARSECOST_H
