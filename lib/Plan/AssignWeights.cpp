//===- AssignWeights.cpp - offsets in the weight section ---------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Leaf/Leaf.h"
#include "Plan/Plan.h"
#include "leafcutter/Plan/Passes.h"
#include "leafcutter/Plan/SizeBounds.h"
#include "leafcutter/Support/ElementTypes.h"

#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MathExtras.h"

namespace leaf {
#define GEN_PASS_DEF_ASSIGNWEIGHTS
#include "leafcutter/Plan/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

namespace {
struct AssignWeights : leaf::impl::AssignWeightsBase<AssignWeights> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    llvm::SetVector<WeightOp> used;
    module.walk([&](LoadWeightOp load) {
      if (load.use_empty())
        load.erase();
      else
        used.insert(symbols.lookup<WeightOp>(load.getWeight()));
    });
    Builder builder(&getContext());
    int64_t offset = 0;
    for (WeightOp weight : used) {
      RankedTensorType type = weight.getWeightType();
      weight->setAttr(plan::attrs::kOffset, builder.getI64IntegerAttr(offset));
      offset += llvm::alignTo(getBytes(type), 64);
    }
    for (WeightOp weight : llvm::make_early_inc_range(module.getOps<WeightOp>()))
      if (!used.contains(weight)) {
        weight.erase();
        ++numErased;
      }
    module->setAttr(plan::attrs::kWeightBytes, builder.getI64IntegerAttr(offset));
  }
};
} // namespace
