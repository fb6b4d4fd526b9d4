//===- Buffers.cpp - who writes a buffer of the plan --------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Buffers.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace leaf;

plan::CallOp leaf::getOnlyWriter(Value buffer) {
  plan::CallOp writer;
  for (OpOperand &use : buffer.getUses()) {
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
