//===- Compress.cpp - the stage compress --------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Compress/Passes.h"
#include "leafcutter/Pipeline/Pipeline.h"
#include "leafcutter/Transforms/Passes.h"

#include "mlir/Transforms/Passes.h"

using namespace leaf;

static void addQuantization(mlir::OpPassManager &pm, const CompressOptions &options) {
  switch (options.quantization) {
  case Quantization::None:
    return;
  case Quantization::Int8:
    pm.addPass(createQuantizeStatic({options.activations}));
    // What is no contraction (embeddings, recurrent layers) has weights, too.
    pm.addPass(createQuantizeWeights({"int8"}));
    break;
  case Quantization::Int8Dynamic:
    pm.addPass(createQuantizeDynamic({options.perToken}));
    break;
  case Quantization::Int8Weights:
    pm.addPass(createQuantizeWeights({"int8"}));
    break;
  case Quantization::F16Weights:
    pm.addPass(createQuantizeWeights({"float16"}));
    break;
  case Quantization::BF16Weights:
    pm.addPass(createQuantizeWeights({"bfloat16"}));
    break;
  }
  pm.addPass(mlir::createCSEPass());
  pm.addPass(mlir::createCanonicalizerPass());
  pm.addPass(createDropUnusedWeights());
}

void leaf::buildCompressPipeline(mlir::OpPassManager &pm, const CompressOptions &options) {
  addQuantization(pm, options);
  pm.addPass(createCheckCompress());
}
