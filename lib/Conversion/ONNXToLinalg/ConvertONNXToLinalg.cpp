//===- ConvertONNXToLinalg.cpp - the pass and the table of operators ---------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Conversion/ONNXToLinalg.h"
#include "leafcutter/Conversion/Passes.h"

#include "Lowering.h"
#include "Operands.h"
#include "Plan/Plan.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace leaf {
#define GEN_PASS_DEF_CONVERTONNXTOLINALG
#include "leafcutter/Conversion/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;
using namespace leaf::onnxtolinalg;

const Registry &Registry::get() {
  static const Registry registry = [] {
    Registry result;
    registerElementwise(result);
    registerActivations(result);
    registerCasts(result);
    registerQuantization(result);
    registerRandom(result);
    registerContractions(result);
    registerConvolution(result);
    registerPooling(result);
    registerReductions(result);
    registerNormalization(result);
    registerMovement(result);
    registerIndexing(result);
    registerPad(result);
    registerReshapes(result);
    registerGenerators(result);
    registerShapes(result);
    registerTopK(result);
    registerScatter(result);
    registerResize(result);
    registerConvTranspose(result);
    registerControlFlow(result);
    registerRecurrent(result);
    registerTrees(result);
    registerCumulative(result);
    registerLoops(result);
    registerDataDependent(result);
    registerUnique(result);
    registerStrings(result);
    registerGridSample(result);
    registerEinsum(result);
    registerRows(result);
    registerFourierTransforms(result);
    registerRoiAlign(result);
    registerDeformConv(result);
    registerUnpooling(result);
    registerSupportVectors(result);
    return result;
  }();
  return registry;
}

bool leaf::isLoweredByONNXToLinalg(StringRef onnxOpName) {
  onnxOpName.consume_front("onnx.");
  return onnxOpName == "Constant" || onnxOpName == "NoValue" || Registry::get().lookup(onnxOpName) != nullptr;
}

namespace {
struct ConvertONNXToLinalg : leaf::impl::ConvertONNXToLinalgBase<ConvertONNXToLinalg> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto main = module.lookupSymbol<func::FuncOp>("main");
    if (!main) {
      module.emitError("has no function @main");
      return signalPassFailure();
    }
    if (failed(Lowering(module, main).run()))
      signalPassFailure();
  }
};
} // namespace
