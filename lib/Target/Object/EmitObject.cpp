//===- EmitObject.cpp - machine code of a model ------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Detail.h"
#include "leafcutter/Target/Emit.h"
#include "leafcutter/Target/ObjectFile.h"
#include "leafcutter/Target/TargetMachine.h"
#include "llvm/IR/LegacyPassManager.h"
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

llvm::Error leaf::emitObject(ModuleOp module, const TargetSpec &target, llvm::raw_pwrite_stream &out,
                             ObjectStats *stats) {
  llvm::Expected<std::string> name = object::getModelName(module);
  if (!name)
    return name.takeError();
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine = createTargetMachine(target, stats != nullptr);
  if (!machine)
    return machine.takeError();
  llvm::LLVMContext context;
  llvm::Expected<std::unique_ptr<llvm::Module>> lowered = object::buildLLVMModule(module, target, **machine, context);
  if (!lowered)
    return lowered.takeError();

  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  if (llvm::Error error = generate(**lowered, **machine, stream))
    return error;
  llvm::MemoryBufferRef buffer(llvm::StringRef(bytes.data(), bytes.size()), *name + ".o");
  if (llvm::Error error = checkUndefinedSymbols(buffer, {*name + "_weights"}))
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
