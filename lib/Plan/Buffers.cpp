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

Value leaf::createBox(OpBuilder &builder, Location loc, Value whole, ArrayRef<int64_t> offsets,
                      ArrayRef<int64_t> shape) {
  SmallVector<OpFoldResult> steps(shape.size(), builder.getIndexAttr(1));
  return memref::SubViewOp::create(builder, loc, whole, getAsIndexOpFoldResult(builder.getContext(), offsets),
                                   getAsIndexOpFoldResult(builder.getContext(), shape), steps);
}

void leaf::eraseUncalledKernels(ModuleOp module, function_ref<bool(plan::KernelOp)> matches) {
  for (plan::KernelOp kernel : llvm::make_early_inc_range(module.getOps<plan::KernelOp>()))
    if (SymbolTable::symbolKnownUseEmpty(kernel, module) && matches(kernel))
      kernel.erase();
}
