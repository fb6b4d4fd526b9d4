//===- Optimize.cpp - the stage optimize --------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Compress/Passes.h"
#include "leafcutter/Pipeline/Pipeline.h"
#include "leafcutter/Transforms/Passes.h"

#include "mlir/Transforms/Passes.h"

void leaf::buildOptimizePipeline(mlir::OpPassManager &pm, const OptimizeOptions &) {
  pm.addPass(createExpandDynamicQuantize());
  pm.addPass(createFuseGraphPatterns());
  pm.addPass(createGlobalPoolToReduce());
  pm.addPass(createChannelsLast());
  pm.addPass(createPropagateTransposes());
  pm.addPass(createCanonicalizeONNX());
  // Merged reshapes bring transposes together that they kept apart.
  pm.addPass(createPropagateTransposes());
  pm.addPass(createCanonicalizeONNX());
  pm.addPass(createFoldConstants());
  pm.addPass(mlir::createCSEPass());
  pm.addPass(mlir::createCanonicalizerPass());
  pm.addPass(createDropUnusedWeights());
  pm.addPass(createCheckOptimize());
}
