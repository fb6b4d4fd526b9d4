//===- Compare.h - outputs against a reference -------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_COMPARE_H
#define LEAFCUTTER_LIB_DRIVER_COMPARE_H

#include "leafcutter/Support/Npz.h"
#include "llvm/Support/Error.h"

namespace leaf {

struct Comparison {
  double maxAbs = 0; ///< largest difference
  double maxRel = 0; ///< the same over the reference's largest magnitude; inf where that is zero and they differ
  bool agrees = false;
};

/// All elements as doubles.
std::vector<double> toDoubles(const NpyArray &array);

/// Floats agree where maxRel is at most `tolerance` and NaN and infinities stand at the same places; integers and bools
/// where they are equal. Different types or shapes are an error.
llvm::Expected<Comparison> compareArrays(const NpyArray &actual, const NpyArray &expected, double tolerance);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_COMPARE_H
