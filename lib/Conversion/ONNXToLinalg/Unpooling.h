//===- Unpooling.h - pools that say where their maxima are -------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_UNPOOLING_H
#define LEAF_CONVERSION_ONNXTOLINALG_UNPOOLING_H

#include "Windows.h"

namespace leaf::onnxtolinalg {

/// MaxPool of `data` (N, C, spatial...) whose second result, the positions of the maxima in the flattened data, has a
/// use.
mlir::LogicalResult lowerMaxPoolWithIndices(Lowering &lowering, Node &node, mlir::Value data, const Window &window,
                                            llvm::ArrayRef<Size> outSizes);

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_UNPOOLING_H
