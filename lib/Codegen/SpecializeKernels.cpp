//===- SpecializeKernels.cpp - kernels by the layout of their operands --------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Leaf/Leaf.h"
#include "Plan/Plan.h"
#include "leafcutter/Codegen/Passes.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace leaf {

#define GEN_PASS_DEF_SPECIALIZEKERNELS
#include "leafcutter/Codegen/Passes.h.inc"

using namespace mlir;

namespace {

/// Strides of a buffer operand that are not those of a dense buffer, or an empty array.
static FailureOr<SmallVector<int64_t>> specialStrides(plan::CallOp call, Value operand) {
  auto type = dyn_cast<MemRefType>(operand.getType());
  if (!type || type.getLayout().isIdentity())
    return SmallVector<int64_t>();
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)) || llvm::any_of(strides, ShapedType::isDynamic))
    return call.emitOpError("passes ") << type << ": a kernel takes dense buffers or static strides";
  return strides;
}

static Value rootOf(Value memref) {
  while (auto view = memref.getDefiningOp<ViewLikeOpInterface>())
    memref = view.getViewSource();
  return memref;
}

/// True where the two buffers cannot share a byte.
static bool areDisjoint(Value a, Value b) {
  Value rootA = rootOf(a), rootB = rootOf(b);
  if (rootA == rootB)
    return false;
  auto slotA = rootA.getDefiningOp<plan::SlotOp>(), slotB = rootB.getDefiningOp<plan::SlotOp>();
  if (slotA && slotB) {
    int64_t beginA = slotA.getOffset(), beginB = slotB.getOffset();
    return beginA + static_cast<int64_t>(slotA.getBytes()) <= beginB ||
           beginB + static_cast<int64_t>(slotB.getBytes()) <= beginA;
  }
  auto isKnown = [](Value root) {
    auto argument = dyn_cast<BlockArgument>(root);
    return root.getDefiningOp<plan::SlotOp>() || root.getDefiningOp<LoadWeightOp>() ||
           (argument && isa<FunctionOpInterface>(argument.getOwner()->getParentOp()));
  };
  return isKnown(rootA) && isKnown(rootB);
}

/// Destinations (operand numbers) that overlap no other operand of the call.
static SmallVector<bool> disjointOuts(plan::CallOp call) {
  SmallVector<bool> result(call->getNumOperands(), false);
  for (unsigned i = call.getIns().size(), e = i + call.getOuts().size(); i < e; ++i) {
    result[i] = true;
    for (auto [j, other] : llvm::enumerate(call->getOperands()))
      if (j != i && isa<MemRefType>(other.getType()))
        result[i] = result[i] && areDisjoint(call->getOperand(i), other);
  }
  return result;
}

/// Calls with the same layouts.
struct Group {
  SmallVector<SmallVector<int64_t>> strides;
  SmallVector<bool> disjoint;
  SmallVector<plan::CallOp> calls;
};

struct SpecializeKernels : impl::SpecializeKernelsBase<SpecializeKernels> {
  using SpecializeKernelsBase::SpecializeKernelsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    llvm::MapVector<Operation *, SmallVector<Group>> groups;
    WalkResult walked = module.walk([&](plan::CallOp call) {
      return succeeded(addCall(groups, call)) ? WalkResult::advance() : WalkResult::interrupt();
    });
    if (walked.wasInterrupted())
      return signalPassFailure();
    for (auto &[op, list] : groups) {
      auto kernel = cast<plan::KernelOp>(op);
      SmallVector<plan::KernelOp> clones{kernel};
      for (size_t i = 1; i < list.size(); ++i) {
        plan::KernelOp clone = kernel.clone();
        symbols.insert(clone, std::next(Block::iterator(clones.back())));
        clones.push_back(clone);
        ++numClones;
      }
      for (auto [group, clone] : llvm::zip_equal(list, clones))
        apply(group, clone);
    }
  }

private:
  static LogicalResult addCall(llvm::MapVector<Operation *, SmallVector<Group>> &groups, plan::CallOp call) {
    plan::KernelOp kernel = call.resolve();
    SmallVector<SmallVector<int64_t>> strides;
    for (Value operand : call->getOperands()) {
      FailureOr<SmallVector<int64_t>> one = specialStrides(call, operand);
      if (failed(one))
        return failure();
      strides.push_back(*one);
    }
    SmallVector<bool> disjoint = disjointOuts(call);
    SmallVector<Group> &list = groups[kernel];
    auto *found = llvm::find_if(list, [&](const Group &group) { return group.strides == strides; });
    if (found == list.end()) {
      list.push_back({std::move(strides), std::move(disjoint), {call}});
      return success();
    }
    for (auto [have, one] : llvm::zip_equal(found->disjoint, disjoint))
      have = have && one;
    found->calls.push_back(call);
    return success();
  }

  static void apply(const Group &group, plan::KernelOp kernel) {
    Builder b(kernel.getContext());
    for (auto [i, strides] : llvm::enumerate(group.strides)) {
      if (!strides.empty())
        kernel.setArgAttr(i, "leaf.strides", b.getDenseI64ArrayAttr(strides));
      if (group.disjoint[i])
        kernel.setArgAttr(i, "leaf.restrict", b.getUnitAttr());
    }
    for (plan::CallOp call : group.calls)
      call.setCallee(kernel.getName());
  }
};

} // namespace

} // namespace leaf
