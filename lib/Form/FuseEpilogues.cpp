//===- FuseEpilogues.cpp - elementwise ops into contractions -----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Leaf/Leaf.h"
#include "leafcutter/Form/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/RegionUtils.h"

namespace leaf {
#define GEN_PASS_DEF_FUSEEPILOGUES
#include "leafcutter/Form/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// True when the body works on single elements only: scalar arithmetic on block arguments and constants.
static bool isElementwiseBody(linalg::GenericOp generic) {
  SetVector<Value> captured;
  getUsedValuesDefinedAbove(generic.getRegion(), captured);
  if (!llvm::all_of(captured, [](Value value) { return matchPattern(value, m_Constant()); }))
    return false;
  return llvm::all_of(generic.getBody()->without_terminator(), [](Operation &op) {
    return op.getNumRegions() == 0 && isPure(&op) && !isa<linalg::IndexOp>(op) &&
           llvm::none_of(op.getOperandTypes(), llvm::IsaPred<ShapedType>);
  });
}

/// The contraction whose result `generic` alone reads, in each case at the place that it writes; null if none.
static ContractOp findProducer(linalg::GenericOp generic) {
  AffineMap outMap = generic.getMatchingIndexingMap(generic.getDpsInitOperand(0));
  for (OpOperand *input : generic.getDpsInputOperands()) {
    auto contract = input->get().getDefiningOp<ContractOp>();
    if (!contract || contract->getBlock() != generic->getBlock() || !contract.getOutMap().isProjectedPermutation() ||
        !llvm::all_equal(contract->getUsers()))
      continue;
    bool same = llvm::all_of(generic.getDpsInputOperands(), [&](OpOperand *other) {
      return other->get() != input->get() || generic.getMatchingIndexingMap(other) == outMap;
    });
    auto from = cast<RankedTensorType>(contract.getOut().getType());
    if (same && from.getShape() == cast<RankedTensorType>(generic.getResult(0).getType()).getShape())
      return contract;
  }
  return {};
}

/// Maps the generic's loops to the contraction's: both write the same element in the same iteration.
static AffineMap getLoopMap(linalg::GenericOp generic, ContractOp contract) {
  AffineMap outMap = generic.getMatchingIndexingMap(generic.getDpsInitOperand(0));
  return inversePermutation(outMap).compose(contract.getOutMap());
}

/// The emitter loads extras as vectors along the innermost output loop, or broadcasts what does not depend on it.
static bool isLoadable(AffineMap map, ContractOp contract) {
  AffineMap outMap = contract.getOutMap();
  if (outMap.getNumResults() == 0)
    return true;
  AffineExpr inner = outMap.getResults().back();
  unsigned position = cast<AffineDimExpr>(inner).getPosition();
  for (auto [i, expr] : llvm::enumerate(map.getResults()))
    if (expr.isFunctionOfDim(position) && (expr != inner || i + 1 != map.getNumResults()))
      return false;
  return true;
}

namespace {
struct FuseEpilogue : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp generic, PatternRewriter &rewriter) const override {
    if (generic.getNumResults() != 1 || generic.getNumParallelLoops() != generic.getNumLoops() ||
        !generic.getMatchingIndexingMap(generic.getDpsInitOperand(0)).isPermutation() ||
        generic.payloadUsesValueFromOperand(generic.getDpsInitOperand(0)) || !isElementwiseBody(generic))
      return failure();
    ContractOp contract = findProducer(generic);
    if (!contract)
      return failure();
    AffineMap loops = getLoopMap(generic, contract);
    SmallVector<Value> extras(contract.getExtras());
    SmallVector<AffineMap> maps;
    for (unsigned i = 0, e = contract->getNumOperands(); i + 1 < e; ++i)
      maps.push_back(contract.getMap(i));
    for (OpOperand *input : generic.getDpsInputOperands()) {
      if (input->get() == contract.getResult())
        continue;
      AffineMap map = generic.getMatchingIndexingMap(input).compose(loops);
      if (!isa<RankedTensorType>(input->get().getType()) || !isLoadable(map, contract))
        return failure();
      extras.push_back(input->get());
      maps.push_back(map);
    }
    maps.push_back(contract.getOutMap());
    auto fused = ContractOp::create(
        rewriter, rewriter.getFusedLoc({contract.getLoc(), generic.getLoc()}), generic.getResultTypes()[0],
        contract.getLhs(), contract.getRhs(), extras, generic.getDpsInits()[0], rewriter.getAffineMapArrayAttr(maps),
        contract.getIteratorTypesAttr(), contract.getNumRhsExtrasAttr(), contract.getWinogradAttr());
    rewriter.inlineRegionBefore(contract.getLhsPrologue(), fused.getLhsPrologue(), fused.getLhsPrologue().end());
    rewriter.inlineRegionBefore(contract.getRhsPrologue(), fused.getRhsPrologue(), fused.getRhsPrologue().end());
    rewriter.inlineRegionBefore(contract.getEpilogue(), fused.getEpilogue(), fused.getEpilogue().end());
    appendBody(rewriter, fused.getEpilogue().front(), generic, contract.getResult());
    rewriter.replaceOp(generic, fused.getResult());
    rewriter.eraseOp(contract);
    return success();
  }

  /// Continues `epilogue` with the generic's body; `value` is what the epilogue yielded so far.
  static void appendBody(PatternRewriter &rewriter, Block &epilogue, linalg::GenericOp generic, Value value) {
    auto yield = cast<leaf::YieldOp>(epilogue.getTerminator());
    IRMapping mapping;
    for (auto [operand, argument] : llvm::zip(generic.getDpsInputOperands(), generic.getBody()->getArguments()))
      mapping.map(argument, operand->get() == value
                                ? yield.getValues()[0]
                                : Value(epilogue.addArgument(argument.getType(), generic.getLoc())));
    rewriter.setInsertionPoint(yield);
    SetVector<Value> captured;
    getUsedValuesDefinedAbove(generic.getRegion(), captured);
    for (Value constant : captured)
      rewriter.clone(*constant.getDefiningOp(), mapping);
    for (Operation &op : generic.getBody()->without_terminator())
      rewriter.clone(op, mapping);
    Value result = mapping.lookup(generic.getBody()->getTerminator()->getOperand(0));
    rewriter.modifyOpInPlace(yield, [&] { yield.getValuesMutable().assign(result); });
  }
};

/// An extra that is a narrower tensor widened element by element (a DequantizeLinear) is read narrow, and widened in
/// the epilogue.
struct FoldWidenedExtra : OpRewritePattern<ContractOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ContractOp contract, PatternRewriter &rewriter) const override {
    for (unsigned i = contract.getNumRhsExtras(); i < contract.getExtras().size(); ++i) {
      auto generic = contract.getExtras()[i].getDefiningOp<linalg::GenericOp>();
      if (!generic || generic->getBlock() != contract->getBlock() || !isWidening(generic))
        continue;
      OpOperand *input = generic.getDpsInputOperand(0);
      AffineMap outMap = generic.getMatchingIndexingMap(generic.getDpsInitOperand(0));
      AffineMap map =
          generic.getMatchingIndexingMap(input).compose(inversePermutation(outMap)).compose(contract.getExtraMap(i));
      if (!isLoadable(map, contract))
        continue;
      SmallVector<Attribute> maps(contract.getIndexingMaps().getValue());
      maps[2 + i] = AffineMapAttr::get(map);
      rewriter.modifyOpInPlace(contract, [&] {
        contract.getExtrasMutable().slice(i, 1).assign(input->get());
        contract.setIndexingMapsAttr(rewriter.getArrayAttr(maps));
        widen(rewriter, contract.getEpilogue().front(), 1 + i - contract.getNumRhsExtras(), generic);
      });
      return success();
    }
    return failure();
  }

  static bool isWidening(linalg::GenericOp generic) {
    constexpr size_t mostOps = 8;
    if (generic.getNumResults() != 1 || generic.getNumDpsInputs() != 1 ||
        generic.getNumParallelLoops() != generic.getNumLoops() || generic.getBody()->getOperations().size() > mostOps ||
        !generic.getMatchingIndexingMap(generic.getDpsInitOperand(0)).isPermutation() ||
        generic.payloadUsesValueFromOperand(generic.getDpsInitOperand(0)) || !isElementwiseBody(generic))
      return false;
    auto bits = [](Type type) {
      Type element = getElementTypeOrSelf(type);
      return element.isIntOrFloat() && isa<RankedTensorType>(type) ? element.getIntOrFloatBitWidth() : 0;
    };
    unsigned from = bits(generic.getDpsInputs()[0].getType());
    return from && from < bits(generic.getResult(0).getType());
  }

  /// Makes argument `position` of `epilogue` an element of the generic's input, and computes its body first.
  static void widen(PatternRewriter &rewriter, Block &epilogue, unsigned position, linalg::GenericOp generic) {
    BlockArgument argument = epilogue.getArgument(position);
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPointToStart(&epilogue);
    Value narrow = epilogue.insertArgument(position, generic.getBody()->getArgument(0).getType(), argument.getLoc());
    IRMapping mapping;
    mapping.map(generic.getBody()->getArgument(0), narrow);
    SetVector<Value> captured;
    getUsedValuesDefinedAbove(generic.getRegion(), captured);
    for (Value constant : captured)
      rewriter.clone(*constant.getDefiningOp(), mapping);
    for (Operation &op : generic.getBody()->without_terminator())
      rewriter.clone(op, mapping);
    argument = epilogue.getArgument(position + 1);
    argument.replaceAllUsesWith(mapping.lookup(generic.getBody()->getTerminator()->getOperand(0)));
    epilogue.eraseArgument(position + 1);
  }
};

/// Sums of integers that are scaled and rounded (QuantizeLinear) are multiplied by the reciprocal of the scale where
/// that is exact, the scale a power of two: any other would round to another number here and there.
static void multiplyByReciprocals(ContractOp contract) {
  if (!contract.getAccumulatorType().isInteger(32))
    return;
  for (auto divide : llvm::make_early_inc_range(contract.getEpilogue().front().getOps<arith::DivFOp>())) {
    FloatAttr divisor;
    if (!divide->hasOneUse() || !isa<math::RoundEvenOp>(*divide->user_begin()) || !divide.getType().isF32() ||
        !matchPattern(divide.getRhs(), m_Constant(&divisor)))
      continue;
    llvm::APFloat inverse(0.0f);
    if (!divisor.getValue().getExactInverse(&inverse))
      continue;
    OpBuilder b(divide);
    Value factor = arith::ConstantOp::create(b, divide.getLoc(), b.getF32FloatAttr(inverse.convertToFloat()));
    divide.replaceAllUsesWith(arith::MulFOp::create(b, divide.getLoc(), divide.getLhs(), factor).getResult());
    divide.erase();
  }
}

struct FuseEpilogues : leaf::impl::FuseEpiloguesBase<FuseEpilogues> {
  using Base::Base;

  void runOnOperation() override {
    unsigned before = count();
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseEpilogue, FoldWidenedExtra>(&getContext());
    // Each success removes one generic or narrows an extra: the rewrite ends. Constants must stay where the bodies put
    // them.
    GreedyRewriteConfig config;
    config.enableConstantCSE(false).enableFolding(false);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      return signalPassFailure();
    getOperation().walk([](ContractOp contract) { multiplyByReciprocals(contract); });
    numFused += before - count();
  }

  unsigned count() {
    unsigned generics = 0;
    getOperation().walk([&](linalg::GenericOp) { ++generics; });
    return generics;
  }
};
} // namespace
