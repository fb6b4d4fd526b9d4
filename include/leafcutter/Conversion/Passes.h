//===- Passes.h - conversions between dialects ------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_CONVERSION_PASSES_H
#define LEAFCUTTER_CONVERSION_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace leaf {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "leafcutter/Conversion/Passes.h.inc"

} // namespace leaf

#endif // LEAFCUTTER_CONVERSION_PASSES_H
