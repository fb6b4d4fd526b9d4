//===- FuseElementwise.cpp - elementwise producers into consumers ------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Leaf/Leaf.h"
#include "leafcutter/Form/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace leaf {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "leafcutter/Form/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// Operations of a fused body; a limit on what the greedy rewrite can grow.
static constexpr unsigned kMaxBodyOps = 200;
/// A body of at most so many simple ops is cheaper to compute again than to store and load.
static constexpr unsigned kMaxCheapOps = 3;

static bool isExpensive(Operation &op) {
  return isa<arith::DivFOp, arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp, arith::RemFOp,
             tensor::ExtractOp>(op) ||
         (isa<math::MathDialect>(op.getDialect()) && !isa<math::AbsFOp, math::AbsIOp, math::FmaOp>(op));
}

static bool isCheap(linalg::GenericOp generic) {
  Block::OpListType &ops = generic.getBody()->getOperations();
  return ops.size() <= kMaxCheapOps + 1 && llvm::none_of(ops, isExpensive);
}

static bool gathers(linalg::GenericOp generic) {
  return llvm::any_of(generic.getBody()->getOperations(), llvm::IsaPred<tensor::ExtractOp>);
}

/// True when the consumer reads each element of the operand in exactly one iteration.
static bool readsOnce(linalg::GenericOp consumer, OpOperand *operand) {
  return consumer.getMatchingIndexingMap(operand).isPermutation();
}

/// Decides whether the generic behind `operand` moves into the generic that has it.
static bool shouldFuse(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  if (!producer || !consumer || producer->getBlock() != consumer->getBlock())
    return false;
  unsigned size = producer.getBody()->getOperations().size() + consumer.getBody()->getOperations().size();
  if (size > kMaxBodyOps)
    return false;
  bool only = llvm::all_equal(producer->getUsers());
  // A gather in the body keeps the consumer's own arithmetic from being vectorized.
  if (gathers(producer) && !gathers(consumer) && !isCheap(consumer))
    return false;
  if (only && readsOnce(consumer, operand))
    return true;
  return isCheap(producer) && (only || producer.getNumDpsInputs() <= 1);
}

/// The generic only reorders its input: out[i, j] = in[j, i].
static bool isPermutation(linalg::GenericOp generic) {
  if (generic.getNumDpsInputs() != 1 || generic.getNumResults() != 1 ||
      generic.getNumParallelLoops() != generic.getNumLoops())
    return false;
  auto yield = cast<linalg::YieldOp>(generic.getBody()->getTerminator());
  return yield.getOperand(0) == generic.getBody()->getArgument(0) &&
         llvm::all_of(generic.getIndexingMapsArray(), [](AffineMap map) { return map.isPermutation(); });
}

namespace {
/// Reads the source of a permutation through the contraction's indexing map.
struct FoldPermutationIntoContract : OpRewritePattern<ContractOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ContractOp contract, PatternRewriter &rewriter) const override {
    for (unsigned i : {0u, 1u}) {
      auto generic = contract->getOperand(i).getDefiningOp<linalg::GenericOp>();
      if (!generic || !isPermutation(generic) || !isReadable(contract, i, generic))
        continue;
      SmallVector<Attribute> maps(contract.getIndexingMaps().getValue());
      maps[i] = AffineMapAttr::get(getSourceMap(contract, i, generic));
      rewriter.modifyOpInPlace(contract, [&] {
        contract->setOperand(i, generic.getDpsInputs()[0]);
        contract.setIndexingMapsAttr(rewriter.getArrayAttr(maps));
      });
      return success();
    }
    return failure();
  }

  static AffineMap getSourceMap(ContractOp contract, unsigned operand, linalg::GenericOp generic) {
    AffineMap out = generic.getIndexingMapsArray().back();
    return generic.getIndexingMapsArray().front().compose(inversePermutation(out)).compose(contract.getMap(operand));
  }

  /// The innermost dimension must stay one that the emitter can walk along: for windows the same as before, otherwise
  /// a reduction, or for the rhs the innermost output loop.
  static bool isReadable(ContractOp contract, unsigned operand, linalg::GenericOp generic) {
    AffineMap before = contract.getMap(operand), after = getSourceMap(contract, operand, generic);
    if (after.getNumResults() == 0 || before.getResults().back() == after.getResults().back())
      return true;
    auto last = dyn_cast<AffineDimExpr>(after.getResults().back());
    if (!last || !before.isProjectedPermutation(/*allowZeroInResults=*/true))
      return false;
    return contract.isReduction(last.getPosition()) || operand == 0 || last == contract.getOutMap().getResults().back();
  }
};

/// Writes the result of a contraction in the order of the permutation that alone reads it.
struct FoldPermutationIntoResult : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp generic, PatternRewriter &rewriter) const override {
    if (!isPermutation(generic))
      return failure();
    auto contract = generic.getDpsInputs()[0].getDefiningOp<ContractOp>();
    if (!contract || !contract->hasOneUse() || contract->getBlock() != generic->getBlock() ||
        !contract.getOutMap().isProjectedPermutation())
      return failure();
    SmallVector<AffineMap> maps = generic.getIndexingMapsArray();
    AffineMap order = inversePermutation(maps[0].compose(inversePermutation(maps[1])));
    AffineMap outMap = order.compose(contract.getOutMap());
    if (outMap.getNumResults() == 0 || outMap.getResults().back() != contract.getOutMap().getResults().back())
      return failure();
    SmallVector<Attribute> attributes(contract.getIndexingMaps().getValue());
    attributes.back() = AffineMapAttr::get(outMap);
    IRMapping mapping;
    mapping.map(contract.getOut(), generic.getDpsInits()[0]);
    auto moved = cast<ContractOp>(rewriter.clone(*contract, mapping));
    moved.setIndexingMapsAttr(rewriter.getArrayAttr(attributes));
    moved.getResult().setType(cast<RankedTensorType>(generic.getResult(0).getType()));
    moved->setLoc(rewriter.getFusedLoc({contract.getLoc(), generic.getLoc()}));
    rewriter.replaceOp(generic, moved.getResult());
    rewriter.eraseOp(contract);
    return success();
  }
};

struct FuseElementwise : leaf::impl::FuseElementwiseBase<FuseElementwise> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    linalg::populateElementwiseOpsFusionPatterns(patterns, shouldFuse);
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, &getContext());
    patterns.add<FoldPermutationIntoContract, FoldPermutationIntoResult>(&getContext());
    GreedyRewriteConfig config;
    config.setMaxIterations(20);
    // Where the limit is met the result is correct, only less fused.
    (void)applyPatternsGreedily(getOperation(), std::move(patterns), config);
  }
};
} // namespace
