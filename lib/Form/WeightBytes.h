//===- WeightBytes.h - the content of a weight to be rewritten -*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_FORM_WEIGHTBYTES_H
#define LEAF_LIB_FORM_WEIGHTBYTES_H

#include "Leaf/Leaf.h"
#include "leafcutter/Support/ElementTypes.h"

namespace leaf {

/// All elements of `weight`, dense row-major; a splat is written out into `storage`, which then owns them. Emits an
/// error where they are not there (a dump without its file of weights).
inline mlir::FailureOr<llvm::ArrayRef<char>> readBytes(WeightOp weight, std::vector<char> &storage) {
  llvm::ArrayRef<char> bytes = weight.getDenseBytes(storage);
  mlir::RankedTensorType type = weight.getWeightType();
  int64_t expected = getBytes(type);
  if (static_cast<int64_t>(bytes.size()) == expected)
    return bytes;
  return weight.emitOpError("has ") << bytes.size() << " bytes instead of " << expected
                                    << "; read the dump together with its file of weights";
}

} // namespace leaf

#endif // LEAF_LIB_FORM_WEIGHTBYTES_H
