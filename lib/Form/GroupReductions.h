//===- GroupReductions.h - reductions in groups for dot products -*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_FORM_GROUPREDUCTIONS_H
#define LEAF_LIB_FORM_GROUPREDUCTIONS_H

#include "Leaf/Groups.h"

namespace leaf {

/// How the last reductions of a contraction become groups of `size` elements (`leaf.depth`, see Leaf/Groups.h).
struct ReductionGroups {
  int64_t size = 1;        ///< elements of a group: G
  int64_t depth = 1;       ///< elements of the reduction: K
  unsigned numJoined = 1;  ///< loops at the end that are one reduction: 1, or 2 for the columns of a window
  int64_t innerExtent = 1; ///< of the last loop
  int64_t numGroups() const { return (depth + size - 1) / size; }
};

/// Groups of `size` for `contract`, whose rhs is a plain weight [..., K..., N]; nothing where its operands do not lie
/// one element of the reduction after another, or are no operands of a dot product.
std::optional<ReductionGroups> findGroups(ContractOp contract, int64_t size);

/// The maps of `contract` over its new loops, the rhs packed `[batch..., N/width, outer reductions..., K/G, width, G]`.
/// `batch` and `outer` are dimensions of the plain rhs. Sets iterator types, maps and depth; the caller sets the rhs.
void groupReductions(ContractOp contract, const ReductionGroups &groups, int64_t width, llvm::ArrayRef<unsigned> batch,
                     llvm::ArrayRef<unsigned> outer);

} // namespace leaf

#endif // LEAF_LIB_FORM_GROUPREDUCTIONS_H
