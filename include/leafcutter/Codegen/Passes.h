//===- Passes.h - kernels to loops over native vectors ----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_CODEGEN_PASSES_H
#define LEAFCUTTER_CODEGEN_PASSES_H

#include "mlir/Pass/Pass.h"

namespace leaf {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "leafcutter/Codegen/Passes.h.inc"

} // namespace leaf

#endif // LEAFCUTTER_CODEGEN_PASSES_H
