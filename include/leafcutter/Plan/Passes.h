//===- Passes.h - passes of the plan stage -----------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_PLAN_PASSES_H
#define LEAFCUTTER_PLAN_PASSES_H

#include "mlir/Pass/Pass.h"

namespace leaf {

#define GEN_PASS_DECL
#include "leafcutter/Plan/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "leafcutter/Plan/Passes.h.inc"

} // namespace leaf

#endif // LEAFCUTTER_PLAN_PASSES_H
