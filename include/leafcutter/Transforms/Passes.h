//===- Passes.h - passes of normalize, compress and optimize ------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_TRANSFORMS_PASSES_H
#define LEAFCUTTER_TRANSFORMS_PASSES_H

#include "leafcutter/Transforms/ConstantEvaluator.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace leaf {

#define GEN_PASS_DECL
#include "leafcutter/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "leafcutter/Transforms/Passes.h.inc"

/// leaf-fold-constants that asks `fallback` for ops which the host evaluator does not know.
std::unique_ptr<mlir::Pass> createFoldConstants(ConstantFallback fallback);

} // namespace leaf

#endif // LEAFCUTTER_TRANSFORMS_PASSES_H
