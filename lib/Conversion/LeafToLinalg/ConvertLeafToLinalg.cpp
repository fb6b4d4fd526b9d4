//===- ConvertLeafToLinalg.cpp - reference meaning of leaf ops ---------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Leaf/Groups.h"
#include "Leaf/Sparse.h"
#include "Plan/Plan.h"
#include "leafcutter/Conversion/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"

namespace leaf {
#define GEN_PASS_DEF_CONVERTLEAFTOLINALG
#include "leafcutter/Conversion/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;
using utils::IteratorType;

/// Clones a region of leaf.contract for `args` and returns what it yields.
static Value inlineRegion(OpBuilder &b, Region &region, ValueRange args) {
  IRMapping map;
  map.map(region.front().getArguments(), args);
  for (Operation &op : region.front().without_terminator())
    b.clone(op, map);
  return map.lookupOrDefault(region.front().getTerminator()->getOperand(0));
}

static Value multiplyAdd(OpBuilder &b, Location loc, Value x, Value y, Value acc) {
  if (isa<FloatType>(acc.getType()))
    return arith::AddFOp::create(b, loc, acc, arith::MulFOp::create(b, loc, x, y));
  return arith::AddIOp::create(b, loc, acc, arith::MulIOp::create(b, loc, x, y));
}

/// The sum of products over all loops, at the output's shape.
static Value lowerSum(RewriterBase &b, ContractOp op, ArrayRef<IteratorType> iterators) {
  Location loc = op.getLoc();
  auto outType = cast<RankedTensorType>(op.getOut().getType());
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, op.getOut());
  Type type = op.getAccumulatorType();
  Value empty = tensor::EmptyOp::create(b, loc, sizes, type);
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  Value init = linalg::FillOp::create(b, loc, zero, empty).getResult(0);
  SmallVector<Value> ins = {op.getLhs(), op.getRhs()};
  SmallVector<AffineMap> maps = {op.getLhsMap(), op.getRhsMap()};
  for (unsigned i = 0; i < op.getNumRhsExtras(); ++i) {
    ins.push_back(op.getExtras()[i]);
    maps.push_back(op.getExtraMap(i));
  }
  maps.push_back(op.getOutMap());
  auto sum = linalg::GenericOp::create(
      b, loc, outType.clone(type), ins, init, maps, iterators, [&](OpBuilder &inner, Location, ValueRange args) {
        Value x = inlineRegion(inner, op.getLhsPrologue(), args[0]);
        Value y = inlineRegion(inner, op.getRhsPrologue(), args.drop_front().drop_back());
        linalg::YieldOp::create(inner, loc, multiplyAdd(inner, loc, x, y, args.back()));
      });
  return sum.getResult(0);
}

static LogicalResult lowerContract(RewriterBase &b, ContractOp op) {
  if (!op.getResult())
    return op.emitOpError("must be on tensors");
  b.setInsertionPoint(op);
  SmallVector<IteratorType> iterators;
  SmallVector<AffineExpr> parallel;
  unsigned numParallel = 0;
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop) {
    iterators.push_back(op.isReduction(loop) ? IteratorType::reduction : IteratorType::parallel);
    parallel.push_back(op.isReduction(loop) ? b.getAffineConstantExpr(0) : b.getAffineDimExpr(numParallel++));
  }
  Value sum = lowerSum(b, op, iterators);
  auto project = [&](AffineMap map) { return map.replaceDimsAndSymbols(parallel, {}, numParallel, 0); };
  SmallVector<Value> ins = {sum};
  SmallVector<AffineMap> maps = {project(op.getOutMap())};
  for (unsigned i = op.getNumRhsExtras(); i < op.getExtras().size(); ++i) {
    ins.push_back(op.getExtras()[i]);
    maps.push_back(project(op.getExtraMap(i)));
  }
  maps.push_back(project(op.getOutMap()));
  SmallVector<IteratorType> loops(numParallel, IteratorType::parallel);
  auto result = linalg::GenericOp::create(b, op.getLoc(), op.getOut().getType(), ins, op.getOut(), maps, loops,
                                          [&](OpBuilder &inner, Location loc, ValueRange args) {
                                            linalg::YieldOp::create(
                                                inner, loc, inlineRegion(inner, op.getEpilogue(), args.drop_back()));
                                          });
  b.replaceOp(op, result);
  return success();
}

static void lowerConcat(RewriterBase &b, ConcatOp op) {
  b.setInsertionPoint(op);
  Location loc = op.getLoc();
  Value result = op.getOut();
  unsigned dim = op.getDim(), rank = cast<RankedTensorType>(result.getType()).getRank();
  SmallVector<OpFoldResult> offsets(rank, b.getIndexAttr(0)), strides(rank, b.getIndexAttr(1));
  for (Value input : op.getInputs()) {
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, input);
    result = tensor::InsertSliceOp::create(b, loc, input, result, offsets, sizes, strides);
    Value at = getValueOrCreateConstantIndexOp(b, loc, offsets[dim]);
    offsets[dim] = arith::AddIOp::create(b, loc, at, getValueOrCreateConstantIndexOp(b, loc, sizes[dim])).getResult();
  }
  b.replaceOp(op, result);
}

static void lowerWeight(RewriterBase &b, LoadWeightOp op) {
  b.setInsertionPoint(op);
  b.replaceOpWithNewOp<arith::ConstantOp>(op, cast<TypedAttr>(op.resolve().getValue()));
}

namespace {
struct ConvertLeafToLinalg : leaf::impl::ConvertLeafToLinalgBase<ConvertLeafToLinalg> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (auto contract = dyn_cast<ContractOp>(op); contract && contract.getWinograd()) {
        contract.emitOpError("has transformed filters; its meaning is that of the convolution before "
                             "leaf-choose-winograd");
        return signalPassFailure();
      }
      if (auto contract = dyn_cast<ContractOp>(op); contract && getDepth(contract)) {
        contract.emitOpError("has its reduction in groups; its meaning is that of the contraction before "
                             "leaf-pack-weights");
        return signalPassFailure();
      }
      if (auto contract = dyn_cast<ContractOp>(op); contract && getSparseBlock(contract)) {
        contract.emitOpError("has a sparse weight; its meaning is that of the contraction before "
                             "leaf-encode-sparse-weights");
        return signalPassFailure();
      }
      if (isa<ContractOp, ConcatOp, LoadWeightOp, BoundOp, plan::RequireOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      if (auto contract = dyn_cast<ContractOp>(op)) {
        if (failed(lowerContract(rewriter, contract)))
          return signalPassFailure();
      } else if (auto concat = dyn_cast<ConcatOp>(op)) {
        lowerConcat(rewriter, concat);
      } else if (auto load = dyn_cast<LoadWeightOp>(op)) {
        lowerWeight(rewriter, load);
      } else if (auto bound = dyn_cast<BoundOp>(op)) {
        rewriter.replaceOp(bound, bound.getN());
      } else {
        rewriter.eraseOp(op);
      }
    }
    for (auto weight : llvm::make_early_inc_range(getOperation().getOps<WeightOp>()))
      rewriter.eraseOp(weight);
  }
};
} // namespace
