//===- HelperText.h - bodies of helpers by intrinsics ------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_TARGET_C_HELPERTEXT_H
#define LEAFCUTTER_LIB_TARGET_C_HELPERTEXT_H

#include "Helpers.h"

namespace leaf {

/// The body of helper `op` on `type` by instructions of the target, on parameters a, b, c (and mask, for "select").
/// Empty where C itself does as well. Sets the header it needs.
std::string intrinsicBody(llvm::StringRef op, CType type, const TargetSpec &target, std::string &header);

/// The same for a conversion of `x` between f16 and f32.
std::string intrinsicConversion(CType from, CType to, const TargetSpec &target, std::string &header);

/// The definition of a helper for a dot product, a word of a buffer or tile registers; empty for any other name.
std::string machineHelper(llvm::StringRef name, const TargetSpec &target, std::string &header);

} // namespace leaf

#endif // LEAFCUTTER_LIB_TARGET_C_HELPERTEXT_H
