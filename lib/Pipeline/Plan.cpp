//===- Plan.cpp - the plan stage ---------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Pipeline/Pipeline.h"
#include "leafcutter/Plan/Passes.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void leaf::buildPlanPipeline(OpPassManager &pm, const PlanOptions &options) {
  pm.addPass(createOrderCalls());
  pm.addPass(createAliasCaches());
  pm.addPass(createBufferizePlan());
  pm.addNestedPass<func::FuncOp>(createLowerAffinePass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createReadSlices());
  pm.addPass(createWriteHalos());
  pm.addPass(createWriteConcats());
  pm.addPass(createPlanInPlace());
  pm.addPass(createAssignCapacities());
  pm.addPass(createAssignArena({options.alignment}));
  pm.addPass(createAssignWeights());
  pm.addPass(createCheckPlan());
}
