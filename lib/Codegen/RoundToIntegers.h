//===- RoundToIntegers.h - quantization by few instructions ------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_CODEGEN_ROUNDTOINTEGERS_H
#define LEAF_LIB_CODEGEN_ROUNDTOINTEGERS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace leaf::codegen {

/// Rewrites saturate(round_half_even(x) + zero point) to 8 or 16 bits, as QuantizeLinear is lowered, with the same
/// result for all numbers x:
///
///   as vectors   x is clamped first; 1.5 * 2^23 is added, whose last bit is worth 1, so that the addition rounds; the
///                lowest bits of that float are the result.
///   as scalars   machine.saturate where `hasSaturation`: ARM's conversion, and saturating addition.
///
/// `hasSaturation`: scalars are computed by a float unit of ARM beside its DSP instructions.
void roundToIntegers(mlir::func::FuncOp function, bool hasSaturation);

} // namespace leaf::codegen

#endif // LEAF_LIB_CODEGEN_ROUNDTOINTEGERS_H
