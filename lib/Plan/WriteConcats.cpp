//===- WriteConcats.cpp - parts of a concatenation are written in place ------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Buffers.h"
#include "CopyKernel.h"
#include "Leaf/Leaf.h"
#include "Plan/Plan.h"
#include "leafcutter/Plan/Passes.h"
#include "leafcutter/Plan/SizeBounds.h"
#include "leafcutter/Support/ElementTypes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/SymbolTable.h"

namespace leaf {
#define GEN_PASS_DEF_WRITECONCATS
#include "leafcutter/Plan/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// The concatenation that is all a kernel does, of its inputs in order; null where it does anything else.
static ConcatOp getConcat(plan::KernelOp kernel) {
  Block &body = kernel.getBody().front();
  auto concat = dyn_cast<ConcatOp>(body.front());
  if (!concat || concat->getNextNode() != body.getTerminator() ||
      concat.getInputs().size() + 1 != body.getNumArguments() || !concat.getResult() ||
      body.getTerminator()->getOperands() != ValueRange(concat.getResult()))
    return {};
  for (auto [input, argument] : llvm::zip(concat.getInputs(), body.getArguments()))
    if (input != argument)
      return {};
  return concat.getOut() == body.getArguments().back() ? concat : ConcatOp();
}

/// True where kernels write a part as fast as a buffer of its own: the elements of the whole that lie side by side are
/// a few vectors at least, or all there are.
static bool isWrittenWell(ArrayRef<int64_t> part, int64_t dim) {
  constexpr int64_t enough = 16;
  int64_t run = 1;
  for (int64_t size : part.drop_front(dim))
    run *= size;
  return run >= enough || llvm::all_of(part.take_front(dim), [](int64_t size) { return size == 1; });
}

/// 0 where a size is dynamic.
static int64_t getStaticBytes(MemRefType type) { return type.hasStaticShape() ? getBytes(type) : 0; }

namespace {
/// Bytes live at each op of a block, by the lifetimes of its allocations.
class LiveBytes {
public:
  using Span = std::pair<size_t, size_t>; ///< first and last op, both included

  explicit LiveBytes(Block &block) : block(&block) {
    for (Operation &op : block)
      positions[&op] = positions.size();
    bytes.resize(positions.size());
    for (auto alloc : block.getOps<memref::AllocOp>())
      add(getSpan(alloc), getStaticBytes(alloc.getType()));
  }

  /// From the first to the last op that uses `buffer`, through views too.
  Span getSpan(Value buffer) const {
    Span span{positions.size(), 0};
    extend(span, buffer);
    return span.first == positions.size() ? Span{0, 0} : span;
  }

  void add(Span span, int64_t amount) {
    for (size_t i = span.first; i <= span.second; ++i)
      bytes[i] += amount;
  }

  int64_t getPeak() const { return bytes.empty() ? 0 : *llvm::max_element(bytes); }

private:
  void extend(Span &span, Value buffer) const {
    for (Operation *user : buffer.getUsers()) {
      if (Operation *ancestor = block->findAncestorOpInBlock(*user)) {
        span.first = std::min(span.first, positions.lookup(ancestor));
        span.second = std::max(span.second, positions.lookup(ancestor));
      }
      for (Value view : user->getResults())
        if (isa<MemRefType>(view.getType()))
          extend(span, view);
    }
  }

  Block *block;
  llvm::DenseMap<Operation *, size_t> positions;
  SmallVector<int64_t> bytes;
};

struct WriteConcats : leaf::impl::WriteConcatsBase<WriteConcats> {
  using Base::Base;

  void runOnOperation() override {
    CopyKernels copies(getOperation());
    SmallVector<plan::CallOp> calls;
    getOperation().walk([&](plan::CallOp call) { calls.push_back(call); });
    for (plan::CallOp call : calls)
      if (call.getOuts().size() == 1)
        if (ConcatOp concat = getConcat(call.resolve()))
          apply(call, concat.getDim(), copies);
    // Concatenations that nothing calls any more.
    for (plan::KernelOp kernel : llvm::make_early_inc_range(getOperation().getOps<plan::KernelOp>()))
      if (SymbolTable::symbolKnownUseEmpty(kernel, getOperation()) && getConcat(kernel))
        kernel.erase();
  }

private:
  /// The parts of `call` that can be views of `whole` without more memory at the peak.
  SmallVector<memref::AllocOp> chooseParts(plan::CallOp call, int64_t dim, Value whole) {
    SmallVector<memref::AllocOp> parts;
    for (Value in : call.getIns()) {
      auto part = in.getDefiningOp<memref::AllocOp>();
      if (part && part->getBlock() == call->getBlock() && getOnlyWriter(part) && !llvm::is_contained(parts, part) &&
          isWrittenWell(part.getType().getShape(), dim))
        parts.push_back(part);
    }
    LiveBytes live(*call->getBlock());
    int64_t before = live.getPeak();
    llvm::stable_sort(
        parts, [&](memref::AllocOp a, memref::AllocOp b) { return live.getSpan(a).first > live.getSpan(b).first; });
    for (; !parts.empty(); parts.pop_back()) { // the earliest one keeps the whole alive longest
      LiveBytes after = live;
      LiveBytes::Span span = live.getSpan(whole), all = span;
      int64_t bytes = whole.getDefiningOp<memref::AllocOp>() ? getStaticBytes(cast<MemRefType>(whole.getType())) : 0;
      for (memref::AllocOp part : parts) {
        LiveBytes::Span own = live.getSpan(part);
        after.add(own, -getStaticBytes(part.getType()));
        all = {std::min(all.first, own.first), std::max(all.second, own.second)};
      }
      after.add(span, -bytes);
      after.add(all, bytes);
      if (after.getPeak() <= before)
        return parts;
    }
    return parts;
  }

  void apply(plan::CallOp call, int64_t dim, CopyKernels &copies) {
    auto whole = call.getOuts()[0].getDefiningOp<memref::AllocOp>();
    if (!whole || whole->getBlock() != call->getBlock() || !whole.getType().hasStaticShape() || !getOnlyWriter(whole))
      return;
    SmallVector<memref::AllocOp> parts = chooseParts(call, dim, whole);
    if (parts.empty())
      return;
    for (memref::AllocOp part : parts)
      if (part->isBeforeInBlock(whole))
        whole->moveBefore(part);
    int64_t offset = 0;
    for (unsigned i = 0, e = call.getIns().size(); i < e; ++i) {
      Value in = call.getIns()[i]; // a view that was made for a part before may be it, or of it
      ArrayRef<int64_t> shape = cast<MemRefType>(in.getType()).getShape();
      int64_t size = shape[dim];
      auto part = in.getDefiningOp<memref::AllocOp>();
      bool chosen = part && llvm::is_contained(parts, part);
      OpBuilder builder(chosen ? part.getOperation() : call.getOperation());
      Value view = createPart(builder, in.getLoc(), whole, dim, offset, shape);
      if (chosen) {
        llvm::erase(parts, part);
        replaceBuffer(part, view);
        part.erase();
        ++numParts;
      } else {
        copyPart(builder, call, in, view, copies);
      }
      offset += size;
    }
    call.erase();
  }

  static Value createPart(OpBuilder &builder, Location loc, Value whole, int64_t dim, int64_t offset,
                          ArrayRef<int64_t> shape) {
    SmallVector<int64_t> offsets(shape.size(), 0);
    offsets[dim] = offset;
    return createBox(builder, loc, whole, offsets, shape);
  }

  static void copyPart(OpBuilder &builder, plan::CallOp call, Value from, Value to, CopyKernels &copies) {
    auto type = cast<MemRefType>(from.getType());
    auto tensor = RankedTensorType::get(type.getShape(), type.getElementType());
    plan::KernelOp kernel = copies.get(call.getLoc(), tensor, tensor);
    plan::CallOp::create(builder, call.getLoc(), TypeRange{}, kernel.getSymName(), from, to, ValueRange{});
  }
};
} // namespace
