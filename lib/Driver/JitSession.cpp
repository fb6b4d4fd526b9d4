//===- JitSession.cpp - a model compiled into this process -------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "JitSession.h"

#include "leafcutter/Support/Progress.h"

#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;

namespace leaf {

Error compileWithProgress(Compiler &compiler, StringRef path) {
  Progress progress;
  return compiler.run(path, [&](Stage stage) {
    progress.update(unsigned(stage) + 1, getStages().size(), getStageName(stage) + " " + path);
  });
}

Expected<NpzFile> compileAndRun(StringRef path, CompilerOptions options, const NpzFile &inputs, unsigned threads) {
  Triple triple(options.target.triple), host(sys::getProcessTriple());
  if (triple.getArch() != host.getArch() || triple.getOS() != host.getOS())
    return createStringError("code for target '" + options.target.name + "' does not run in this process; use " +
                             "'leafc verify --emit=lib', which knows emulators");
  options.maxThreads = std::max(options.maxThreads, threads);
  Compiler compiler(std::move(options));
  if (Error error = compileWithProgress(compiler, path))
    return error;
  if (Error error = checkMemory(getModelInterface(compiler.getModule())))
    return error;
  Expected<std::unique_ptr<CompiledModel>> model = CompiledModel::create(compiler.getModule(), compiler.getTarget());
  if (!model)
    return model.takeError();
  CompiledModel &compiled = **model;
  ModelRunner runner(
      getModelInterface(compiler.getModule()),
      [&](const leaf_context *context, void *const *buffers, int64_t *dims) {
        return compiled.run(context, buffers, dims);
      },
      compiled.weights(), threads);
  return runner.run(inputs);
}

} // namespace leaf
