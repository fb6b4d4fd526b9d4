//===- Passes.h - the stages as passes ---------------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_PIPELINE_PASSES_H
#define LEAFCUTTER_PIPELINE_PASSES_H

#include "mlir/Pass/Pass.h"

namespace leaf {

#define GEN_PASS_DECL
#include "leafcutter/Pipeline/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "leafcutter/Pipeline/Passes.h.inc"

} // namespace leaf

#endif // LEAFCUTTER_PIPELINE_PASSES_H
