//===- ReadSlices.cpp - slices are read where they lie ------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Buffers.h"
#include "Leaf/Leaf.h"
#include "Plan/Plan.h"
#include "leafcutter/Plan/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/SymbolTable.h"

namespace leaf {
#define GEN_PASS_DEF_READSLICES
#include "leafcutter/Plan/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// Where the box begins that is all a kernel copies; nothing where it does anything else.
static std::optional<SmallVector<int64_t>> getOffsets(plan::KernelOp kernel) {
  std::optional<SmallVector<int64_t>> offsets;
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    if (isa<arith::ConstantOp>(op))
      continue;
    auto attr = isa<linalg::GenericOp>(op) ? op.getAttrOfType<DenseI64ArrayAttr>(attrs::kSlice) : DenseI64ArrayAttr();
    if (offsets || !attr)
      return std::nullopt;
    offsets = SmallVector<int64_t>(attr.asArrayRef());
  }
  return offsets;
}

/// True where the box lies inside of `whole` and its readers find vectors in it.
static bool isReadWell(ArrayRef<int64_t> offsets, MemRefType box, MemRefType whole) {
  constexpr int64_t enough = 16;
  if (!box.hasStaticShape() || !whole.hasStaticShape() || box.getRank() != whole.getRank() ||
      offsets.size() != static_cast<size_t>(box.getRank()) || !whole.getLayout().isIdentity())
    return false;
  int64_t run = 1; // elements side by side
  bool isWhole = true;
  for (int64_t d = box.getRank() - 1; d >= 0; --d) {
    if (box.getDimSize(d) > whole.getDimSize(d) - offsets[d])
      return false;
    run *= isWhole ? box.getDimSize(d) : 1;
    isWhole &= box.getDimSize(d) == whole.getDimSize(d);
  }
  return run >= enough || run == box.getNumElements();
}

namespace {
struct ReadSlices : leaf::impl::ReadSlicesBase<ReadSlices> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<plan::CallOp> calls;
    getOperation().walk([&](plan::CallOp call) { calls.push_back(call); });
    for (plan::CallOp call : calls)
      if (std::optional<SmallVector<int64_t>> offsets = match(call))
        apply(call, *offsets);
    eraseUncalledKernels(getOperation(), [](plan::KernelOp kernel) { return getOffsets(kernel).has_value(); });
  }

private:
  static std::optional<SmallVector<int64_t>> match(plan::CallOp call) {
    if (call.getIns().size() != 1 || call.getOuts().size() != 1)
      return std::nullopt;
    auto whole = call.getIns()[0].getDefiningOp<memref::AllocOp>();
    auto box = call.getOuts()[0].getDefiningOp<memref::AllocOp>();
    if (!whole || !box || whole->getBlock() != call->getBlock() || box->getBlock() != call->getBlock())
      return std::nullopt;
    plan::CallOp writer = getOnlyWriter(whole);
    if (!writer || writer->getBlock() != call->getBlock() || !writer->isBeforeInBlock(call) ||
        getOnlyWriter(box) != call)
      return std::nullopt;
    std::optional<SmallVector<int64_t>> offsets = getOffsets(call.resolve());
    return offsets && isReadWell(*offsets, box.getType(), whole.getType()) ? offsets : std::nullopt;
  }

  void apply(plan::CallOp call, ArrayRef<int64_t> offsets) {
    auto box = call.getOuts()[0].getDefiningOp<memref::AllocOp>();
    OpBuilder builder(call);
    Value view = createBox(builder, call.getLoc(), call.getIns()[0], offsets, box.getType().getShape());
    call.erase();
    replaceBuffer(box, view);
    box.erase();
    ++numSlices;
  }
};
} // namespace
