//===- ScalarPolynomial.h - polynomials in one value --------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_TRANSFORMS_SCALARPOLYNOMIAL_H
#define LEAFCUTTER_LIB_TRANSFORMS_SCALARPOLYNOMIAL_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"
#include <array>
#include <optional>

namespace leaf {

/// Coefficients of 1, x, x^2, x^3.
using Polynomial = std::array<double, 4>;

/// `value` as a polynomial of degree at most 3 in `x`, when elementwise Add, Sub, Mul, Div, Neg and Pow on x and
/// one-element constants compute it; the result has x's shape.
std::optional<Polynomial> polynomialIn(mlir::Value value, mlir::Value x);

/// The single element of a floating-point constant.
std::optional<double> scalarConstant(mlir::Value value);

/// Whether two constants of formulas agree as far as they are usually printed.
bool isClose(double a, double b);

} // namespace leaf

#endif // LEAFCUTTER_LIB_TRANSFORMS_SCALARPOLYNOMIAL_H
