//===- Figures.h - counts along the stages -----------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_FIGURES_H
#define LEAFCUTTER_LIB_DRIVER_FIGURES_H

#include "leafcutter/Driver/Compiler.h"

namespace leaf {

/// Updates the figures that the IR after `stage` tells.
void collectFigures(mlir::ModuleOp module, Stage stage, const TargetSpec &target, CompileFigures &figures);

/// Of a quantized model after form: how many products and convolutions add up integers, and what is computed by floats,
/// each with the reason. Nothing for another model.
void printArithmetic(llvm::raw_ostream &out, mlir::ModuleOp module);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_FIGURES_H
