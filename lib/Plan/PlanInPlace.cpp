//===- PlanInPlace.cpp - destinations in the buffers of dead inputs ----------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Plan/Plan.h"
#include "leafcutter/Plan/Passes.h"
#include "leafcutter/Plan/SizeBounds.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/SymbolTable.h"

namespace leaf {
#define GEN_PASS_DEF_PLANINPLACE
#include "leafcutter/Plan/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// Reshapes show all elements of their source in the same order.
static bool isReshape(Operation *op) {
  return isa_and_nonnull<memref::ExpandShapeOp, memref::CollapseShapeOp, memref::CastOp>(op);
}

static memref::AllocOp getAllocation(Value buffer) {
  while (isReshape(buffer.getDefiningOp()))
    buffer = buffer.getDefiningOp()->getOperand(0);
  return buffer.getDefiningOp<memref::AllocOp>();
}

/// The allocation that a buffer is all or part of.
static memref::AllocOp getWhole(Value buffer) {
  while (isReshape(buffer.getDefiningOp()) ||
         isa_and_nonnull<memref::SubViewOp, memref::ReinterpretCastOp>(buffer.getDefiningOp()))
    buffer = buffer.getDefiningOp()->getOperand(0);
  return buffer.getDefiningOp<memref::AllocOp>();
}

/// Ops that use the buffer, through views too. Fails where it escapes into control flow or something unknown.
static LogicalResult collectUsers(Value buffer, SmallVectorImpl<Operation *> &users) {
  for (Operation *user : buffer.getUsers()) {
    if (isReshape(user) || isa<memref::SubViewOp, memref::ReinterpretCastOp>(user)) {
      users.push_back(user);
      if (failed(collectUsers(user->getResult(0), users)))
        return failure();
    } else if (isa<plan::CallOp, memref::LoadOp, memref::StoreOp>(user)) {
      users.push_back(user);
    } else {
      return failure();
    }
  }
  return success();
}

/// True when no op of the block uses `alloc` after `call`, and the call itself only through one operand.
static bool diesAt(memref::AllocOp alloc, plan::CallOp call) {
  SmallVector<Operation *> users;
  if (alloc->getBlock() != call->getBlock() || failed(collectUsers(alloc, users)))
    return false;
  bool after = llvm::any_of(users, [&](Operation *user) {
    Operation *ancestor = call->getBlock()->findAncestorOpInBlock(*user);
    return !ancestor || call->isBeforeInBlock(ancestor);
  });
  auto isSame = [&](Value operand) { return isa<MemRefType>(operand.getType()) && getWhole(operand) == alloc; };
  return !after && llvm::count_if(call->getOperands(), isSame) == 1;
}

/// True when `call` is the first op that touches the contents of `alloc`.
static bool beginsAt(memref::AllocOp alloc, plan::CallOp call) {
  SmallVector<Operation *> users;
  if (alloc->getBlock() != call->getBlock() || failed(collectUsers(alloc, users)))
    return false;
  return llvm::none_of(users, [&](Operation *user) {
    Operation *ancestor = call->getBlock()->findAncestorOpInBlock(*user);
    return !ancestor || (ancestor->isBeforeInBlock(call) && !isReshape(user));
  });
}

/// Makes `destination` a view of `input`, which is defined earlier.
static void share(memref::AllocOp input, memref::AllocOp destination) {
  OpBuilder builder(destination);
  MemRefType type = destination.getType();
  Value view = input;
  if (type != input.getType() || !type.hasStaticShape()) {
    SmallVector<OpFoldResult> sizes =
        getMixedValues(type.getShape(), destination.getDynamicSizes(), builder.getContext());
    view = createDenseView(builder, destination.getLoc(), input, type, sizes);
  }
  destination.replaceAllUsesWith(view);
  destination.erase();
}

namespace {
struct PlanInPlace : leaf::impl::PlanInPlaceBase<PlanInPlace> {
  using Base::Base;

  void runOnOperation() override {
    SymbolTableCollection symbols;
    getOperation().walk([&](plan::CallOp call) {
      auto kernel = symbols.lookupNearestSymbolFrom<plan::KernelOp>(call, call.getCalleeAttr());
      for (auto [i, input] : llvm::enumerate(kernel.getInPlace()))
        if (input >= 0 && tryShare(call, call.getIns()[input], call.getOuts()[i]))
          ++numShared;
    });
  }

  bool tryShare(plan::CallOp call, Value in, Value out) {
    memref::AllocOp input = getAllocation(in), destination = getAllocation(out);
    if (!input || !destination || input == destination || !diesAt(input, call) || !beginsAt(destination, call))
      return false;
    if (destination->isBeforeInBlock(input)) {
      Operation *first = nullptr;
      for (Operation *user : destination->getUsers()) {
        Operation *ancestor = destination->getBlock()->findAncestorOpInBlock(*user);
        first = !first || ancestor->isBeforeInBlock(first) ? ancestor : first;
      }
      if (first->isBeforeInBlock(input))
        return false;
      destination->moveBefore(first);
    }
    share(input, destination);
    return true;
  }
};
} // namespace
