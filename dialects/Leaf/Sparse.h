//===- Sparse.h - contractions with weights that are mostly zero -*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// With attribute `leaf.sparse` = B the rhs of a leaf.contract is a weight W [outer..., K, N] of which only blocks of B
// columns that are not all zero are stored. The reduction K (the loop along which lhs is contiguous) goes in S segments
// of `leaf.segment` elements. Three tensors take the place of the weight:
//
//   rhs      starts     [outer..., S, N/B + 1] of i32, map (outer..., 0, n floordiv B): block column j of a segment has
//                       the entries [starts[j], starts[j + 1])
//   extra 0  values     [entries * B], of the weight's element type
//   extra 1  positions  [entries] of i8 or i16 (unsigned): element of K, counted from the segment's first
//
// Entries stand in the order outer, segment, column. The first two extras are those of the rhs prologue, which takes
// (start, value, position) and converts the value alone.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_DIALECTS_LEAF_SPARSE_H
#define LEAF_DIALECTS_LEAF_SPARSE_H

#include "Leaf/Leaf.h"

namespace leaf {

/// I64Attr on a leaf.contract: columns of a block.
inline constexpr llvm::StringLiteral kSparse = "leaf.sparse";
/// I64Attr beside it: elements of the reduction in a segment, at most 256 for i8 and 65,536 for i16.
inline constexpr llvm::StringLiteral kSegment = "leaf.segment";
/// Extras of the rhs prologue.
inline constexpr unsigned kSparseValues = 0, kSparsePositions = 1;

/// Columns of a block; nothing where rhs is dense.
std::optional<int64_t> getSparseBlock(ContractOp contract);
/// Elements of the reduction in a segment of a sparse rhs.
int64_t getSparseSegment(ContractOp contract);

/// Module attribute: an array with a dictionary for each weight that is mostly zero: `node` (string), `zeros` (f64
/// share), `block` (i64, 0: left dense), `bytes` and `dense_bytes` (i64), `why` (string, of a dense one).
inline constexpr llvm::StringLiteral kSparseLayers = "leaf.sparse_layers";

} // namespace leaf

#endif // LEAF_DIALECTS_LEAF_SPARSE_H
