//===- EmittedModel.cpp - runs what leafc compile writes ---------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "EmittedModel.h"

#include "JitSession.h"
#include "leafcutter/Support/AtomicFile.h"
#include "leafcutter/Target/Emit.h"
#include "leafcutter/Target/Verify.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <cstring>

using namespace llvm;

namespace leaf {

/// A temporary folder, made.
static Expected<std::string> makeFolder() {
  SmallString<128> folder;
  if (std::error_code code = sys::fs::createUniqueDirectory("leafc-verify", folder))
    return createStringError("cannot make a temporary folder: " + code.message());
  return folder.str().str();
}

/// Writes the artifacts and the driver program; what the C compiler gets.
static Expected<std::vector<std::string>> writeProgram(Compiler &compiler, Emission emission, StringRef folder,
                                                       const WeightPlacement &placement,
                                                       std::optional<unsigned> level) {
  Expected<Artifacts> artifacts = writeArtifacts(compiler.getLevels(), emission, folder, placement);
  if (!artifacts)
    return artifacts.takeError();
  std::vector<std::string> files = {(folder + "/verify_main.c").str()};
  if (Error error = writeFileAtomically(files.front(), [&](raw_pwrite_stream &out) {
        return emitVerifyDriver(compiler.getModule(), out, usesThreadPool(compiler.getModule(), compiler.getTarget()),
                                level);
      }))
    return error;
  for (const std::string &path : artifacts->paths) {
    StringRef extension = sys::path::extension(path), name = sys::path::filename(path);
    if (name != "example.c" && (extension == ".c" || extension == ".S" || extension == ".a" || extension == ".o"))
      files.push_back(path);
  }
  return files;
}

/// The program as an entry function. Its failures besides a status go to `failure`.
static ModelRunner::Entry makeEntry(const ModelInterface &model, const TargetSpec &target, StringRef folder,
                                    const std::vector<std::string> &files, const RunOptions &options,
                                    std::string &failure) {
  return [&, folder](const leaf_context *, void *const *buffers, int64_t *dims) -> int32_t {
    std::vector<std::vector<char>> inputs;
    for (auto [index, input] : enumerate(model.inputs)) {
      const char *bytes = static_cast<const char *>(buffers[index]);
      inputs.emplace_back(bytes, bytes + input.capacity * input.elementBytes);
    }
    Expected<RunResult> result =
        runProgram(model, target, folder, files, ArrayRef<int64_t>(dims, model.dims.size()), inputs, options);
    if (!result) {
      failure = toString(result.takeError());
      return LEAF_OK;
    }
    std::copy(result->sizes.begin(), result->sizes.end(), dims + model.dims.size());
    unsigned next = model.inputs.size();
    for (auto [output, bytes] : zip_equal(model.outputs, result->outputs))
      std::memcpy(buffers[output.alias >= 0 ? unsigned(output.alias) : next++], bytes.data(), bytes.size());
    return int32_t(result->status);
  };
}

Expected<NpzFile> runEmitted(StringRef path, CompilerOptions options, Emission emission, StringRef cc,
                             const NpzFile &inputs, const WeightPlacement &placement, std::optional<unsigned> level) {
  Expected<std::string> folder = makeFolder();
  if (!folder)
    return folder.takeError();
  scope_exit remove([&] { (void)sys::fs::remove_directories(*folder); });
  Compiler compiler(std::move(options));
  if (Error error = compileWithProgress(compiler, path))
    return error;
  Expected<std::vector<std::string>> files = writeProgram(compiler, emission, *folder, placement, level);
  if (!files)
    return files.takeError();

  ModelInterface model = getModelInterface(compiler.getModule());
  if (Error error = checkMemory(model))
    return error;
  RunOptions runOptions;
  runOptions.compiler = cc.str();
  std::string failure;
  ModelRunner runner(model, makeEntry(model, compiler.getTarget(), *folder, *files, runOptions, failure), nullptr);
  Error error = runner.setInputs(inputs);
  if (!error)
    error = runner.run();
  if (error)
    return error;
  if (!failure.empty())
    return createStringError(failure);
  return runner.getOutputs();
}

} // namespace leaf
