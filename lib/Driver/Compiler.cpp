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
#include "Machine/Machine.h"
#include "ONNX/ONNX.h"
#include "Plan/Plan.h"
#include "leafcutter/Codegen/Tuning.h"
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
  registry.insert<LeafDialect, plan::PlanDialect, machine::MachineDialect, onnx::ONNXDialect>();
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
Compiler::~Compiler() {
  lowerLevels.clear();
  module = nullptr;
}

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

std::string getTuningTarget(const CompilerOptions &options, const TargetSpec &target) {
  StringRef weights = options.precision == Precision::F16    ? ", f16 weights"
                      : options.precision == Precision::BF16 ? ", bf16 weights"
                                                             : "";
  return getTuningTarget(target) + weights.str();
}

static void buildStage(OpPassManager &pm, Stage stage, const CompilerOptions &options, const TargetSpec &target) {
  switch (stage) {
  case Stage::Normalize:
    return buildNormalizePipeline(pm, {computeByCompiledCode});
  case Stage::Compress:
    return buildCompressPipeline(pm, options.compress);
  case Stage::Optimize:
    return buildOptimizePipeline(pm, {});
  case Stage::Form:
    return buildFormPipeline(pm, {options.sharedTarget.value_or(target),
                                  options.precision,
                                  options.winogradTile,
                                  options.weightGrowth,
                                  {options.tuningFile, getTuningTarget(options, target)},
                                  options.maxThreads,
                                  options.sparse});
  case Stage::Plan:
    return buildPlanPipeline(pm, {});
  case Stage::Codegen:
    return buildCodegenPipeline(
        pm, {target, options.maxThreads, {}, {options.tuningFile, getTuningTarget(options, target)}});
  case Stage::Import:
  case Stage::Emit:
    return;
  }
}

llvm::Error Compiler::runPasses(Stage stage, ModuleOp on, const TargetSpec &target,
                                const DiagnosticCollector &diagnostics) {
  PassManager pm(&context);
  if (options.printIRAfterAll)
    pm.enableIRPrinting([](Pass *, Operation *) { return false; }, [](Pass *, Operation *) { return true; },
                        /*printModuleScope=*/false);
  if (options.timing)
    pm.enableTiming();
  if (options.statistics)
    pm.enableStatistics();
  buildStage(pm, stage, options, target);
  return CrashReproducer(options.crashReproducer).run(pm, on, getStageName(stage), diagnostics);
}

/// Each level gets its kernels from the same plan; the arena is as large as the level with the most scratch needs.
llvm::Error Compiler::runLowerLevels(const DiagnosticCollector &diagnostics) {
  for (const TargetSpec &level : ArrayRef(options.levels).drop_back()) {
    lowerLevels.push_back(module->clone());
    if (llvm::Error error = runPasses(Stage::Codegen, *lowerLevels.back(), level, diagnostics))
      return error;
  }
  return llvm::Error::success();
}

/// Makes the levels agree on what the caller sees.
static void joinInterfaces(ArrayRef<IsaLevel> levels) {
  Builder b(levels.front().module->getContext());
  SmallVector<Attribute> names;
  int64_t bytes = 0;
  for (const IsaLevel &level : levels) {
    names.push_back(b.getStringAttr(level.target.name));
    bytes = std::max(bytes, getModelInterface(level.module).arenaBytes);
  }
  for (const IsaLevel &level : levels) {
    ModuleOp module = level.module;
    module->setAttr(kIsaLevels, b.getArrayAttr(names));
    module->setAttr(plan::attrs::kArenaBytes, b.getI64IntegerAttr(bytes));
  }
}

std::vector<IsaLevel> Compiler::getLevels() {
  std::vector<IsaLevel> levels;
  for (auto [lower, target] : llvm::zip(lowerLevels, options.levels))
    levels.push_back({*lower, target});
  levels.push_back({*module, options.target});
  return levels;
}

llvm::Error Compiler::runStage(Stage stage, const DiagnosticCollector &diagnostics) {
  if (stage == Stage::Compress && options.beforeCompress)
    if (llvm::Error error = options.beforeCompress(*module))
      return error;
  if (stage == Stage::Codegen && !options.levels.empty())
    if (llvm::Error error = runLowerLevels(diagnostics))
      return error;
  if (llvm::Error error = runPasses(stage, *module, options.target, diagnostics))
    return error;
  if (!lowerLevels.empty())
    joinInterfaces(getLevels());
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
