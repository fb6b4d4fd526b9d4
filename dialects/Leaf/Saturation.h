//===- Saturation.h - quotients whose large values are all the same ---*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_DIALECTS_LEAF_SATURATION_H
#define LEAF_DIALECTS_LEAF_SATURATION_H

#include "llvm/ADT/StringRef.h"

namespace leaf {

/// Unit attribute on an `arith.divf` of f32: a quotient of magnitude `saturatedQuotient` or more may be replaced by any
/// other such quotient of its sign, since it is rounded and brought into the range of an integer of at most 16 bits
/// (QuantizeLinear).
inline constexpr llvm::StringLiteral kSaturates = "leaf.saturates";
inline constexpr double saturatedQuotient = 0x1p17;

} // namespace leaf

#endif // LEAF_DIALECTS_LEAF_SATURATION_H
