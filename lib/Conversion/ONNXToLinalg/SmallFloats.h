//===- SmallFloats.h - floats of 8 and 4 bits in bodies ----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_SMALLFLOATS_H
#define LEAF_CONVERSION_ONNXTOLINALG_SMALLFLOATS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace leaf::onnxtolinalg {

/// How Cast and QuantizeLinear round to a float of 8 or 4 bits.
struct SmallFloatRounding {
  bool saturate =
      true; ///< what is too large becomes the largest number; otherwise infinity, or NaN where there is none
  enum { Nearest, Up, Down } e8m0 = Up; ///< of powers of two only; all others round to nearest, ties to even
};

/// The f32 that the bits in an i8 stand for, a number of `type`: exact.
mlir::Value decodeSmallFloat(mlir::OpBuilder &b, mlir::Location loc, mlir::Value bits, mlir::FloatType type);

/// The bits of the f32 `value` as a number of `type`, in an i8. Source: the tables of ONNX Cast.
mlir::Value encodeSmallFloat(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value, mlir::FloatType type,
                             SmallFloatRounding rounding = {});

/// An f64 as f32, rounded so that rounding the result again, to two bits fewer or less, gives what rounding once would.
mlir::Value roundToOdd(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value);

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_SMALLFLOATS_H
