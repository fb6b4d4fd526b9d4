//===- DoubleMath.h - math functions of f64 ----------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_CODEGEN_DOUBLEMATH_H
#define LEAF_LIB_CODEGEN_DOUBLEMATH_H

#include "FloatBuilder.h"

namespace leaf::codegen {

/// The value of a math op on f64 by arithmetic, to within a few units in the last place; null for one without a
/// formula. exp, expm1, log, log1p, log2, log10, tanh, rsqrt.
mlir::Value expandDouble(FloatBuilder &f, mlir::Operation *op);

} // namespace leaf::codegen

#endif // LEAF_LIB_CODEGEN_DOUBLEMATH_H
