//===- Passes.h - passes of the form stage -----------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_FORM_PASSES_H
#define LEAFCUTTER_FORM_PASSES_H

#include "mlir/Pass/Pass.h"

namespace leaf {

#define GEN_PASS_DECL
#include "leafcutter/Form/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "leafcutter/Form/Passes.h.inc"

} // namespace leaf

#endif // LEAFCUTTER_FORM_PASSES_H
