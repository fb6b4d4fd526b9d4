//===- SplitReductions.cpp - long sums in parts, for several threads ----------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Form/Passes.h"
#include "leafcutter/Support/ElementTypes.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

namespace leaf {
#define GEN_PASS_DEF_SPLITREDUCTIONS
#include "leafcutter/Form/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

namespace {
/// Parts for each worker at most: they end at different times.
constexpr int64_t kPartsPerWorker = 4;

/// A reduction that is cut along one of its loops.
struct Split {
  Value start;         ///< that the result is filled with
  Operation *combiner; ///< in the body
  unsigned loop;
  int64_t parts;
};
} // namespace

/// Whether a part may begin with `start` again: it adds nothing, or any number of times is once.
static bool mayRestart(Operation *combiner, Value start) {
  if (isa<arith::AddFOp>(combiner))
    return matchPattern(start, m_AnyZeroFloat());
  if (isa<arith::AddIOp>(combiner))
    return matchPattern(start, m_Zero());
  return isa<arith::MaximumFOp, arith::MaxNumFOp, arith::MinimumFOp, arith::MinNumFOp, arith::MaxSIOp, arith::MaxUIOp,
             arith::MinSIOp, arith::MinUIOp>(combiner);
}

/// The first dimension of the input that is not one element, where it is reduced.
static std::optional<unsigned> getOuterReduction(linalg::GenericOp op) {
  auto type = cast<RankedTensorType>(op.getInputs().front().getType());
  for (auto [d, size] : llvm::enumerate(type.getShape())) {
    if (size == 1)
      continue;
    unsigned loop = op.getIndexingMapsArray().front().getDimPosition(d);
    return op.getIteratorTypesArray()[loop] == utils::IteratorType::reduction ? std::optional(loop) : std::nullopt;
  }
  return std::nullopt;
}

/// Of the divisors of `extent` that all of `workers` share evenly, the largest that is not too large; 1: none.
static int64_t chooseParts(int64_t extent, int64_t workers) {
  for (int64_t parts = kPartsPerWorker * workers; parts >= workers; parts -= workers)
    if (extent % parts == 0)
      return parts;
  return 1;
}

static std::optional<Split> match(linalg::GenericOp op, int64_t workers, int64_t leastBytes) {
  if (op.getNumDpsInputs() != 1 || op.getNumDpsInits() != 1 || op.getNumReductionLoops() == 0)
    return std::nullopt;
  auto type = dyn_cast<RankedTensorType>(op.getInputs().front().getType());
  auto fill = op.getOutputs().front().getDefiningOp<linalg::FillOp>();
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  if (!type || !type.hasStaticShape() || !fill || !maps[0].isPermutation() || !maps[1].isProjectedPermutation() ||
      getBytes(type) < leastBytes)
    return std::nullopt;
  SmallVector<Operation *, 4> combiners;
  Value reduced = matchReduction(op.getRegionOutputArgs(), 0, combiners);
  if (!reduced || combiners.size() != 1 || !mayRestart(combiners.front(), fill.getInputs().front()) ||
      !op.getBody()->getOps<linalg::IndexOp>().empty())
    return std::nullopt;
  std::optional<unsigned> loop = getOuterReduction(op);
  if (!loop)
    return std::nullopt;
  unsigned position = *maps[0].getResultPosition(getAffineDimExpr(*loop, op.getContext()));
  int64_t parts = chooseParts(type.getDimSize(position), workers);
  if (parts == 1)
    return std::nullopt;
  return Split{fill.getInputs().front(), combiners.front(), *loop, parts};
}

/// The input with the dimension of the split loop as [parts][rest].
static Value expandInput(OpBuilder &b, linalg::GenericOp op, const Split &split, unsigned position) {
  auto type = cast<RankedTensorType>(op.getInputs().front().getType());
  SmallVector<int64_t> shape;
  SmallVector<ReassociationIndices> groups;
  for (auto [d, size] : llvm::enumerate(type.getShape())) {
    groups.push_back({static_cast<int64_t>(shape.size())});
    if (d == position) {
      shape.push_back(split.parts);
      groups.back().push_back(shape.size());
    }
    shape.push_back(d == position ? size / split.parts : size);
  }
  return tensor::ExpandShapeOp::create(b, op.getLoc(), type.clone(shape), op.getInputs().front(), groups);
}

/// A tensor of `shape` that is filled as the result was.
static Value makeStart(OpBuilder &b, linalg::GenericOp op, const Split &split, ArrayRef<int64_t> shape) {
  Type element = cast<RankedTensorType>(op.getResult(0).getType()).getElementType();
  Value empty = tensor::EmptyOp::create(b, op.getLoc(), shape, element);
  return linalg::FillOp::create(b, op.getLoc(), split.start, empty).getResult(0);
}

/// One result for each part: loop 0 runs over the parts, all others stand behind it.
static Value reduceParts(OpBuilder &b, linalg::GenericOp op, const Split &split, Value start, unsigned position) {
  AffineExpr part = b.getAffineDimExpr(0);
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  unsigned loops = op.getNumLoops() + 1;
  SmallVector<AffineExpr> in(maps[0].shiftDims(1).getResults()), out(maps[1].shiftDims(1).getResults());
  in.insert(in.begin() + position, part);
  out.insert(out.begin(), part);
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  iterators.insert(iterators.begin(), utils::IteratorType::parallel);
  auto partial = linalg::GenericOp::create(
      b, op.getLoc(), start.getType(), expandInput(b, op, split, position), start,
      ArrayRef{AffineMap::get(loops, 0, in, b.getContext()), AffineMap::get(loops, 0, out, b.getContext())}, iterators);
  IRMapping mapping;
  op.getRegion().cloneInto(&partial.getRegion(), mapping);
  return partial.getResult(0);
}

static void apply(linalg::GenericOp op, const Split &split) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(op.getResult(0).getType());
  unsigned position = *op.getIndexingMapsArray()[0].getResultPosition(b.getAffineDimExpr(split.loop));
  SmallVector<int64_t> shape(type.getShape());
  shape.insert(shape.begin(), split.parts);
  Value parts = reduceParts(b, op, split, makeStart(b, op, split, shape), position);

  // Result elements outside, parts inside.
  int64_t rank = type.getRank();
  AffineMap out = AffineMap::getMultiDimIdentityMap(rank, b.getContext());
  SmallVector<AffineExpr> in{b.getAffineDimExpr(rank)};
  llvm::append_range(in, out.getResults());
  out = AffineMap::get(rank + 1, 0, out.getResults(), b.getContext());
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  auto whole = linalg::GenericOp::create(
      b, loc, type, parts, op.getOutputs().front(), ArrayRef{AffineMap::get(rank + 1, 0, in, b.getContext()), out},
      iterators, [&](OpBuilder &nested, Location at, ValueRange arguments) {
        IRMapping mapping;
        BlockArgument sum = op.getRegionOutputArgs().front();
        for (Value operand : split.combiner->getOperands())
          mapping.map(operand, arguments[operand == sum ? 1 : 0]);
        linalg::YieldOp::create(nested, at, nested.clone(*split.combiner, mapping)->getResults());
      });
  op.replaceAllUsesWith(whole);
  op.erase();
}

namespace {
struct SplitReductions : leaf::impl::SplitReductionsBase<SplitReductions> {
  using Base::Base;

  void runOnOperation() override {
    if (workers < 2)
      return;
    SmallVector<std::pair<linalg::GenericOp, Split>> splits;
    getOperation().walk([&](linalg::GenericOp op) {
      if (std::optional<Split> split = match(op, workers, leastBytes))
        splits.push_back({op, *split});
    });
    for (auto &[op, split] : splits)
      apply(op, split);
    numSplit += splits.size();
  }
};
} // namespace
