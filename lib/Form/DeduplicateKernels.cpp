//===- DeduplicateKernels.cpp - merges equal kernels -------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Plan/Plan.h"
#include "leafcutter/Form/Passes.h"

#include "mlir/IR/OperationSupport.h"

namespace leaf {
#define GEN_PASS_DEF_DEDUPLICATEKERNELS
#include "leafcutter/Form/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// Equal for equal kernels; independent of names, locations and values.
static size_t hashKernel(plan::KernelOp kernel) {
  llvm::hash_code hash = llvm::hash_combine(hash_value(kernel.getFunctionType()), kernel.getNumOuts());
  kernel.getBody().walk([&](Operation *op) {
    hash = llvm::hash_combine(hash, OperationEquivalence::computeHash(op, OperationEquivalence::ignoreHashValue,
                                                                      OperationEquivalence::ignoreHashValue,
                                                                      OperationEquivalence::IgnoreLocations));
  });
  return hash;
}

/// Attributes except those that only say where the kernel came from.
static DictionaryAttr getKey(plan::KernelOp kernel) {
  NamedAttrList attributes(kernel->getAttrDictionary());
  attributes.erase(kernel.getSymNameAttrName());
  attributes.erase(kernel.getNodesAttrName());
  return attributes.getDictionary(kernel.getContext());
}

static bool areEqual(plan::KernelOp a, plan::KernelOp b) {
  return getKey(a) == getKey(b) &&
         OperationEquivalence::isRegionEquivalentTo(&a.getBody(), &b.getBody(), OperationEquivalence::IgnoreLocations);
}

namespace {
struct DeduplicateKernels : leaf::impl::DeduplicateKernelsBase<DeduplicateKernels> {
  using Base::Base;

  void runOnOperation() override {
    llvm::DenseMap<size_t, SmallVector<plan::KernelOp, 1>> byHash;
    llvm::DenseMap<StringAttr, FlatSymbolRefAttr> replacement;
    for (plan::KernelOp kernel : llvm::make_early_inc_range(getOperation().getOps<plan::KernelOp>())) {
      SmallVector<plan::KernelOp, 1> &candidates = byHash[hashKernel(kernel)];
      auto equal = llvm::find_if(candidates, [&](plan::KernelOp other) { return areEqual(kernel, other); });
      if (equal == candidates.end()) {
        candidates.push_back(kernel);
        continue;
      }
      replacement[kernel.getSymNameAttr()] = FlatSymbolRefAttr::get(equal->getSymNameAttr());
      kernel.erase();
      ++numMerged;
    }
    getOperation().walk([&](plan::CallOp call) {
      if (auto found = replacement.find(call.getCalleeAttr().getAttr()); found != replacement.end())
        call.setCalleeAttr(found->second);
    });
  }
};
} // namespace
