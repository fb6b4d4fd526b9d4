//===- ConvertFlatToLLVM.cpp - output of codegen to the LLVM dialect ---------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Detail.h"
#include "leafcutter/Conversion/Passes.h"
#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/UB/IR/UBOps.h"

namespace leaf {
#define GEN_PASS_DEF_CONVERTFLATTOLLVM
#include "leafcutter/Conversion/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

LLVM::LLVMStructType flat::getContextType(const LLVMTypeConverter &converter) {
  MLIRContext *context = &converter.getContext();
  Type pointer = LLVM::LLVMPointerType::get(context);
  Type size = converter.getIndexType();
  Type i32 = IntegerType::get(context, 32);
  return LLVM::LLVMStructType::getLiteral(context, {pointer, size, pointer, pointer, pointer, i32, i32, pointer});
}

Value flat::loadContextField(OpBuilder &b, Location loc, const LLVMTypeConverter &converter, Value context,
                             ContextField field) {
  LLVM::LLVMStructType type = getContextType(converter);
  Value address = LLVM::GEPOp::create(b, loc, context.getType(), type, context,
                                      ArrayRef<LLVM::GEPArg>{0, static_cast<int32_t>(field)});
  return LLVM::LoadOp::create(b, loc, type.getBody()[field], address);
}

Value flat::castToLLVM(OpBuilder &b, const LLVMTypeConverter &converter, Value value) {
  Type type = converter.convertType(value.getType());
  if (type == value.getType())
    return value;
  return UnrealizedConversionCastOp::create(b, value.getLoc(), type, value).getResult(0);
}

Value flat::castFromLLVM(OpBuilder &b, Value value, Type type) {
  if (type == value.getType())
    return value;
  return UnrealizedConversionCastOp::create(b, value.getLoc(), type, value).getResult(0);
}

namespace {

/// Functions become internal ones unless they are public. Buffer arguments carry what every call site guarantees.
struct FuncLowering : OpConversionPattern<func::FuncOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(func::FuncOp func, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    MLIRContext *context = getContext();
    FunctionType type = func.getFunctionType();
    TypeConverter::SignatureConversion signature(type.getNumInputs());
    SmallVector<Type> inputs, results;
    if (type.getNumResults() > 1 || failed(getTypeConverter()->convertTypes(type.getInputs(), inputs)) ||
        failed(getTypeConverter()->convertTypes(type.getResults(), results)))
      return rewriter.notifyMatchFailure(func, "type of the function has no LLVM form");
    for (auto [i, input] : llvm::enumerate(inputs))
      signature.addInputs(i, input);
    Type result = results.empty() ? LLVM::LLVMVoidType::get(context) : results.front();
    LLVM::Linkage linkage = func.isPublic() ? LLVM::Linkage::External : LLVM::Linkage::Internal;
    auto lowered = LLVM::LLVMFuncOp::create(rewriter, func.getLoc(), func.getName(),
                                            LLVM::LLVMFunctionType::get(result, inputs), linkage);
    lowered.setNoInline(true);
    setArgumentAttributes(func, lowered);
    rewriter.inlineRegionBefore(func.getBody(), lowered.getBody(), lowered.end());
    if (failed(rewriter.convertRegionTypes(&lowered.getBody(), *getTypeConverter(), &signature)))
      return failure();
    rewriter.eraseOp(func);
    return success();
  }

private:
  static void setArgumentAttributes(func::FuncOp func, LLVM::LLVMFuncOp lowered) {
    Builder b(func.getContext());
    // The last buffer of a kernel is its scratch, which no caller's buffer overlaps.
    unsigned numBuffers = llvm::count_if(func.getArgumentTypes(), llvm::IsaPred<MemRefType>);
    if (func->hasAttr("leaf.kernel") && numBuffers)
      lowered.setArgAttr(numBuffers - 1, LLVM::LLVMDialect::getNoAliasAttrName(), b.getUnitAttr());
    for (auto [i, type] : llvm::enumerate(func.getArgumentTypes())) {
      if (!isa<MemRefType>(type))
        continue;
      lowered.setArgAttr(i, LLVM::LLVMDialect::getNoUndefAttrName(), b.getUnitAttr());
      if (func.getArgAttr(i, "leaf.restrict"))
        lowered.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(), b.getUnitAttr());
    }
  }
};

struct ReturnLowering : OpConversionPattern<func::ReturnOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(func::ReturnOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<LLVM::ReturnOp>(op, adaptor.getOperands());
    return success();
  }
};

struct CallLowering : OpConversionPattern<func::CallOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(func::CallOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    SmallVector<Type> results;
    if (op.getNumResults() > 1 || failed(getTypeConverter()->convertTypes(op.getResultTypes(), results)))
      return rewriter.notifyMatchFailure(op, "results have no LLVM form");
    rewriter.replaceOpWithNewOp<LLVM::CallOp>(op, results, op.getCallee(), adaptor.getOperands());
    return success();
  }
};

struct ConvertFlatToLLVM : leaf::impl::ConvertFlatToLLVMBase<ConvertFlatToLLVM> {
  using ConvertFlatToLLVMBase::ConvertFlatToLLVMBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    LowerToLLVMOptions options(&getContext());
    options.overrideIndexBitwidth(indexBitwidth);
    LLVMTypeConverter converter(&getContext(), options);
    Type pointer = LLVM::LLVMPointerType::get(&getContext());
    converter.addConversion([pointer](MemRefType) { return pointer; });
    // Upstream's would build a descriptor around the pointer.
    converter.addSourceMaterialization([](OpBuilder &b, MemRefType type, ValueRange inputs, Location loc) -> Value {
      return UnrealizedConversionCastOp::create(b, loc, type, inputs).getResult(0);
    });
    if (failed(lowerControlFlow(module)) || failed(lowerMain(module, converter)) || failed(checkMemoryOps(module)) ||
        failed(convert(module, converter)))
      signalPassFailure();
  }

private:
  /// Loops and branches become blocks; division that rounds up or down and affine arithmetic become plain arithmetic.
  LogicalResult lowerControlFlow(ModuleOp module) {
    RewritePatternSet patterns(&getContext());
    populateSCFToControlFlowConversionPatterns(patterns);
    populateAffineToStdConversionPatterns(patterns);
    arith::populateCeilFloorDivExpandOpsPatterns(patterns);
    ConversionTarget target(getContext());
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    target.addIllegalDialect<scf::SCFDialect, affine::AffineDialect>();
    target.addIllegalOp<arith::CeilDivSIOp, arith::CeilDivUIOp, arith::FloorDivSIOp>();
    return applyPartialConversion(module, target, std::move(patterns));
  }

  LogicalResult lowerMain(ModuleOp module, const LLVMTypeConverter &converter) {
    auto main = module.lookupSymbol<func::FuncOp>("main");
    if (!main)
      return success();
    for (auto func : module.getOps<func::FuncOp>())
      if (func != main)
        func.setPrivate();
    if (failed(flat::lowerEntryPoint(module, main, converter)))
      return failure();
    FailureOr<flat::LaunchCounts> counts = flat::lowerLaunches(module, main, converter);
    if (failed(counts))
      return failure();
    numLaunches += counts->launches;
    numLaunchers += counts->launchers;
    return success();
  }

  /// Upstream's patterns would take a bare pointer for a descriptor, so no other op may touch a memref.
  LogicalResult checkMemoryOps(ModuleOp module) {
    auto isMemRef = [](Type type) { return isa<BaseMemRefType>(type); };
    WalkResult result = module.walk([&](Operation *op) {
      bool touches = llvm::any_of(op->getOperandTypes(), isMemRef) || llvm::any_of(op->getResultTypes(), isMemRef);
      if (!touches || flat::isSupportedMemoryOp(op))
        return WalkResult::advance();
      op->emitOpError("has no lowering to LLVM here: codegen must leave 1-D loads, stores and views of buffers only");
      return WalkResult::interrupt();
    });
    return failure(result.wasInterrupted());
  }

  LogicalResult convert(ModuleOp module, const LLVMTypeConverter &converter) {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuncLowering, ReturnLowering, CallLowering>(converter, &getContext());
    flat::populateMemoryPatterns(converter, patterns);
    flat::populateMachinePatterns(converter, patterns);
    arith::populateArithToLLVMConversionPatterns(converter, patterns);
    populateMathToLLVMConversionPatterns(converter, patterns);
    populateVectorToLLVMConversionPatterns(converter, patterns, /*reassociateFPReductions=*/true,
                                           /*force32BitVectorIndices=*/true);
    index::populateIndexToLLVMConversionPatterns(converter, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    ub::populateUBToLLVMConversionPatterns(converter, patterns);
    LLVMConversionTarget target(getContext());
    target.addLegalOp<ModuleOp, UnrealizedConversionCastOp>();
    if (failed(applyFullConversion(module, target, std::move(patterns))))
      return failure();
    SmallVector<UnrealizedConversionCastOp> casts, left;
    module.walk([&](UnrealizedConversionCastOp cast) { casts.push_back(cast); });
    reconcileUnrealizedCasts(casts, &left);
    if (left.empty())
      return success();
    return left.front().emitOpError("a value of this type has no LLVM form");
  }
};

} // namespace
