//===- Passes.td - conversions between dialects ------------------*- tablegen -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_CONVERSION_PASSES
#define LEAFCUTTER_CONVERSION_PASSES

include "mlir/Pass/PassBase.td"

#endif // LEAFCUTTER_CONVERSION_PASSES
