//===- EmittedModel.h - runs what leafc compile writes -----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_EMITTEDMODEL_H
#define LEAFCUTTER_LIB_DRIVER_EMITTEDMODEL_H

#include "leafcutter/Driver/Artifacts.h"
#include "leafcutter/Driver/Compiler.h"
#include "leafcutter/Support/Npz.h"

namespace leaf {

/// Compiles `path`, builds a program around the library or C file with `compiler` (empty: the target's own), runs it
/// (under qemu where the target is foreign) and returns its outputs. `level` is the ISA level to run, where there are
/// several; otherwise the program chooses.
llvm::Expected<NpzFile> runEmitted(llvm::StringRef path, CompilerOptions options, Emission emission,
                                   llvm::StringRef compiler, const NpzFile &inputs,
                                   const WeightPlacement &placement = {}, std::optional<unsigned> level = std::nullopt);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_EMITTEDMODEL_H
