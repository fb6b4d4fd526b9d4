//===- Form.cpp - the form stage ---------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Codegen/Passes.h"
#include "leafcutter/Conversion/Passes.h"
#include "leafcutter/Form/Passes.h"
#include "leafcutter/Pipeline/Pipeline.h"
#include "leafcutter/Target/DotProducts.h"

#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void leaf::buildFormPipeline(OpPassManager &pm, const FormOptions &options) {
  DotProducts dots = getDotProducts(options.target);
  pm.addPass(createPropagateQuantization());
  if (dots.bytes == "vpdpbusd")
    pm.addPass(createUnsignedActivations());
  pm.addPass(createConvertONNXToLinalg());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  // What stands directly behind a contraction goes into it first; elementwise fusion then joins chains that branch,
  // and some of these are an epilogue as a whole.
  pm.addPass(createFuseEpilogues());
  pm.addPass(createFuseElementwise());
  pm.addPass(createFuseEpilogues());
  if (!options.tuning.file.empty())
    pm.addPass(createApplyTuning({options.tuning.file, options.tuning.target}));
  bool hasWinograd = options.precision == Precision::F32 && options.winogradTile >= 2;
  // Dense products of bfloat16 are faster than sparse ones of float32.
  bool hasBF16 = options.precision == Precision::BF16 && !dots.bf16.empty();
  pm.addPass(createEncodeSparseWeights({options.target.lanes(), hasWinograd ? options.weightGrowth : 100,
                                        hasBF16 && options.sparse == "auto" ? "off" : options.sparse}));
  if (options.precision == Precision::F32)
    pm.addPass(createChooseWinograd({options.target.lanes(), options.winogradTile, options.weightGrowth}));
  if (hasBF16) {
    pm.addPass(createNarrowOperands());
    pm.addPass(createFuseElementwise());
    pm.addPass(createFuseEpilogues());
  }
  if (options.precision != Precision::F32)
    pm.addPass(createNarrowWeights({options.precision == Precision::F16 ? "f16" : "bf16"}));
  pm.addPass(createSplitReductions({options.maxThreads}));
  pm.addPass(createTileAttention({options.target.l2Bytes / 4, options.maxThreads}));
  pm.addPass(createPackWeights({options.target.lanes(), dots.byteGroup(), dots.bf16Group()}));
  pm.addPass(createCSEPass());
  pm.addPass(createOutlineKernels());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createDeduplicateKernels());
  pm.addPass(createCheckForm());
}
