//===- Execution.cpp - how run and verify execute a model --------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Execution.h"

#include "EmittedModel.h"
#include "JitSession.h"
#include "ModelOptions.h"

using namespace llvm;

namespace leaf {

std::vector<OptionSpec> withExecutionOptions(std::vector<OptionSpec> own) {
  own.insert(own.end(), {{"--emit", "jit|lib|c",
                          "what is run: code in this process (default), a program linked with\nthe library, or one "
                          "compiled from C; foreign targets under qemu"},
                         {"--weights", "embed|file", "with lib and c: where the weights are, as in compile"},
                         {"--compiler", "CC", "C compiler for lib and c (default: that of the target)"},
                         {"--threads", "N", "threads to run on, with --emit=jit (1)"},
                         getIsaLevelOption()});
  return own;
}

Expected<Execution> readExecution(const Arguments &arguments, CompilerOptions &options) {
  Execution execution;
  std::string emit = arguments.get("--emit").value_or("jit");
  if (emit != "jit" && emit != "lib" && emit != "c")
    return usageError("--emit takes jit, lib or c, not '" + emit + "'");
  if (emit != "jit")
    execution.emission = emit == "c" ? Emission::C : Emission::Library;
  execution.compiler = arguments.get("--compiler").value_or("");
  Expected<uint64_t> threads = arguments.getNumber("--threads", 1, 1, 1024);
  if (!threads)
    return threads.takeError();
  execution.threads = *threads;
  Expected<WeightPlacement> placement = readWeightPlacement(arguments);
  if (!placement)
    return placement.takeError();
  execution.placement = *placement;
  if (execution.placement.inFile && !execution.emission)
    return usageError("--weights=file needs --emit=lib or c");
  Expected<std::optional<unsigned>> level = readIsaLevel(arguments, options);
  if (!level)
    return level.takeError();
  execution.level = *level;
  if (!execution.emission)
    if (Error error = keepOneLevel(arguments, options))
      return std::move(error);
  return execution;
}

Expected<NpzFile> execute(StringRef path, CompilerOptions options, const NpzFile &inputs, const Execution &execution) {
  if (!execution.emission)
    return compileAndRun(path, std::move(options), inputs, execution.threads);
  return runEmitted(path, std::move(options), *execution.emission, execution.compiler, inputs, execution.placement,
                    execution.level);
}

} // namespace leaf
