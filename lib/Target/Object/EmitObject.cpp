//===- EmitObject.cpp - machine code of a model ------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Detail.h"
#include "IsaDispatch.h"
#include "leafcutter/Target/Emit.h"
#include "leafcutter/Target/ObjectFile.h"
#include "leafcutter/Target/TargetMachine.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/Linker/Linker.h"
#include "llvm/ObjCopy/ConfigManager.h"
#include "llvm/ObjCopy/ObjCopy.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace leaf;

static llvm::Error generate(llvm::Module &module, llvm::TargetMachine &machine, llvm::raw_pwrite_stream &out) {
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, out, nullptr, llvm::CodeGenFileType::ObjectFile))
    return llvm::createStringError("LLVM can't write objects for '" + module.getTargetTriple().str() + "'");
  passes.run(module);
  return llvm::Error::success();
}

/// Copies `object` to `out` without the section that only we read.
static llvm::Error stripStackSizes(llvm::object::ObjectFile &object, llvm::raw_ostream &out) {
  llvm::objcopy::ConfigManager config;
  auto fail = [](llvm::Error error) { return error; };
  for (llvm::StringRef name : {".stack_sizes", ".rela.stack_sizes", ".rel.stack_sizes"})
    if (llvm::Error error = config.Common.ToRemove.addMatcher(
            llvm::objcopy::NameOrPattern::create(name, llvm::objcopy::MatchStyle::Literal, fail)))
      return error;
  config.Common.OutputFilename = "model.o";
  return llvm::objcopy::executeObjcopyOnBinary(config, object, out);
}

/// Whether AMX is used: by intrinsics only.
static bool usesTiles(const llvm::Module &module) {
  return llvm::any_of(module, [](const llvm::Function &function) {
    llvm::StringRef name = function.getName();
    return (name.starts_with("llvm.x86.tile") || name.starts_with("llvm.x86.tdp")) && !function.use_empty();
  });
}

/// The same name in all levels would be renamed by the linker, in an order of its own.
static void addSuffix(llvm::Module &module, llvm::StringRef entry, llvm::StringRef suffix) {
  for (llvm::GlobalObject &object : module.global_objects())
    if (object.hasLocalLinkage() || object.getName() == entry)
      object.setName(object.getName() + suffix);
}

/// The levels' modules and the choice between them in one; each function says what it is compiled for.
static llvm::Expected<std::unique_ptr<llvm::Module>> linkLevels(llvm::ArrayRef<IsaLevel> levels,
                                                                const std::string &name, llvm::LLVMContext &context) {
  std::vector<std::unique_ptr<llvm::Module>> parts;
  std::vector<object::LevelEntry> entries;
  for (auto [module, target] : levels) {
    llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine = createTargetMachine(target);
    if (!machine)
      return machine.takeError();
    llvm::Expected<std::unique_ptr<llvm::Module>> lowered = object::buildLLVMModule(module, target, **machine, context);
    if (!lowered)
      return lowered.takeError();
    addSuffix(**lowered, name + "_entry", "." + target.name);
    entries.push_back({name + "_entry." + target.name, getIsaWords(target, usesTiles(**lowered))});
    parts.push_back(std::move(*lowered));
  }
  llvm::Expected<std::unique_ptr<llvm::Module>> all =
      object::buildIsaDispatch(name, entries, levels.front().target, context);
  if (!all)
    return all;
  (*all)->setDataLayout(parts.front()->getDataLayout());
  (*all)->setTargetTriple(parts.front()->getTargetTriple());
  for (std::unique_ptr<llvm::Module> &part : parts) {
    part->setTargetTriple((*all)->getTargetTriple());
    if (llvm::Linker::linkModules(**all, std::move(part)))
      return llvm::createStringError("the ISA levels of the model cannot be linked");
  }
  for (const object::LevelEntry &entry : entries)
    (*all)->getFunction(entry.symbol)->setLinkage(llvm::Function::InternalLinkage);
  return all;
}

llvm::Error leaf::emitObject(ModuleOp module, const TargetSpec &target, llvm::raw_pwrite_stream &out,
                             ObjectStats *stats) {
  return emitObject(IsaLevel{module, target}, out, stats);
}

llvm::Error leaf::emitObject(llvm::ArrayRef<IsaLevel> levels, llvm::raw_pwrite_stream &out, ObjectStats *stats) {
  llvm::Expected<std::string> name = object::getModelName(levels.front().module);
  if (!name)
    return name.takeError();
  TargetSpec target = levels.front().target;
  // What chooses a level must run everywhere.
  if (levels.size() > 1) {
    target.cpu = llvm::Triple(target.triple).isX86() ? "x86-64" : "generic";
    target.features.clear();
  }
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine = createTargetMachine(target, stats != nullptr);
  if (!machine)
    return machine.takeError();
  llvm::LLVMContext context;
  llvm::Expected<std::unique_ptr<llvm::Module>> lowered =
      levels.size() > 1 ? linkLevels(levels, *name, context)
                        : object::buildLLVMModule(levels.front().module, target, **machine, context);
  if (!lowered)
    return lowered.takeError();

  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  if (llvm::Error error = generate(**lowered, **machine, stream))
    return error;
  llvm::MemoryBufferRef buffer(llvm::StringRef(bytes.data(), bytes.size()), *name + ".o");
  std::vector<std::string> allowed{*name + "_weights"};
  if (levels.size() > 1 && llvm::Triple(target.triple).isAArch64())
    allowed.push_back("getauxval");
  if (llvm::Error error = checkUndefinedSymbols(buffer, allowed))
    return error;
  if (!stats) {
    out.write(bytes.data(), bytes.size());
    return llvm::Error::success();
  }
  llvm::Expected<std::unique_ptr<llvm::object::ObjectFile>> object = llvm::object::ObjectFile::createObjectFile(buffer);
  if (!object)
    return object.takeError();
  llvm::Expected<uint64_t> stack = object::getStackDepth(**object, **lowered, *name + "_entry");
  if (!stack)
    return stack.takeError();
  stats->codeBytes = object::getCodeBytes(**object);
  stats->stackBytes = *stack;
  return stripStackSizes(**object, out);
}
