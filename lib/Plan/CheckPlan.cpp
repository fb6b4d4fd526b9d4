//===- CheckPlan.cpp - the contract at the end of plan -----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Leaf/Leaf.h"
#include "Plan/Plan.h"
#include "leafcutter/Plan/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace leaf {
#define GEN_PASS_DEF_CHECKPLAN
#include "leafcutter/Plan/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

static bool isAllowed(Operation *op) {
  if (op->getDialect() && op->getDialect()->getNamespace() == "arith")
    return true;
  return isa<plan::CallOp, plan::SlotOp, plan::RequireOp, LoadWeightOp, BoundOp, memref::ExpandShapeOp,
             memref::CollapseShapeOp, memref::CastOp, memref::SubViewOp, memref::ReinterpretCastOp, memref::LoadOp,
             memref::StoreOp, scf::IfOp, scf::ForOp, scf::WhileOp, scf::YieldOp, scf::ConditionOp, func::ReturnOp>(op);
}

static LogicalResult check(Operation *op) {
  if (!isAllowed(op))
    return op->emitOpError("is not allowed in @main after plan");
  auto isTensor = [](Type type) { return isa<TensorType>(type); };
  if (llvm::any_of(op->getOperandTypes(), isTensor) || llvm::any_of(op->getResultTypes(), isTensor))
    return op->emitOpError("is still on tensors after plan");
  return success();
}

static LogicalResult checkEntry(func::FuncOp entry) {
  for (unsigned i = 0, e = entry.getNumArguments(); i < e; ++i)
    if (isa<MemRefType>(entry.getArgument(i).getType()) && !entry.getArgAttr(i, plan::attrs::kCapacity))
      return entry.emitOpError("argument ") << i << " has no " << plan::attrs::kCapacity;
  if (!llvm::all_of(entry.getResultTypes(), [](Type type) { return type.isIndex(); }))
    return entry.emitOpError("returns something else than sizes after plan");
  return success();
}

namespace {
struct CheckPlan : leaf::impl::CheckPlanBase<CheckPlan> {
  using Base::Base;

  void runOnOperation() override {
    bool ok = true;
    for (StringRef name :
         {plan::attrs::kArenaBytes, plan::attrs::kArenaLowerBound, plan::attrs::kArenaAlign, plan::attrs::kWeightBytes})
      if (!getOperation()->hasAttrOfType<IntegerAttr>(name)) {
        getOperation().emitOpError("lacks ") << name;
        ok = false;
      }
    for (Operation &top : *getOperation().getBody()) {
      if (auto entry = dyn_cast<func::FuncOp>(top)) {
        ok &= succeeded(checkEntry(entry));
        entry.walk([&](Operation *op) { ok &= op == entry || succeeded(check(op)); });
      } else if (!isa<WeightOp, plan::KernelOp>(top)) {
        top.emitOpError("is not allowed in a module after plan");
        ok = false;
      }
    }
    if (!ok)
      signalPassFailure();
  }
};
} // namespace
