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

/// What --emit, --compiler, --weights and --threads ask for.
struct Execution {
  std::optional<Emission> emission; ///< none: in this process
  std::string compiler;             ///< C compiler; empty: that of the target
  WeightPlacement placement;
  unsigned threads = 1;
};

/// `own` and the options that readExecution takes.
std::vector<OptionSpec> withExecutionOptions(std::vector<OptionSpec> own);
llvm::Expected<Execution> readExecution(const Arguments &arguments);

/// Compiles the model at `path`, runs it once and returns its outputs.
llvm::Expected<NpzFile> execute(llvm::StringRef path, CompilerOptions options, const NpzFile &inputs,
                                const Execution &execution);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_EXECUTION_H
