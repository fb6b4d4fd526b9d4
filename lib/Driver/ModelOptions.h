//===- ModelOptions.h - options that say what to compile ---------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_MODELOPTIONS_H
#define LEAFCUTTER_LIB_DRIVER_MODELOPTIONS_H

#include "leafcutter/Driver/Arguments.h"
#include "leafcutter/Driver/Artifacts.h"
#include "leafcutter/Driver/Compiler.h"
#include "leafcutter/Support/Npz.h"

namespace leaf {

/// --dim, --pin, --alias, --max-threads, --target and MLIR's own: what every command that compiles takes.
std::vector<OptionSpec> withModelOptions(std::vector<OptionSpec> own);

/// Reads them. Fails with a usage error on a malformed value.
llvm::Expected<CompilerOptions> readModelOptions(const Arguments &arguments);

/// What a command that takes one model is given.
struct ModelArguments {
  std::string path;
  CompilerOptions options;
};

/// Reads them. Fails with a usage error where the model is missing, there are several, or a value is malformed.
llvm::Expected<ModelArguments> readModelArguments(const Arguments &arguments);

/// The option --isa-level, of commands that run models.
OptionSpec getIsaLevelOption();

/// Index into `options.levels` that --isa-level names, if it is there. Fails with a usage error where there is no such
/// level.
llvm::Expected<std::optional<unsigned>> readIsaLevel(const Arguments &arguments, const CompilerOptions &options);

/// For code that runs in this process: compiles only the level that --isa-level names, else the highest one that this
/// machine can run, with the weights and the plan that all share. Fails where it can run none.
llvm::Error keepOneLevel(const Arguments &arguments, CompilerOptions &options);

/// --tune and --tuned: measures what the file lacks (--tune, of `path`, which may take minutes) and makes later stages
/// read it.
llvm::Error readTuning(const Arguments &arguments, llvm::StringRef path, CompilerOptions &options);

/// Fixes the open dimensions that no option names to the sizes of `inputs`.
void fixOpenDimensions(const NpzFile &inputs, CompilerOptions &options);

/// --weights and --weights-section of compile and verify.
llvm::Expected<WeightPlacement> readWeightPlacement(const Arguments &arguments);

/// "1234" as "1,234".
std::string formatCount(uint64_t count);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_MODELOPTIONS_H
