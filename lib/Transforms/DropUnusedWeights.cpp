//===- DropUnusedWeights.cpp - erases weights that nothing loads --------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Transforms/Passes.h"

#include "Leaf/Leaf.h"
#include "llvm/ADT/DenseSet.h"

namespace leaf {
#define GEN_PASS_DEF_DROPUNUSEDWEIGHTS
#include "leafcutter/Transforms/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

namespace {
struct DropUnusedWeights : leaf::impl::DropUnusedWeightsBase<DropUnusedWeights> {
  using DropUnusedWeightsBase::DropUnusedWeightsBase;

  void runOnOperation() override {
    DenseSet<StringAttr> used;
    getOperation()->walk([&](LoadWeightOp load) { used.insert(load.getWeightAttr().getAttr()); });
    for (WeightOp weight : llvm::make_early_inc_range(getOperation().getOps<WeightOp>())) {
      if (used.contains(weight.getSymNameAttr()))
        continue;
      weight.erase();
      ++numDropped;
    }
  }
};
} // namespace
