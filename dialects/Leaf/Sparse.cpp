//===- Sparse.cpp - contractions with weights that are mostly zero -----------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Leaf/Sparse.h"

using namespace mlir;
using namespace leaf;

std::optional<int64_t> leaf::getSparseBlock(ContractOp contract) {
  auto block = contract->getAttrOfType<IntegerAttr>(kSparse);
  return block && block.getInt() > 0 ? std::optional<int64_t>(block.getInt()) : std::nullopt;
}

int64_t leaf::getSparseSegment(ContractOp contract) {
  auto segment = contract->getAttrOfType<IntegerAttr>(kSegment);
  return segment && segment.getInt() > 0 ? segment.getInt() : 256;
}
