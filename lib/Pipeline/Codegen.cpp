//===- Codegen.cpp - the stage codegen ----------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Codegen/Passes.h"
#include "leafcutter/Pipeline/Pipeline.h"
#include "leafcutter/Target/DotProducts.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;

void leaf::buildCodegenPipeline(OpPassManager &pm, const CodegenOptions &options) {
  const TargetSpec &target = options.target;
  pm.addPass(createSpecializeKernels());
  if (!options.tuning.file.empty())
    pm.addPass(createApplyTuning({options.tuning.file, options.tuning.target}));
  DotProducts dots = getDotProducts(target);
  const GrainOptions &grain = options.grain;
  int64_t least = options.maxThreads > 1 ? grain.leastMicroseconds : -1;
  pm.addPass(createEmitKernels({target.vectorBytes, target.vectorRegisters, target.fma, least,
                                grain.operationsPerMicrosecond * std::max<int64_t>(1, target.vectorBytes / 4),
                                grain.bytesPerMicrosecond, options.maxThreads, target.l2Bytes, dots.bytes, dots.bf16,
                                dots.amxInt8, dots.amxBf16}));
  pm.addPass(createPlaceScratch({options.maxThreads}));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createExpandMath({target.fma, target.roundInstructions, target.sqrtInstruction, target.f16Conversion,
                               llvm::Triple(target.triple).isX86()}));
  pm.addPass(createCSEPass());
  OpPassManager &functions = pm.nest<func::FuncOp>();
  functions.addPass(createLoopInvariantCodeMotionPass());
  functions.addPass(createCSEPass());
  functions.addPass(createInterleaveChains());
  pm.addPass(createCheckCodegen());
}
