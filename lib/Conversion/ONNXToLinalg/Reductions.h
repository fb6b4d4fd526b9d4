//===- Reductions.h - reductions over axes -----------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_REDUCTIONS_H
#define LEAF_CONVERSION_ONNXTOLINALG_REDUCTIONS_H

#include "Lowering.h"
#include "Scalars.h"

namespace leaf::onnxtolinalg {

/// Loops of a reduction: kept dimensions in order, then the reduced ones.
struct ReductionLoops {
  llvm::SmallVector<unsigned> kept, reduced; ///< dimensions of the data
  Sizes keptSizes;
  llvm::SmallVector<mlir::utils::IteratorType> iterators;

  ReductionLoops(llvm::ArrayRef<Size> sizes, llvm::ArrayRef<int64_t> axes);
  unsigned rank() const { return kept.size() + reduced.size(); }
  /// Map of a tensor with all dimensions of the data, and of one with the kept dimensions only.
  mlir::AffineMap dataMap(mlir::MLIRContext *context) const;
  mlir::AffineMap keptMap(mlir::MLIRContext *context) const;
};

using CombineFn =
    llvm::function_ref<mlir::Value(Scalar &s, llvm::ArrayRef<mlir::Value> elements, mlir::Value accumulator)>;

/// Reduces over `axes`: linalg.fill with `start`, then one generic. `inputs` have all dimensions of the data or only
/// the kept ones; `elements` of combine are converted to the accumulator type. The result has the kept dimensions.
mlir::Value reduce(Lowering &lowering, llvm::ArrayRef<mlir::Value> inputs, llvm::ArrayRef<mlir::Type> elements,
                   const ReductionLoops &loops, mlir::Type accumulator, mlir::TypedAttr start, CombineFn combine);

/// The number of elements in `axes` as a scalar of float `type`, made in a body.
mlir::Value emitCount(mlir::OpBuilder &b, mlir::Location loc, Size count, mlir::Type type);

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_REDUCTIONS_H
