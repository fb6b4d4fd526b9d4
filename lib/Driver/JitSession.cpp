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

Expected<NpzFile> runInProcess(mlir::ModuleOp module, const TargetSpec &target, const NpzFile &inputs,
                               unsigned threads) {
  ModelInterface interface = getModelInterface(module);
  if (Error error = checkMemory(interface))
    return std::move(error);
  Expected<std::unique_ptr<CompiledModel>> model = CompiledModel::create(module, target);
  if (!model)
    return model.takeError();
  CompiledModel &compiled = **model;
  ModelRunner runner(
      std::move(interface),
      [&](const leaf_context *context, void *const *buffers, int64_t *dims) {
        return compiled.run(context, buffers, dims);
      },
      compiled.weights(), threads);
  return runner.run(inputs);
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
  return runInProcess(compiler.getModule(), compiler.getTarget(), inputs, threads);
}

} // namespace leaf
