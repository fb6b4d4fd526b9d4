//===- Indexing.h - index arithmetic in bodies -------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_INDEXING_H
#define LEAF_CONVERSION_ONNXTOLINALG_INDEXING_H

#include "Lowering.h"

namespace leaf::onnxtolinalg {

/// A size as a body sees it: a constant inside the body, or a captured value.
class BodySize {
public:
  BodySize() = default;
  explicit BodySize(Size size) : size(size) {}
  mlir::Value get(mlir::OpBuilder &b, mlir::Location loc) const;
  std::optional<int64_t> constant() const { return constantOf(size); }

private:
  Size size;
};

/// Positions of one dimension of a result that shows `extent` elements of the source from `begin` on.
class IndexBound {
public:
  IndexBound() = default;
  IndexBound(Lowering &lowering, Size begin, Size extent);
  /// Source index of a result index, forced into the source, and whether it was inside.
  std::pair<mlir::Value, mlir::Value> shiftAndClamp(mlir::OpBuilder &b, mlir::Location loc, mlir::Value index) const;

private:
  BodySize begin, extent, last;
};

/// index forced into [0, extent).
mlir::Value clampIndex(mlir::OpBuilder &b, mlir::Location loc, mlir::Value index, const BodySize &last);

/// An element of an index tensor (ONNX type `element`) as an index into a dimension of `extent`: negative values count
/// from the end; anything else outside is clamped, so that no run reads out of bounds.
mlir::Value wrapIndex(mlir::OpBuilder &b, mlir::Location loc, mlir::Value element, mlir::Type type,
                      const BodySize &extent, const BodySize &last);

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_INDEXING_H
