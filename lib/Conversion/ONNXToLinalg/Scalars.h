//===- Scalars.h - scalar code in bodies -------------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_SCALARS_H
#define LEAF_CONVERSION_ONNXTOLINALG_SCALARS_H

#include "SmallFloats.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

namespace leaf::onnxtolinalg {

/// The type that arithmetic on elements of ONNX type `element` is done in: f32 for narrower floats, itself (in at
/// least 8 bits) otherwise.
mlir::Type computeType(mlir::Type element);

/// A scalar of ONNX type `from` converted as ONNX Cast does (truncation towards zero, != 0 for bool). `value` is what a
/// buffer holds, or of the compute type where that is a float; so is the result.
mlir::Value convertElement(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value, mlir::Type from, mlir::Type to,
                           SmallFloatRounding rounding = {});

/// `value` as a constant of the signless form of `element`; rounded, or wrapped, as the type asks.
mlir::TypedAttr numberAttr(mlir::Type element, double value);
/// A splat's element (IntegerAttr or FloatAttr) as it stands in a lowered tensor.
mlir::TypedAttr signlessAttr(mlir::Attribute element);
/// Smallest (-inf for floats) and largest value of the ONNX type.
mlir::TypedAttr lowestAttr(mlir::Type element);
mlir::TypedAttr highestAttr(mlir::Type element);

/// Emits arithmetic on scalars of one ONNX type, whatever kind it is. Values have the compute type.
class Scalar {
public:
  Scalar(mlir::OpBuilder &builder, mlir::Location loc, mlir::Type element);

  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Type element; ///< ONNX type, with signedness
  mlir::Type type;    ///< compute type, signless
  bool isFloat, isUnsigned;

  mlir::Value number(double value);
  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value sub(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, mlir::Value y);
  mlir::Value div(mlir::Value x, mlir::Value y);
  mlir::Value neg(mlir::Value x);
  mlir::Value abs(mlir::Value x);
  mlir::Value max(mlir::Value x, mlir::Value y);
  mlir::Value min(mlir::Value x, mlir::Value y);
  mlir::Value exp(mlir::Value x);
  mlir::Value log(mlir::Value x);
  mlir::Value sqrt(mlir::Value x);
  mlir::Value tanh(mlir::Value x);
  mlir::Value sigmoid(mlir::Value x) { return div(number(1), add(number(1), exp(neg(x)))); }
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y);
  /// Comparisons by their integer spelling; signedness and floats are handled here. NaN compares false, except `ne`.
  enum Predicate { eq, ne, lt, le, gt, ge };
  mlir::Value compare(Predicate predicate, mlir::Value x, mlir::Value y);
};

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_SCALARS_H
