//===- ContractBuilder.h - builds leaf.contract ------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_CONTRACTBUILDER_H
#define LEAF_CONVERSION_ONNXTOLINALG_CONTRACTBUILDER_H

#include "WeightOperands.h"

namespace leaf::onnxtolinalg {

/// What a leaf.contract is made of. Maps are over `iterators.size()` loops.
struct ContractBuilder {
  using RegionFn = std::function<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

  mlir::Value lhs, rhs;
  mlir::AffineMap lhsMap, rhsMap, outMap;
  llvm::SmallVector<mlir::Value> rhsExtras, extras;
  llvm::SmallVector<mlir::AffineMap> rhsExtraMaps, extraMaps;
  llvm::SmallVector<mlir::utils::IteratorType> iterators;
  mlir::Type accumulator; ///< signless
  mlir::Type outElement;  ///< signless
  Sizes outSizes;
  RegionFn lhsPrologue; ///< (element of lhs) -> accumulator type
  RegionFn rhsPrologue; ///< (element of rhs, elements of rhs extras) -> accumulator type
  RegionFn epilogue;    ///< (accumulator, elements of extras) -> accumulator type; null: the accumulator

  /// Fills both prologues with conversions from the ONNX types of the operands, the scale and zero point of a
  /// dequantized rhs included: `scaleMap` indexes those along the loop of the weight's axis.
  void setPrologues(mlir::Type lhsType, const WeightOperand &weight, mlir::AffineMap scaleMap);
  mlir::Value build(Lowering &lowering);
};

/// Accumulator of products of elements of ONNX type `element`: f32 for f16, i32 for small integers.
mlir::Type accumulatorType(mlir::Type element);

/// Input `input` of a MatMulInteger or ConvInteger less its zero point, as i32, in a generic of its own. A zero point
/// of several elements is one per position of dimension `axis`.
mlir::Value subtractZeroPoint(Lowering &lowering, Node &node, unsigned input, unsigned zeroInput, int64_t axis);

/// A lhs of small integers: a constant zero point goes into the prologue, any other is subtracted before.
struct IntegerOperand {
  mlir::Value tensor;
  ContractBuilder::RegionFn prologue; ///< to i32
  mlir::TypedAttr zero;               ///< element that stands for zero in `tensor`
};
IntegerOperand getIntegerOperand(Lowering &lowering, Node &node, unsigned input, unsigned zeroInput, int64_t axis);

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_CONTRACTBUILDER_H
