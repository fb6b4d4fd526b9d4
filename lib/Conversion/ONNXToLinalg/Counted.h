//===- Counted.h - results of which a kernel counts how much there is --*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_COUNTED_H
#define LEAF_CONVERSION_ONNXTOLINALG_COUNTED_H

#include "Imperative.h"

namespace leaf::onnxtolinalg {

/// The number in `count`, a tensor<1xi64>, as a size of at most `most`.
Size readCount(Lowering &lowering, mlir::Value count, Size most);

/// The first `size` positions of dimension `dim` of `full`.
mlir::Value takeFirst(Lowering &lowering, mlir::Value full, unsigned dim, Size size);

/// A tensor of `sizes` that has at position i of `axis` what `data` has at `positions[i]` (i64).
mlir::Value pickPositions(Lowering &lowering, mlir::Value data, mlir::Value positions, unsigned axis,
                          llvm::ArrayRef<Size> sizes);

/// An index as an i64.
mlir::Value toI64(Code &c, mlir::Value index);

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_COUNTED_H
