//===- TargetMachine.cpp - LLVM's view of a target ---------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Target/TargetMachine.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Triple.h"
#include <mutex>

using namespace leaf;

void leaf::initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
    llvm::InitializeAllAsmParsers();
  });
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>> leaf::createTargetMachine(const TargetSpec &target,
                                                                               bool stackSizes) {
  initializeTargets();
  llvm::Triple triple(target.triple);
  std::string message;
  const llvm::Target *backend = llvm::TargetRegistry::lookupTarget(triple, message);
  if (!backend)
    return llvm::createStringError("target '" + target.name + "': " + message);

  llvm::TargetOptions options;
  // The triple's environment alone does not choose the ABI of 32-bit ARM.
  if (triple.isARM() || triple.isThumb())
    options.FloatABIType = target.hardFloat ? llvm::FloatABI::Hard : llvm::FloatABI::Soft;
  options.FunctionSections = true;
  options.DataSections = true;
  options.EmitStackSizeSection = stackSizes;
  llvm::Reloc::Model relocation = target.bareMetal ? llvm::Reloc::Static : llvm::Reloc::PIC_;
  std::unique_ptr<llvm::TargetMachine> machine(backend->createTargetMachine(
      triple, target.cpu, target.features, options, relocation, std::nullopt, llvm::CodeGenOptLevel::Default));
  if (!machine)
    return llvm::createStringError("target '" + target.name + "': LLVM can't make code for '" + target.triple + "'");
  return machine;
}
