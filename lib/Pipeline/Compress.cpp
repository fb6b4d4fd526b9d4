//===- Compress.cpp - the stage compress --------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Pipeline/Pipeline.h"
#include "leafcutter/Transforms/Passes.h"

void leaf::buildCompressPipeline(mlir::OpPassManager &pm, const CompressOptions &) {
  pm.addPass(createCheckCompress());
}
