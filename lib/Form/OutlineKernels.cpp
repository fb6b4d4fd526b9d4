//===- OutlineKernels.cpp - fusion groups become kernels ---------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"
#include "KernelGroups.h"
#include "Leaf/Leaf.h"
#include "Plan/Plan.h"
#include "leafcutter/Form/Passes.h"

#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"

namespace leaf {
#define GEN_PASS_DEF_OUTLINEKERNELS
#include "leafcutter/Form/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

//===----------------------------------------------------------------------===//
// Preparation: what KernelBuilder expects
//===----------------------------------------------------------------------===//

static bool isConstantScalar(Value value) { return matchPattern(value, m_Constant()); }

/// A parallel generic that writes `value` to every element.
static linalg::GenericOp createBroadcast(RewriterBase &rewriter, linalg::FillOp fill) {
  auto type = cast<RankedTensorType>(fill.getResult(0).getType());
  Value value = fill.getInputs()[0];
  return linalg::GenericOp::create(
      rewriter, fill.getLoc(), type, ValueRange{}, fill.getOutputs(),
      AffineMap::getMultiDimIdentityMap(type.getRank(), rewriter.getContext()),
      SmallVector<utils::IteratorType>(type.getRank(), utils::IteratorType::parallel),
      [&](OpBuilder &builder, Location loc, ValueRange) { linalg::YieldOp::create(builder, loc, value); });
}

/// Fills stay only as constant initial values of reductions; all others become compute ops.
static void prepareFill(RewriterBase &rewriter, linalg::FillOp fill) {
  auto isInit = [](OpOperand &use) {
    auto dps = dyn_cast<DestinationStyleOpInterface>(use.getOwner());
    return isComputeOp(use.getOwner()) && dps && dps.isDpsInit(&use);
  };
  bool constant = isConstantScalar(fill.getInputs()[0]) && fill.getOutputs()[0].getDefiningOp<tensor::EmptyOp>();
  if (constant && llvm::all_of(fill->getUses(), isInit))
    return;
  rewriter.setInsertionPoint(fill);
  linalg::GenericOp generic = createBroadcast(rewriter, fill);
  rewriter.replaceUsesWithIf(fill.getResult(0), generic.getResult(0),
                             [&](OpOperand &use) { return !constant || !isInit(use); });
}

/// Moves the computation of a captured scalar, down to constants, sizes and tensors, into `body`.
static FailureOr<Value> sinkScalar(RewriterBase &rewriter, Operation *user, Value value, IRMapping &mapping) {
  if (isa<ShapedType, IndexType>(value.getType()) || isConstantScalar(value))
    return value;
  if (Value known = mapping.lookupOrNull(value))
    return known;
  Operation *definition = value.getDefiningOp();
  if (!definition || definition->getNumRegions() || !isPure(definition))
    return user->emitOpError("uses a scalar that is no pure function of tensors, sizes and constants");
  for (Value operand : definition->getOperands()) {
    FailureOr<Value> inner = sinkScalar(rewriter, user, operand, mapping);
    if (failed(inner))
      return failure();
    mapping.map(operand, *inner);
  }
  return rewriter.clone(*definition, mapping)->getResult(cast<OpResult>(value).getResultNumber());
}

static LogicalResult prepareGeneric(RewriterBase &rewriter, linalg::GenericOp generic) {
  Region &region = generic.getRegion();
  SetVector<Value> captured;
  getUsedValuesDefinedAbove(region, captured);
  IRMapping mapping;
  rewriter.setInsertionPointToStart(&region.front());
  for (Value value : captured) {
    FailureOr<Value> inner = sinkScalar(rewriter, generic, value, mapping);
    if (failed(inner))
      return failure();
    if (*inner != value)
      replaceAllUsesInRegionWith(value, *inner, region);
  }
  for (OpOperand &init : generic.getDpsInitsMutable())
    if (generic.payloadUsesValueFromOperand(&init) && !init.get().getDefiningOp<linalg::FillOp>())
      return generic.emitOpError("starts from a tensor; only constant initial values can be compiled");
  return success();
}

/// Every destination becomes a tensor.empty, or a fill of one where the initial value is read.
static void prepareInits(RewriterBase &rewriter, DestinationStyleOpInterface op) {
  rewriter.setInsertionPoint(op);
  for (OpOperand &init : op.getDpsInitsMutable()) {
    auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
    bool read = generic && generic.payloadUsesValueFromOperand(&init);
    if (read || init.get().getDefiningOp<tensor::EmptyOp>())
      continue;
    auto type = cast<RankedTensorType>(init.get().getType());
    Value source = init.get();
    auto fill = source.getDefiningOp<linalg::FillOp>();
    Value empty = fill ? fill.getOutputs()[0] : Value();
    if (!empty || !empty.getDefiningOp<tensor::EmptyOp>())
      empty = tensor::EmptyOp::create(rewriter, op.getLoc(), tensor::getMixedSizes(rewriter, op.getLoc(), source),
                                      type.getElementType());
    rewriter.modifyOpInPlace(op, [&] { init.set(empty); });
  }
}

static LogicalResult prepareForOutlining(RewriterBase &rewriter, Operation *root) {
  SmallVector<linalg::LinalgOp> named;
  root->walk([&](linalg::LinalgOp op) {
    if (!isa<linalg::GenericOp, linalg::FillOp>(op.getOperation()))
      named.push_back(op);
  });
  for (linalg::LinalgOp op : named) {
    rewriter.setInsertionPoint(op);
    if (failed(linalg::generalizeNamedOp(rewriter, op)))
      return op.emitOpError("has no form as linalg.generic");
  }
  SmallVector<linalg::FillOp> fills;
  root->walk([&](linalg::FillOp fill) { fills.push_back(fill); });
  for (linalg::FillOp fill : fills)
    prepareFill(rewriter, fill);
  WalkResult result = root->walk([&](Operation *op) {
    if (!isComputeOp(op))
      return WalkResult::advance();
    prepareInits(rewriter, cast<DestinationStyleOpInterface>(op));
    auto generic = dyn_cast<linalg::GenericOp>(op);
    return generic && failed(prepareGeneric(rewriter, generic)) ? WalkResult::interrupt() : WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

static void eraseDeadOps(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isOpTriviallyDead(&op) || (isComputeOp(&op) && op.use_empty()))
      op.erase();
}

namespace {
struct OutlineKernels : leaf::impl::OutlineKernelsBase<OutlineKernels> {
  using Base::Base;

  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    unsigned next = llvm::range_size(getOperation().getOps<plan::KernelOp>());
    SmallVector<func::FuncOp> functions(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp function : functions) {
      IRRewriter rewriter(&getContext());
      if (failed(prepareForOutlining(rewriter, function)))
        return signalPassFailure();
      SmallVector<Block *> blocks;
      function->walk([&](Block *block) {
        if (!isComputeOp(block->getParentOp()))
          blocks.push_back(block);
      });
      for (Block *block : blocks)
        if (failed(outline(*block, symbols, next)))
          return signalPassFailure();
    }
  }

  LogicalResult outline(Block &block, SymbolTable &symbols, unsigned &next) {
    eraseDeadOps(block);
    for (const KernelGroup &group : findKernelGroups(block)) {
      putSharedLoopsFirst(group);
      if (failed(KernelBuilder(group, symbols).run("kernel_" + std::to_string(next++))))
        return failure();
      ++numKernels;
      numRowGroups += group.ops.size() > 1;
    }
    // A call stands where its group ended: users of a result from the group's middle may have to follow it.
    sortTopologically(&block);
    eraseDeadOps(block);
    return success();
  }
};
} // namespace
