//===- Archive.cpp - libNAME.a -----------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Detail.h"
#include "leafcutter/Plan/ModelInterface.h"
#include "leafcutter/Support/AtomicFile.h"
#include "leafcutter/Target/Emit.h"
#include "llvm/Object/ArchiveWriter.h"

using namespace mlir;
using namespace leaf;

llvm::Error leaf::emitArchive(ModuleOp module, const TargetSpec &target, llvm::raw_ostream &out, ObjectStats *stats) {
  return emitArchive(IsaLevel{module, target}, out, stats);
}

llvm::Error leaf::emitArchive(llvm::ArrayRef<IsaLevel> levels, llvm::raw_ostream &out, ObjectStats *stats) {
  auto [module, target] = levels.front();
  llvm::Expected<std::string> name = object::getModelName(module);
  if (!name)
    return name.takeError();
  llvm::SmallVector<char, 0> code, weights;
  llvm::raw_svector_ostream codeStream(code), weightStream(weights);
  if (llvm::Error error = emitObject(levels, codeStream, stats))
    return error;
  bool hasFile = getModelInterface(module).hasWeightFile();
  if (!hasFile)
    if (llvm::Error error = emitWeightsObject(module, target, weightStream))
      return error;

  std::string codeName = *name + ".o", weightName = *name + "_weights.o";
  std::vector<llvm::NewArchiveMember> members;
  members.emplace_back(llvm::MemoryBufferRef(llvm::StringRef(code.data(), code.size()), codeName));
  if (!hasFile)
    members.emplace_back(llvm::MemoryBufferRef(llvm::StringRef(weights.data(), weights.size()), weightName));
  return llvm::writeArchiveToStream(out, members, llvm::SymtabWritingMode::NormalSymtab, llvm::object::Archive::K_GNU,
                                    /*Deterministic=*/true, /*Thin=*/false);
}

llvm::Error leaf::emitArchive(ModuleOp module, const TargetSpec &target, StringRef path, ObjectStats *stats) {
  return writeFileAtomically(path,
                             [&](llvm::raw_pwrite_stream &out) { return emitArchive(module, target, out, stats); });
}
