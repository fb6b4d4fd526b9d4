//===- Normalize.cpp - the stage normalize ------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Pipeline/Pipeline.h"
#include "leafcutter/Transforms/Passes.h"

#include "mlir/Transforms/Passes.h"

void leaf::buildNormalizePipeline(mlir::OpPassManager &pm, const NormalizeOptions &options) {
  pm.addPass(createFoldPreprocessing());
  pm.addPass(createInferShapes());
  pm.addPass(createLowerStrings());
  pm.addPass(createQOperatorToQDQ());
  pm.addPass(createCanonicalizeONNX());
  pm.addPass(createFoldBatchNorm());
  pm.addPass(createFoldConstants(options.evaluate));
  pm.addPass(mlir::createCSEPass());
  pm.addPass(mlir::createCanonicalizerPass());
  pm.addPass(createDropUnusedWeights());
  pm.addPass(createCheckNormalize());
}
