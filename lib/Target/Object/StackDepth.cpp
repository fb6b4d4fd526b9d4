//===- StackDepth.cpp - code and stack bytes of an object --------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Detail.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/Support/DataExtractor.h"

using namespace leaf;
using llvm::object::ObjectFile;
using llvm::object::RelocationRef;
using llvm::object::SectionRef;
using llvm::object::SymbolRef;

uint64_t object::getCodeBytes(const ObjectFile &object) {
  uint64_t bytes = 0;
  for (const SectionRef &section : object.sections())
    if (section.isText())
      bytes += section.getSize();
  return bytes;
}

/// Name of the one function in each section (objects have a section per function).
static llvm::Expected<std::map<uint64_t, std::string>> getFunctionSections(const ObjectFile &object) {
  std::map<uint64_t, std::string> functions;
  for (const SymbolRef &symbol : object.symbols()) {
    llvm::Expected<SymbolRef::Type> type = symbol.getType();
    if (!type)
      return type.takeError();
    if (*type != SymbolRef::ST_Function)
      continue;
    llvm::Expected<llvm::object::section_iterator> section = symbol.getSection();
    if (!section)
      return section.takeError();
    llvm::Expected<llvm::StringRef> name = symbol.getName();
    if (!name)
      return name.takeError();
    if (*section != object.section_end())
      functions[(*section)->getIndex()] = name->str();
  }
  return functions;
}

/// Frame bytes of each function from `.stack_sizes`: entries of (address, ULEB128), the address through a relocation.
static llvm::Expected<llvm::StringMap<uint64_t>> getFrames(const ObjectFile &object) {
  llvm::Expected<std::map<uint64_t, std::string>> functions = getFunctionSections(object);
  if (!functions)
    return functions.takeError();
  llvm::StringMap<uint64_t> frames;
  for (const SectionRef &relocations : object.sections()) {
    llvm::Expected<llvm::object::section_iterator> section = relocations.getRelocatedSection();
    if (!section)
      return section.takeError();
    if (*section == object.section_end())
      continue;
    llvm::Expected<llvm::StringRef> name = (*section)->getName();
    if (!name || *name != ".stack_sizes") {
      llvm::consumeError(name.takeError());
      continue;
    }
    llvm::Expected<llvm::StringRef> contents = (*section)->getContents();
    if (!contents)
      return contents.takeError();
    llvm::DataExtractor data(*contents, /*IsLittleEndian=*/true, object.getBytesInAddress());
    for (const RelocationRef &relocation : relocations.relocations()) {
      if (relocation.getSymbol() == object.symbol_end())
        continue;
      llvm::Expected<llvm::object::section_iterator> code = relocation.getSymbol()->getSection();
      if (!code)
        return code.takeError();
      auto function = *code == object.section_end() ? functions->end() : functions->find((*code)->getIndex());
      if (function == functions->end())
        continue;
      uint64_t at = relocation.getOffset() + object.getBytesInAddress();
      frames[function->second] = data.getULEB128(&at);
    }
  }
  return frames;
}

static uint64_t getDepth(const llvm::Function &function, const llvm::StringMap<uint64_t> &frames,
                         uint64_t returnAddress, llvm::DenseMap<const llvm::Function *, uint64_t> &depths) {
  // Kernels do not recurse; the entry made first ends a cycle should there ever be one.
  auto [it, isNew] = depths.try_emplace(&function, 0);
  if (!isNew)
    return it->second;
  uint64_t deepest = 0;
  for (const llvm::Instruction &instruction : llvm::instructions(function))
    for (const llvm::Use &operand : instruction.operands())
      if (const auto *callee = llvm::dyn_cast<llvm::Function>(operand.get()))
        if (!callee->isDeclaration())
          deepest = std::max(deepest, getDepth(*callee, frames, returnAddress, depths));
  return depths[&function] = deepest + frames.lookup(function.getName()) + returnAddress;
}

llvm::Expected<uint64_t> object::getStackDepth(const ObjectFile &object, const llvm::Module &module,
                                               llvm::StringRef entry) {
  llvm::Expected<llvm::StringMap<uint64_t>> frames = getFrames(object);
  if (!frames)
    return frames.takeError();
  const llvm::Function *function = module.getFunction(entry);
  if (!function)
    return llvm::createStringError("the module has no function '" + entry + "'");
  // A call pushes the return address on x86; on ARM it is a register that the frame holds where it is saved.
  uint64_t returnAddress = object.getArch() == llvm::Triple::x86_64 ? 8 : 0;
  llvm::DenseMap<const llvm::Function *, uint64_t> depths;
  return getDepth(*function, *frames, returnAddress, depths);
}
