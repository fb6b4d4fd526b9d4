//===- Slices.h - strided parts of tensors -----------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_SLICES_H
#define LEAF_CONVERSION_ONNXTOLINALG_SLICES_H

#include "Lowering.h"

namespace leaf::onnxtolinalg {

/// `size` elements of one dimension: start, start + step, ... (all inside the source; step may be negative).
struct SliceDim {
  Size start, size, step;
};

/// ONNX Slice along a dimension of `size` elements: negative positions count from the end, then are clamped.
SliceDim sliceDim(SizeArithmetic &sizes, Size start, Size end, int64_t step, Size size);

/// The part of `data` that `dims` describes; `data` itself if that is all of it.
mlir::Value slice(Lowering &lowering, mlir::Value data, llvm::ArrayRef<SliceDim> dims);

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_SLICES_H
