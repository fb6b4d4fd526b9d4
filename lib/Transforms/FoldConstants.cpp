//===- FoldConstants.cpp - replaces ops on constants by their value -----------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Transforms/ConstantEvaluator.h"
#include "leafcutter/Transforms/Onnx.h"
#include "leafcutter/Transforms/Passes.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"

namespace leaf {
#define GEN_PASS_DEF_FOLDCONSTANTS
#include "leafcutter/Transforms/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

namespace {
struct FoldConstants : leaf::impl::FoldConstantsBase<FoldConstants> {
  using FoldConstantsBase::FoldConstantsBase;
  explicit FoldConstants(ConstantFallback fallback) : fallback(std::move(fallback)) {}

  void runOnOperation() override {
    ConstantEvaluatorOptions options;
    options.maxResultBytes = maxResultBytes;
    options.fallback = fallback;
    ConstantEvaluator evaluator(std::move(options));
    SmallVector<Operation *> ops;
    // In order, so that one walk folds whole chains.
    getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (isOnnx(op))
        ops.push_back(op);
    });
    for (Operation *op : ops)
      numFolded += foldToConstants(op, evaluator);
  }

private:
  ConstantFallback fallback;
};
} // namespace

std::unique_ptr<Pass> leaf::createFoldConstants(ConstantFallback fallback) {
  return std::make_unique<FoldConstants>(std::move(fallback));
}
