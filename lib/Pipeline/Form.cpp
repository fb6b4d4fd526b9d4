//===- Form.cpp - the form stage ---------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Form/Passes.h"
#include "leafcutter/Pipeline/Pipeline.h"

#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void leaf::buildFormPipeline(OpPassManager &pm, const FormOptions &options) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createOutlineKernels());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createDeduplicateKernels());
  pm.addPass(createCheckForm());
}
