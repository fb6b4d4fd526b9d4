//===- OpenTensor.h - tensors that change their size -------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_OPENTENSOR_H
#define LEAF_CONVERSION_ONNXTOLINALG_OPENTENSOR_H

#include "Lowering.h"

namespace leaf::onnxtolinalg {

/// Where values of several sizes meet (a state that a loop changes, the result of an If): a buffer of all elements that
/// there can be, of one dimension, and the actual sizes beside it. The value lies dense at its front.
class OpenTensor {
public:
  /// `bounds` are the largest sizes, `element` is the ONNX element type.
  OpenTensor(Lowering &lowering, llvm::ArrayRef<int64_t> bounds, mlir::Type element)
      : lowering(lowering), bounds(bounds), element(Lowering::signless(element)) {}

  /// Sizes that are carried: dimensions of another bound than one are open.
  unsigned getNumSizes() const { return bounds.size(); }
  mlir::Value createBuffer();
  /// `value` written into `buffer`: its new content, then the sizes. A value beyond the bounds ends the run. `at` is
  /// the element where it goes.
  mlir::Value write(mlir::Value value, mlir::Value buffer, llvm::SmallVectorImpl<mlir::Value> &sizes, Size at = Size());
  /// The value in `buffer`.
  mlir::Value read(mlir::Value buffer, mlir::ValueRange sizes);
  int64_t getCapacity() const;

private:
  Lowering &lowering;
  llvm::SmallVector<int64_t> bounds;
  mlir::Type element;
};

/// Largest sizes of result `i` of `node`: static sizes of `type`, what --bound says, or `derived` (-1: nothing). An
/// error names the option where one is missing.
mlir::FailureOr<llvm::SmallVector<int64_t>> findBounds(Node &node, unsigned i, mlir::RankedTensorType type,
                                                       llvm::ArrayRef<int64_t> derived = {});

/// A buffer of its own with the elements of `tensor`; an elementwise copy would be folded away.
mlir::Value copyTensor(Lowering &lowering, mlir::Value tensor);

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_OPENTENSOR_H
