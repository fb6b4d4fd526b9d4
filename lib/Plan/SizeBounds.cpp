//===- SizeBounds.cpp - sizes of buffers and their upper bounds --------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Plan/SizeBounds.h"
#include "Plan/Plan.h"

#include "mlir/Analysis/DataFlow/ConstantPropagationAnalysis.h"
#include "mlir/Analysis/DataFlow/DeadCodeAnalysis.h"
#include "mlir/Analysis/DataFlow/IntegerRangeAnalysis.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

using namespace mlir;
using namespace leaf;

SizeBounds::SizeBounds(Operation *root) : solver(std::make_unique<DataFlowSolver>(config)) {
  solver->load<dataflow::DeadCodeAnalysis>();
  solver->load<dataflow::SparseConstantPropagation>();
  solver->load<dataflow::IntegerRangeAnalysis>();
  if (failed(solver->initializeAndRun(root)))
    solver.reset();
}

SizeBounds::~SizeBounds() = default;

std::optional<int64_t> SizeBounds::getUpperBound(Value index) {
  if (std::optional<int64_t> constant = getConstantIntValue(index))
    return constant;
  std::optional<int64_t> bound;
  // The default stop condition ends at the first constant bound, which may not be the tightest.
  auto never = [](Value, std::optional<int64_t>, ValueBoundsConstraintSet &) { return false; };
  FailureOr<int64_t> byConstraints =
      ValueBoundsConstraintSet::computeConstantBound(presburger::BoundType::UB, {index}, never, /*closedUB=*/true);
  if (succeeded(byConstraints))
    bound = *byConstraints;
  const auto *range = solver ? solver->lookupState<dataflow::IntegerValueRangeLattice>(index) : nullptr;
  if (range && !range->getValue().isUninitialized()) {
    APInt most = range->getValue().getValue().smax();
    if (!most.isMaxSignedValue() && (!bound || most.getSExtValue() < *bound))
      bound = most.getSExtValue();
  }
  return bound;
}

static OpFoldResult multiply(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes) {
  // A product of symbols is no affine expression: multiply one by one.
  OpFoldResult result = builder.getIndexAttr(1);
  for (OpFoldResult size : sizes) {
    std::optional<int64_t> a = getConstantIntValue(result), b = getConstantIntValue(size);
    if (a && b) {
      result = builder.getIndexAttr(*a * *b);
    } else if (a && *a == 1) {
      result = size;
    } else {
      result = arith::MulIOp::create(builder, loc, getValueOrCreateConstantIndexOp(builder, loc, result),
                                     getValueOrCreateConstantIndexOp(builder, loc, size))
                   .getResult();
    }
  }
  return result;
}

FailureOr<SmallVector<OpFoldResult>> leaf::getBufferSizes(OpBuilder &builder, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  if (type.hasStaticShape())
    return getAsIndexOpFoldResult(builder.getContext(), type.getShape());
  Operation *op = buffer.getDefiningOp();
  if (auto cast = dyn_cast_or_null<memref::ReinterpretCastOp>(op))
    return cast.getMixedSizes();
  if (auto subview = dyn_cast_or_null<memref::SubViewOp>(op); subview && subview.getDroppedDims().none())
    return subview.getMixedSizes();
  // What a loop carries keeps its shape.
  if (auto loop = dyn_cast_or_null<scf::ForOp>(op))
    return getBufferSizes(builder, loop.getInitArgs()[cast<OpResult>(buffer).getResultNumber()]);
  if (auto alloc = dyn_cast_or_null<memref::AllocOp>(op))
    return getMixedValues(type.getShape(), alloc.getDynamicSizes(), builder.getContext());
  if (auto slot = dyn_cast_or_null<plan::SlotOp>(op))
    return getMixedValues(type.getShape(), slot.getSizes(), builder.getContext());
  if (auto expand = dyn_cast_or_null<memref::ExpandShapeOp>(op))
    return getMixedValues(expand.getStaticOutputShape(), expand.getOutputShape(), builder.getContext());
  if (auto cast = dyn_cast_or_null<memref::CastOp>(op)) {
    FailureOr<SmallVector<OpFoldResult>> sizes = getBufferSizes(builder, cast.getSource());
    if (failed(sizes))
      return failure();
    for (auto [size, known] : llvm::zip(*sizes, type.getShape()))
      if (!ShapedType::isDynamic(known))
        size = builder.getIndexAttr(known);
    return sizes;
  }
  if (auto collapse = dyn_cast_or_null<memref::CollapseShapeOp>(op)) {
    FailureOr<SmallVector<OpFoldResult>> sizes = getBufferSizes(builder, collapse.getSrc());
    if (failed(sizes))
      return failure();
    SmallVector<OpFoldResult> collapsed;
    for (const ReassociationIndices &group : collapse.getReassociationIndices())
      collapsed.push_back(multiply(builder, op->getLoc(), ArrayRef(*sizes).slice(group.front(), group.size())));
    return collapsed;
  }
  return failure();
}

Value leaf::createDenseView(OpBuilder &builder, Location loc, Value buffer, MemRefType type,
                            ArrayRef<OpFoldResult> sizes) {
  if (buffer.getType() == type && type.hasStaticShape())
    return buffer;
  SmallVector<OpFoldResult> strides(sizes.size());
  for (unsigned d = 0; d < sizes.size(); ++d)
    strides[d] = multiply(builder, loc, sizes.drop_front(d + 1));
  return memref::ReinterpretCastOp::create(builder, loc, type, buffer, builder.getIndexAttr(0), sizes, strides);
}
