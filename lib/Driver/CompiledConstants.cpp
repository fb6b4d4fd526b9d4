//===- CompiledConstants.cpp - constants computed by compiled code ------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CompiledConstants.h"

#include "JitSession.h"
#include "leafcutter/Pipeline/Pipeline.h"
#include "leafcutter/Transforms/CoreOps.h"

#include "Leaf/Leaf.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;

namespace leaf {

static constexpr llvm::StringLiteral baseline = "x86-64-v3";

static bool hostRunsBaseline() {
  if (llvm::Triple(llvm::sys::getProcessTriple()).getArch() != llvm::Triple::x86_64)
    return false;
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  return features.lookup("avx2") && features.lookup("fma") && features.lookup("f16c") && features.lookup("bmi2");
}

static bool isComputable(Operation *op) {
  auto isStatic = [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && HostTensor::canHold(tensor);
  };
  return isCoreOp(op->getName()) && op->getNumRegions() == 0 && isMemoryEffectFree(op) && op->getNumOperands() > 0 &&
         llvm::all_of(op->getResultTypes(), isStatic);
}

/// A module whose entry takes nothing and returns the op's results; the operands' definitions come along.
static OwningOpRef<ModuleOp> isolate(Operation *op) {
  OpBuilder builder(op->getContext());
  OwningOpRef<ModuleOp> module(ModuleOp::create(op->getLoc()));
  (*module)->setAttr(attrs::kModel, builder.getStringAttr("constant"));
  builder.setInsertionPointToEnd(module->getBody());
  auto entry = func::FuncOp::create(builder, op->getLoc(), "main", builder.getFunctionType({}, op->getResultTypes()));
  for (unsigned i = 0; i < op->getNumResults(); ++i)
    entry.setResultAttr(i, attrs::kName, builder.getStringAttr(llvm::Twine(i)));
  OpBuilder body = OpBuilder::atBlockEnd(entry.addEntryBlock());
  IRMapping mapping;
  llvm::SmallPtrSet<Operation *, 4> weights;
  for (Value operand : op->getOperands()) {
    Operation *definition = operand.getDefiningOp();
    if (!definition || mapping.contains(operand))
      continue;
    auto load = dyn_cast<LoadWeightOp>(definition);
    if (WeightOp weight = load ? load.resolve() : WeightOp(); weight && weights.insert(weight).second)
      builder.clone(*weight);
    body.clone(*definition, mapping);
  }
  Operation *copy = body.clone(*op, mapping);
  func::ReturnOp::create(body, op->getLoc(), copy->getResults());
  return module;
}

static LogicalResult compile(ModuleOp module, const TargetSpec &target) {
  PassManager pm(module.getContext());
  buildOptimizePipeline(pm, {});
  buildFormPipeline(pm, {target});
  buildPlanPipeline(pm, {});
  buildCodegenPipeline(pm, {target, /*maxThreads=*/1});
  return pm.run(module);
}

bool computeByCompiledCode(Operation *op, ArrayRef<HostTensor>, std::vector<HostTensor> &results) {
  static const bool runs = hostRunsBaseline();
  if (!runs || !isComputable(op))
    return false;
  llvm::Expected<TargetSpec> target = lookupTarget(baseline);
  if (!target) {
    llvm::consumeError(target.takeError());
    return false;
  }
  OwningOpRef<ModuleOp> module = isolate(op);
  // What cannot be computed now is computed by the model: its diagnostics come from there.
  ScopedDiagnosticHandler silence(op->getContext(), [](Diagnostic &) { return success(); });
  if (failed(compile(*module, *target)))
    return false;
  llvm::Expected<NpzFile> outputs = runInProcess(*module, *target, {});
  if (!outputs) {
    llvm::consumeError(outputs.takeError());
    return false;
  }
  std::vector<HostTensor> values;
  for (auto [type, output] : llvm::zip_equal(op->getResultTypes(), *outputs)) {
    HostTensor value = HostTensor::make(cast<RankedTensorType>(type));
    if (value.bytes().size() != output.second.bytes.size())
      return false;
    llvm::copy(output.second.bytes, value.data());
    values.push_back(std::move(value));
  }
  results = std::move(values);
  return true;
}

} // namespace leaf
