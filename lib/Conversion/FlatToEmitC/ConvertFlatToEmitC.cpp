//===- ConvertFlatToEmitC.cpp - kernels and entry to EmitC ---------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Leaf/Leaf.h"
#include "Patterns.h"
#include "Plan/Plan.h"
#include "leafcutter/Conversion/Passes.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/SCFToEmitC/SCFToEmitC.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;

namespace leaf {

#define GEN_PASS_DEF_CONVERTFLATTOEMITC
#include "leafcutter/Conversion/Passes.h.inc"

namespace {

/// The casts by which buildEntry connected values of C and values to be converted.
struct CastPattern : OpConversionPattern<UnrealizedConversionCastOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(UnrealizedConversionCastOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (op.getNumOperands() != 1 || op.getNumResults() != 1 ||
        getTypeConverter()->convertType(op.getResult(0).getType()) != adaptor.getOperands()[0].getType())
      return rewriter.notifyMatchFailure(op, "no cast of ours");
    rewriter.replaceOp(op, adaptor.getOperands());
    return success();
  }
};

struct ConvertFlatToEmitC : impl::ConvertFlatToEmitCBase<ConvertFlatToEmitC> {
  using ConvertFlatToEmitCBase::ConvertFlatToEmitCBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    CTypeConverter types(&getContext(), vectorBytes);
    describeKernels(module);
    if (failed(buildLaunches(module, types)) || failed(buildEntry(module, types)) || failed(convert(module, types)))
      return signalPassFailure();
    // A cast to the type it has would fold inside an emitc.expression, which must not be empty.
    module.walk([](emitc::CastOp cast) {
      if (cast.getSource().getType() != cast.getType())
        return;
      cast.replaceAllUsesWith(cast.getSource());
      cast.erase();
    });
    for (emitc::FuncOp function : llvm::make_early_inc_range(module.getOps<emitc::FuncOp>())) {
      finishFunction(function);
      ++numFunctions;
    }
  }

  LogicalResult convert(ModuleOp module, CTypeConverter &types) {
    RewritePatternSet patterns(&getContext());
    populateFloatPatterns(types, patterns);
    populateIntegerPatterns(types, patterns);
    populateVectorPatterns(types, patterns);
    populateMemoryPatterns(types, patterns);
    populateMachinePatterns(types, patterns);
    populateFunctionPatterns(types, patterns);
    patterns.add<CastPattern>(types, &getContext());
    populateSCFToEmitCConversionPatterns(patterns, types);
    populateAffineToStdConversionPatterns(patterns);
    arith::populateCeilFloorDivExpandOpsPatterns(patterns);
    ConversionTarget target(getContext());
    target.addLegalDialect<emitc::EmitCDialect>();
    target.addLegalOp<ModuleOp>();
    target.markUnknownOpDynamicallyLegal([](Operation *) { return false; });
    return applyFullConversion(module, target, std::move(patterns));
  }
};

} // namespace
} // namespace leaf
