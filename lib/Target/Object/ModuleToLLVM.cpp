//===- ModuleToLLVM.cpp - output of codegen to optimized LLVM IR -------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Detail.h"
#include "Leaf/Leaf.h"
#include "leafcutter/Conversion/Passes.h"
#include "leafcutter/Support/Identifier.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Passes/PassBuilder.h"

using namespace mlir;
using namespace leaf;

llvm::Expected<std::string> object::getModelName(ModuleOp module) {
  auto name = module->getAttrOfType<StringAttr>(attrs::kModel);
  if (!name || !isIdentifier(name.getValue()))
    return llvm::createStringError("the module's attribute leaf.model must be a C identifier");
  return name.str();
}

static LogicalResult lowerToLLVMDialect(ModuleOp module, const TargetSpec &target) {
  PassManager pm(module.getContext());
  ConvertFlatToLLVMOptions options;
  options.indexBitwidth = target.pointerBits;
  pm.addPass(createConvertFlatToLLVM(options));
  return pm.run(module);
}

/// Kernels are vectorized by us, and loops stay loops: no call of memset or memcpy is made out of one.
static void setFunctionAttributes(llvm::Module &module, const TargetSpec &target) {
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    if (!target.cpu.empty())
      function.addFnAttr("target-cpu", target.cpu);
    if (!target.features.empty())
      function.addFnAttr("target-features", target.features);
    function.addFnAttr("frame-pointer", "none");
    function.addFnAttr("no-builtins");
    function.addFnAttr(llvm::Attribute::NoUnwind);
    // Bytes below the stack pointer are in no frame's size, so that the stack need would be told too low.
    function.addFnAttr(llvm::Attribute::NoRedZone);
  }
}

/// O2 without its loop transformations: kernels come vectorized and unrolled as far as it pays. Unrolling them again
/// was no faster (measured on convolution nets and a transformer) and made 1.1 to 2.5 times the code, most on CPUs
/// whose model in LLVM has a large loop buffer.
static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager calls;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;
  tuning.LoopInterleaving = false;
  tuning.SLPVectorization = false;
  tuning.LoopUnrolling = false;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(calls);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, calls, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
}

llvm::Expected<std::unique_ptr<llvm::Module>> object::buildLLVMModule(ModuleOp module, const TargetSpec &target,
                                                                      llvm::TargetMachine &machine,
                                                                      llvm::LLVMContext &context) {
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  OwningOpRef<ModuleOp> copy(module.clone());
  if (failed(lowerToLLVMDialect(*copy, target)))
    return llvm::createStringError("the kernels can't be lowered to LLVM (see the errors above)");
  std::unique_ptr<llvm::Module> lowered = translateModuleToLLVMIR(*copy, context);
  if (!lowered)
    return llvm::createStringError("the kernels can't be translated to LLVM IR (see the errors above)");
  copy = nullptr;
  lowered->setDataLayout(machine.createDataLayout());
  lowered->setTargetTriple(machine.getTargetTriple());
  setFunctionAttributes(*lowered, target);
  optimize(*lowered, machine);
  return lowered;
}
