//===- Buffers.cpp - who writes a buffer of the plan --------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Buffers.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace leaf;

/// True where calls and loads only read `view`, through views of it too.
static bool isOnlyRead(Value view) {
  return llvm::all_of(view.getUses(), [](OpOperand &use) {
    if (auto part = dyn_cast<memref::SubViewOp>(use.getOwner()))
      return isOnlyRead(part);
    auto call = dyn_cast<plan::CallOp>(use.getOwner());
    return call ? !call.isDpsInit(&use) : isa<memref::LoadOp>(use.getOwner());
  });
}

plan::CallOp leaf::getOnlyWriter(Value buffer) {
  plan::CallOp writer;
  for (OpOperand &use : buffer.getUses()) {
    if (auto part = dyn_cast<memref::SubViewOp>(use.getOwner()); part && isOnlyRead(part))
      continue;
    auto call = dyn_cast<plan::CallOp>(use.getOwner());
    if (!call && !isa<memref::LoadOp>(use.getOwner()))
      return {};
    if (!call || !call.isDpsInit(&use))
      continue;
    if (writer)
      return {};
    writer = call;
  }
  return writer;
}

void leaf::replaceBuffer(Value buffer, Value with) {
  for (OpOperand &use : llvm::make_early_inc_range(buffer.getUses())) {
    auto part = dyn_cast<memref::SubViewOp>(use.getOwner());
    if (!part) {
      use.set(with);
      continue;
    }
    OpBuilder builder(part);
    replaceBuffer(part, memref::SubViewOp::create(builder, part.getLoc(), with, part.getMixedOffsets(),
                                                  part.getMixedSizes(), part.getMixedStrides()));
    part.erase();
  }
}
