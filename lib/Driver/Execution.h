//===- Execution.h - how run and verify execute a model ----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_EXECUTION_H
#define LEAFCUTTER_LIB_DRIVER_EXECUTION_H

#include "leafcutter/Driver/Arguments.h"
#include "leafcutter/Driver/Artifacts.h"
#include "leafcutter/Driver/Compiler.h"
#include "leafcutter/Support/Npz.h"

namespace leaf {

/// What --emit, --compiler, --weights, --threads and --isa-level ask for.
struct Execution {
  std::optional<Emission> emission; ///< none: in this process
  std::string compiler;             ///< C compiler; empty: that of the target
  WeightPlacement placement;
  unsigned threads = 1;
  std::optional<unsigned> level; ///< of several ISA levels, in emitted code; none: it chooses
};

/// `own` and the options that readExecution takes.
std::vector<OptionSpec> withExecutionOptions(std::vector<OptionSpec> own);
/// Reads them; for code in this process `options` keep one ISA level.
llvm::Expected<Execution> readExecution(const Arguments &arguments, CompilerOptions &options);

/// Compiles the model at `path`, runs it once and returns its outputs.
llvm::Expected<NpzFile> execute(llvm::StringRef path, CompilerOptions options, const NpzFile &inputs,
                                const Execution &execution);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_EXECUTION_H
