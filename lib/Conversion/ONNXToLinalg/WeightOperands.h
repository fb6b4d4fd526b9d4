//===- WeightOperands.h - stored weights and what turns them into numbers ----===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_WEIGHTOPERANDS_H
#define LEAF_CONVERSION_ONNXTOLINALG_WEIGHTOPERANDS_H

#include "Lowering.h"

namespace leaf::onnxtolinalg {

/// A tensor as it is stored, and the conversion of its elements: Cast, DequantizeLinear, or nothing. A contraction
/// reads `stored` and does the rest in its prologue, so that the weight keeps its small dtype.
struct WeightOperand {
  mlir::Value stored;      ///< lowered tensor of the stored type
  mlir::Type storedType;   ///< ONNX element type of `stored`
  mlir::Type type;         ///< ONNX element type of the numbers
  mlir::Value scale, zero; ///< per-axis tensors (rank 1, along `axis`), lowered; null where constants or absent. A zero
                           ///< point without a scale is subtracted in the integers (`type` is i32 then)
  mlir::Type zeroType;     ///< ONNX element type of the zero point
  int64_t axis = 0;
  mlir::TypedAttr scaleConstant, zeroConstant; ///< per-tensor constants; null where absent
  llvm::SmallVector<int64_t> perm; ///< pending transposition of `stored` (dimension i is stored dimension perm[i])

  /// Emits the conversion of one stored element into compute type of `type`; scale and zero are elements of the
  /// per-axis tensors (null where not per axis).
  mlir::Value convert(mlir::OpBuilder &b, mlir::Location loc, mlir::Value element, mlir::Value scaleElement,
                      mlir::Value zeroElement) const;
};

/// True for a Cast, DequantizeLinear or Transpose of a weight: its reader does it.
bool isFoldableIntoReader(Lowering &lowering, Node &node);

/// Takes apart a value into what is stored and how to read it.
WeightOperand getWeightOperand(Lowering &lowering, mlir::Value onnx);

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_WEIGHTOPERANDS_H
