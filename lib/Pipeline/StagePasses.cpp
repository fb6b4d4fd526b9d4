//===- StagePasses.cpp - the stages as passes --------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Pipeline/Passes.h"
#include "leafcutter/Pipeline/Pipeline.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

namespace leaf {

#define GEN_PASS_DEF_STAGENORMALIZE
#define GEN_PASS_DEF_STAGECOMPRESS
#define GEN_PASS_DEF_STAGEOPTIMIZE
#define GEN_PASS_DEF_STAGEFORM
#define GEN_PASS_DEF_STAGEPLAN
#define GEN_PASS_DEF_STAGECODEGEN
#include "leafcutter/Pipeline/Passes.h.inc"

using namespace mlir;

namespace {

/// A stage as a pass. The derived class has `LogicalResult build(OpPassManager &) const`, which fails on options that
/// name no target.
template <typename Base> struct StagePass : Base {
  using Base::Base;

  virtual LogicalResult build(OpPassManager &pm) const = 0;

  void getDependentDialects(DialectRegistry &registry) const override {
    OpPassManager pm(ModuleOp::getOperationName());
    if (succeeded(build(pm)))
      pm.getDependentDialects(registry);
  }

  void runOnOperation() override {
    OpPassManager pm(ModuleOp::getOperationName());
    if (failed(build(pm)) || failed(this->runPipeline(pm, this->getOperation())))
      this->signalPassFailure();
  }
};

/// The target called `name`; an unknown one is reported on stderr: a pass has no location before it runs.
FailureOr<TargetSpec> findTarget(StringRef name) {
  llvm::Expected<TargetSpec> target = lookupTarget(name);
  if (target)
    return *target;
  llvm::errs() << "error: " << llvm::toString(target.takeError()) << '\n';
  return failure();
}

struct StageNormalize : StagePass<impl::StageNormalizeBase<StageNormalize>> {
  using StagePass::StagePass;
  LogicalResult build(OpPassManager &pm) const override { return buildNormalizePipeline(pm, {}), success(); }
};

struct StageCompress : StagePass<impl::StageCompressBase<StageCompress>> {
  using StagePass::StagePass;
  LogicalResult build(OpPassManager &pm) const override { return buildCompressPipeline(pm, {}), success(); }
};

struct StageOptimize : StagePass<impl::StageOptimizeBase<StageOptimize>> {
  using StagePass::StagePass;
  LogicalResult build(OpPassManager &pm) const override { return buildOptimizePipeline(pm, {}), success(); }
};

struct StageForm : StagePass<impl::StageFormBase<StageForm>> {
  using StagePass::StagePass;
  LogicalResult build(OpPassManager &pm) const override {
    FailureOr<TargetSpec> spec = findTarget(target);
    if (failed(spec))
      return failure();
    FormOptions options;
    options.target = *spec;
    buildFormPipeline(pm, options);
    return success();
  }
};

struct StagePlan : StagePass<impl::StagePlanBase<StagePlan>> {
  using StagePass::StagePass;
  LogicalResult build(OpPassManager &pm) const override { return buildPlanPipeline(pm, {}), success(); }
};

struct StageCodegen : StagePass<impl::StageCodegenBase<StageCodegen>> {
  using StagePass::StagePass;
  LogicalResult build(OpPassManager &pm) const override {
    FailureOr<TargetSpec> spec = findTarget(target);
    if (failed(spec))
      return failure();
    buildCodegenPipeline(pm, {*spec, maxThreads});
    return success();
  }
};

} // namespace

} // namespace leaf
