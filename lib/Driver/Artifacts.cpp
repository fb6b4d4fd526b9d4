//===- Artifacts.cpp - the files that leafc compile writes -------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Driver/Artifacts.h"

#include "Diagnostics.h"
#include "leafcutter/Plan/ModelInterface.h"
#include "leafcutter/Support/AtomicFile.h"
#include "leafcutter/Target/WeightFile.h"

#include "llvm/Support/FileSystem.h"

using namespace llvm;

namespace leaf {

/// C compilers take minutes and gigabytes over larger arrays.
static constexpr int64_t maxEmbeddedWeightBytes = 16 << 20;

namespace {

/// Collects files of one compilation.
class ArtifactWriter {
public:
  ArtifactWriter(ArrayRef<IsaLevel> levels, StringRef folder)
      : levels(levels), module(levels.back().module), target(levels.back().target), folder(folder.str()),
        interface(getModelInterface(module)) {}

  Expected<Artifacts> write(Emission emission) {
    bool existed = sys::fs::exists(folder);
    if (std::error_code code = sys::fs::create_directories(folder))
      return createStringError("cannot make the folder '" + folder + "': " + code.message());
    if (Error error = addAll(emission)) {
      files.discard();
      if (!existed)
        (void)sys::fs::remove(folder);
      return error;
    }
    return std::move(artifacts);
  }

private:
  Error addAll(Emission emission) {
    const std::string &name = interface.name;
    if (interface.hasWeightFile())
      if (Error error = addWeightFile(name))
        return error;
    bool threadPool = usesThreadPool(module, target);
    if (threadPool)
      if (Error error = addThreadPool())
        return error;
    Error error = add(name + ".h", [&](raw_pwrite_stream &out) { return emitHeader(module, out); });
    if (!error)
      error = add("example.c", [&](raw_pwrite_stream &out) { return emitExample(module, out, threadPool); });
    if (!error)
      error = add(name + ".cmake", [&](raw_pwrite_stream &out) { return emitCMakeSnippet(module, out, threadPool); });
    if (!error)
      error = emission == Emission::C ? addC(name) : emission == Emission::Object ? addObjects(name) : addLibrary(name);
    if (!error)
      error = files.commit();
    return error;
  }

  Error add(const Twine &file, FileWriter writer) {
    artifacts.paths.push_back((folder + "/" + file).str());
    return files.add(artifacts.paths.back(), writer);
  }

  Error addLibrary(StringRef name) {
    return add("lib" + name + ".a",
               [&](raw_pwrite_stream &out) { return emitArchive(levels, out, &artifacts.stats.emplace()); });
  }

  Error addWeightFile(StringRef name) {
    Expected<WeightFile> file = WeightFile::create(module);
    if (!file)
      return file.takeError();
    if (Error error = add(name + ".weights", [&](raw_pwrite_stream &out) { return file->write(out); }))
      return error;
    if (Error error = add("leaf_weights.h", [](raw_pwrite_stream &out) { return emitWeightReaderHeader(out); }))
      return error;
    return add("leaf_weights.c", [](raw_pwrite_stream &out) { return emitWeightReaderSource(out); });
  }

  Error addThreadPool() {
    if (Error error = add("leaf_threads.h", [](raw_pwrite_stream &out) { return emitThreadPoolHeader(out); }))
      return error;
    return add("leaf_threads.c", [](raw_pwrite_stream &out) { return emitThreadPoolSource(out); });
  }

  Error addObjects(StringRef name) {
    if (Error error = add(name + ".o",
                          [&](raw_pwrite_stream &out) { return emitObject(levels, out, &artifacts.stats.emplace()); }))
      return error;
    if (interface.hasWeightFile())
      return Error::success();
    return add(name + "_weights.o", [&](raw_pwrite_stream &out) { return emitWeightsObject(module, target, out); });
  }

  Error addC(StringRef name) {
    bool embed = !interface.hasWeightFile() && interface.weightBytes <= maxEmbeddedWeightBytes;
    if (Error error = add(name + ".c", [&](raw_pwrite_stream &out) { return emitC(levels, out, embed); }))
      return error;
    if (embed || interface.hasWeightFile())
      return Error::success();
    if (Error error =
            add(name + "_weights.bin", [&](raw_pwrite_stream &out) { return writeWeightSection(module, out); }))
      return error;
    return add(name + "_weights.S", [&](raw_pwrite_stream &out) {
      out << "/* Weights of " << name << "; assemble in the folder of " << name << "_weights.bin. */\n"
          << "    .section " << (interface.weightSection.empty() ? ".rodata.leaf" : interface.weightSection)
          << ",\"a\",%progbits\n    .balign 64\n    .global " << name << "_weights\n"
          << name << "_weights:\n    .incbin \"" << name << "_weights.bin\"\n"
          << "    .section .note.GNU-stack,\"\",%progbits\n";
      return Error::success();
    });
  }

  ArrayRef<IsaLevel> levels;
  mlir::ModuleOp module; ///< of any level: what the caller sees is the same
  const TargetSpec &target;
  std::string folder;
  ModelInterface interface;
  AtomicFiles files;
  Artifacts artifacts;
};

} // namespace

/// Notes on the module that its weights go to a file, which one, and how large it is.
static Error planWeightFile(mlir::ModuleOp module) {
  if (getModelInterface(module).weightBytes == 0)
    return Error::success();
  Expected<WeightFile> file = WeightFile::create(module);
  if (!file)
    return file.takeError();
  mlir::Builder builder(module.getContext());
  module->setAttr(kWeightFile,
                  builder.getDictionaryAttr({builder.getNamedAttr("id", builder.getI64IntegerAttr(file->id())),
                                             builder.getNamedAttr("bytes", builder.getI64IntegerAttr(file->bytes()))}));
  return Error::success();
}

Expected<Artifacts> writeArtifacts(ArrayRef<IsaLevel> levels, Emission emission, StringRef folder,
                                   const WeightPlacement &placement) {
  DiagnosticCollector diagnostics(levels.front().module->getContext());
  for (const IsaLevel &level : levels) {
    mlir::ModuleOp module = level.module;
    module->removeAttr(kWeightFile);
    module->removeAttr(kWeightSection);
    if (!placement.section.empty())
      module->setAttr(kWeightSection, mlir::StringAttr::get(module.getContext(), placement.section));
    if (placement.inFile)
      if (Error error = planWeightFile(module))
        return diagnostics.merge(std::move(error));
  }
  Expected<Artifacts> artifacts = ArtifactWriter(levels, folder).write(emission);
  if (!artifacts)
    return diagnostics.merge(artifacts.takeError());
  return artifacts;
}

} // namespace leaf
