//===- Compiler.cpp - one model through the stages ---------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Driver/Compiler.h"

#include "CompiledConstants.h"
#include "CrashReproducer.h"
#include "Diagnostics.h"
#include "Figures.h"
#include "StageFiles.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"
#include "Plan/Plan.h"
#include "leafcutter/Plan/ModelInterface.h"

#include "mlir/IR/Verifier.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace leaf {

void registerDialects(DialectRegistry &registry) {
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registry.insert<LeafDialect, plan::PlanDialect, onnx::ONNXDialect>();
}

Compiler::Compiler(CompilerOptions options) : options(std::move(options)) {
  DialectRegistry registry;
  registerDialects(registry);
  context.appendDialectRegistry(registry);
  // Constants are compiled while a pass runs, when dialects can't be loaded any more.
  context.loadAllAvailableDialects();
  // Printing after each pass interleaves otherwise.
  if (this->options.printIRAfterAll)
    context.disableMultithreading();
}

// The module refers to the context, so it goes first.
Compiler::~Compiler() { module = nullptr; }

llvm::Error Compiler::loadStage(StringRef path, Stage &next) {
  if (!options.import.preprocessing.empty() || !options.import.argmaxOutputs.empty())
    return llvm::createStringError("'" + path +
                                   "' is imported already: give options for inputs and outputs "
                                   "(--input-layout, --mean, …) where the .onnx is read");
  StageHeader header;
  llvm::Expected<OwningOpRef<ModuleOp>> loaded = readStage(&context, path, header);
  if (!loaded)
    return loaded.takeError();
  module = std::move(*loaded);
  if (!options.startFrom && !header.stage)
    return llvm::createStringError("'" + path + "' does not say after which stage it was written; give --start-from=" +
                                   "STAGE, the first stage to run");
  next = options.startFrom ? *options.startFrom : Stage(unsigned(*header.stage) + 1);
  if (next == Stage::Import)
    return llvm::createStringError("'" + path + "' is imported already; --start-from=normalize is the earliest");
  if (header.target && !options.targetGiven)
    options.target = *header.target;
  return llvm::Error::success();
}

llvm::Error Compiler::load(StringRef path, Stage &next) {
  if (llvm::sys::path::extension(path) == ".mlir")
    return loadStage(path, next);
  if (options.startFrom && *options.startFrom != Stage::Import)
    return llvm::createStringError("--start-from needs a .mlir file, not '" + path + "'");
  llvm::Expected<OwningOpRef<ModuleOp>> imported = importONNX(&context, path, options.import);
  if (!imported)
    return imported.takeError();
  module = std::move(*imported);
  next = Stage::Normalize;
  return finishStage(Stage::Import);
}

llvm::Error Compiler::run(StringRef path, llvm::function_ref<void(Stage)> onStage) {
  DiagnosticCollector diagnostics(&context);
  onStage(Stage::Import);
  Stage next;
  if (llvm::Error error = load(path, next))
    return diagnostics.merge(std::move(error));
  for (Stage stage : getStages()) {
    if (stage < next || stage > options.stopAfter || stage == Stage::Emit)
      continue;
    onStage(stage);
    if (llvm::Error error = runStage(stage, diagnostics))
      return diagnostics.merge(std::move(error));
  }
  return llvm::Error::success();
}

static void buildStage(OpPassManager &pm, Stage stage, const CompilerOptions &options) {
  switch (stage) {
  case Stage::Normalize:
    return buildNormalizePipeline(pm, {computeByCompiledCode});
  case Stage::Compress:
    return buildCompressPipeline(pm, {});
  case Stage::Optimize:
    return buildOptimizePipeline(pm, {});
  case Stage::Form:
    return buildFormPipeline(pm, {options.target, options.precision, options.winogradTile, options.weightGrowth});
  case Stage::Plan:
    return buildPlanPipeline(pm, {});
  case Stage::Codegen:
    return buildCodegenPipeline(pm, {options.target, options.maxThreads});
  case Stage::Import:
  case Stage::Emit:
    return;
  }
}

llvm::Error Compiler::runStage(Stage stage, const DiagnosticCollector &diagnostics) {
  PassManager pm(&context);
  if (options.printIRAfterAll)
    pm.enableIRPrinting([](Pass *, Operation *) { return false; }, [](Pass *, Operation *) { return true; },
                        /*printModuleScope=*/false);
  if (options.timing)
    pm.enableTiming();
  if (options.statistics)
    pm.enableStatistics();
  buildStage(pm, stage, options);
  if (llvm::Error error = CrashReproducer(options.crashReproducer).run(pm, *module, getStageName(stage), diagnostics))
    return error;
  return finishStage(stage);
}

/// Every --alias pair shares a buffer in the planned module: the caller's program relies on it.
static llvm::Error checkAliases(ModuleOp module, const std::map<std::string, std::string> &aliases) {
  ModelInterface interface = getModelInterface(module);
  for (const auto &[past, present] : aliases) {
    auto input = llvm::find_if(interface.inputs, [&](const TensorInterface &t) { return t.name == past; });
    if (input == interface.inputs.end() || input->alias < 0 || interface.outputs[input->alias].name != present)
      return llvm::createStringError("--alias " + past + "=" + present + ": '" + present + "' is not '" + past +
                                     "' with rows appended, so that they cannot " +
                                     "share a buffer; leave the option out");
  }
  return llvm::Error::success();
}

llvm::Error Compiler::finishStage(Stage stage) {
  collectFigures(*module, stage, options.target, figures);
  if (stage == Stage::Plan)
    if (llvm::Error error = checkAliases(*module, options.import.aliases))
      return error;
  if (options.onStageEnd)
    options.onStageEnd(stage, *module);
  if (options.dumpDir.empty())
    return llvm::Error::success();
  return writeStage(*module, stage, options.target, options.dumpDir);
}

} // namespace leaf
