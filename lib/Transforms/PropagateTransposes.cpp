//===- PropagateTransposes.cpp - moves transposes together and cancels them ---===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "SinkTranspose.h"
#include "leafcutter/Transforms/Onnx.h"
#include "leafcutter/Transforms/Passes.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"

namespace leaf {
#define GEN_PASS_DEF_PROPAGATETRANSPOSES
#include "leafcutter/Transforms/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// Sinking moves transposes only down, and each pass reaches the end of the graph: a few passes settle what new
/// neighbours there are. The bound holds off a bug.
static constexpr unsigned kMaxPasses = 16;

/// Composes with the Transpose above, drops identities, and turns what moves unit dimensions only into a Reshape.
static bool simplifyTranspose(Operation *op) {
  auto type = dyn_cast<RankedTensorType>(op->getOperand(0).getType());
  if (!isOnnx(op, "Transpose") || !type)
    return false;
  Permutation perm = permutationOf(op, type.getRank());
  Value input = op->getOperand(0);
  OpBuilder builder(op);
  Value simpler;
  if (isIdentityPermutation(perm)) {
    simpler = input;
  } else if (isConstantValue(input) && getHostConstant(input)) {
    simpler = createTranspose(builder, op->getLoc(), input, perm);
  } else if (Operation *above = input.getDefiningOp(); above && isOnnx(above, "Transpose")) {
    Permutation composed = permute(permutationOf(above, type.getRank()), perm);
    simpler = isIdentityPermutation(composed) ? above->getOperand(0)
                                              : createTranspose(builder, op->getLoc(), above->getOperand(0), composed);
  } else if (type.hasStaticShape() && movesUnitDimsOnly(type.getShape(), perm)) {
    simpler = createReshape(builder, op->getLoc(), input, permute(type.getShape(), perm));
  } else {
    return false;
  }
  op->getResult(0).replaceAllUsesWith(simpler);
  op->erase();
  return true;
}

namespace {
struct PropagateTransposes : leaf::impl::PropagateTransposesBase<PropagateTransposes> {
  using PropagateTransposesBase::PropagateTransposesBase;

  bool rewrite(Operation *op) {
    if (isOnnx(op, "Transpose"))
      return simplifyTranspose(op);
    if (!sinkTransposes(op) && !permuteWeightRows(op))
      return false;
    ++numMoved;
    return true;
  }

  void runOnOperation() override {
    for (unsigned pass = 0; pass < kMaxPasses; ++pass) {
      bool changed = false;
      getOperation()->walk([&](Block *block) {
        for (Operation &op : llvm::make_early_inc_range(*block))
          if (isOnnx(&op) && op.getNumOperands() != 0)
            changed |= rewrite(&op);
      });
      removeDeadOps(getOperation());
      if (!changed)
        return;
    }
  }
};
} // namespace
