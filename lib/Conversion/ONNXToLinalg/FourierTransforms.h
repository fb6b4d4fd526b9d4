//===- FourierTransforms.h - discrete Fourier transforms of rows -*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_FOURIERTRANSFORMS_H
#define LEAF_CONVERSION_ONNXTOLINALG_FOURIERTRANSFORMS_H

#include "Lowering.h"

namespace leaf::onnxtolinalg {

/// Transforms rows [rows, length, parts] of f32 or f64, where parts is 1 (real) or 2 (real, imaginary), to
/// [rows, length, 2].
///
/// Short lengths and primes are one matrix product. A composite length n1 * n2 is transformed as Cooley and Tukey do
/// (An algorithm for the machine calculation of complex Fourier series, 1965): n2 transforms of length n1, a factor
/// exp(-2 pi i b k / n) for each element, and n1 transforms of length n2; with n1 up to 16, so that each step is a
/// product of rows and a small matrix, computed at compile time. Cost: rows * length * 4 * (sum of the factors).
class FourierTransform {
public:
  FourierTransform(Lowering &lowering, mlir::Type compute, bool isInverse)
      : lowering(lowering), compute(compute), sign(isInverse ? 1 : -1), isInverse(isInverse) {}

  /// `bins`: how many results are wanted from the first on; at most `length`.
  mlir::Value transform(mlir::Value rows, int64_t length, int64_t bins);

private:
  mlir::Value transform(mlir::Value rows, int64_t length, int64_t bins, double scale);
  mlir::Value direct(mlir::Value rows, int64_t length, int64_t bins, double scale);
  mlir::Value twiddle(mlir::Value rows, Size count, int64_t outer, int64_t inner);
  mlir::Value weight(llvm::ArrayRef<double> values, llvm::ArrayRef<int64_t> shape, llvm::StringRef name);

  Lowering &lowering;
  mlir::Type compute;
  double sign;
  bool isInverse;
};

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_FOURIERTRANSFORMS_H
