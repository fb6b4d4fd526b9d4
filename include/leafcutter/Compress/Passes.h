//===- Passes.h - passes of the stage compress -------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_COMPRESS_PASSES_H
#define LEAFCUTTER_COMPRESS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace leaf {

#define GEN_PASS_DECL
#include "leafcutter/Compress/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "leafcutter/Compress/Passes.h.inc"

} // namespace leaf

#endif // LEAFCUTTER_COMPRESS_PASSES_H
