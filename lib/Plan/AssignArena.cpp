//===- AssignArena.cpp - offsets of buffers in the arena ---------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Leaf/OutputNames.h"
#include "Plan/Plan.h"
#include "leafcutter/Plan/ArenaPlanner.h"
#include "leafcutter/Plan/Passes.h"
#include "leafcutter/Plan/SizeBounds.h"
#include "leafcutter/Support/ElementTypes.h"

#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/Support/MathExtras.h"

namespace leaf {
#define GEN_PASS_DEF_ASSIGNARENA
#include "leafcutter/Plan/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

namespace {
/// Begin and end of every op on one time line; an op's regions lie inside of it.
class TimeLine {
public:
  explicit TimeLine(Operation *root) { visit(root); }
  std::pair<int64_t, int64_t> operator[](Operation *op) const { return times.lookup(op); }

private:
  void visit(Operation *op) {
    int64_t begin = now++;
    for (Region &region : op->getRegions())
      for (Operation &inner : region.getOps())
        visit(&inner);
    times[op] = {begin, now++};
  }

  llvm::DenseMap<Operation *, std::pair<int64_t, int64_t>> times;
  int64_t now = 0;
};

struct AssignArena : leaf::impl::AssignArenaBase<AssignArena> {
  using Base::Base;

  void runOnOperation() override {
    ArenaPlacement all;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && failed(assign(function, all)))
        return signalPassFailure();
    Builder builder(&getContext());
    auto set = [&](StringRef name, int64_t value) { getOperation()->setAttr(name, builder.getI64IntegerAttr(value)); };
    set(plan::attrs::kArenaBytes, all.peak);
    set(plan::attrs::kArenaLowerBound, all.lowerBound);
    set(plan::attrs::kArenaAlign, alignment);
  }

  LogicalResult assign(func::FuncOp function, ArenaPlacement &all) {
    TimeLine times(function);
    BufferViewFlowAnalysis views(function);
    SizeBounds bounds(function);
    SmallVector<memref::AllocOp> allocs;
    function.walk([&](memref::AllocOp alloc) { allocs.push_back(alloc); });
    std::vector<ArenaInterval> intervals;
    for (memref::AllocOp alloc : allocs) {
      std::optional<int64_t> bytes = getBytes(alloc, bounds);
      if (!bytes)
        return failure();
      FailureOr<ArenaInterval> interval = getLifetime(alloc, times, views);
      if (failed(interval))
        return failure();
      interval->bytes = *bytes;
      intervals.push_back(*interval);
    }
    ArenaPlannerOptions options;
    options.alignment = alignment;
    options.searchSteps = searchSteps;
    ArenaPlacement placement = ArenaPlanner(options).place(intervals);
    for (auto [alloc, interval, offset] : llvm::zip(allocs, intervals, placement.offsets)) {
      OpBuilder builder(alloc);
      Value slot = plan::SlotOp::create(builder, alloc.getLoc(), alloc.getType(), offset, interval.bytes,
                                        alloc.getDynamicSizes());
      alloc.replaceAllUsesWith(slot);
      alloc.erase();
      ++numSlots;
    }
    all.peak = std::max(all.peak, placement.peak);
    all.lowerBound = std::max(all.lowerBound, placement.lowerBound);
    return success();
  }

  /// Upper bound of the buffer's size in bytes; emits an error where there is none.
  std::optional<int64_t> getBytes(memref::AllocOp alloc, SizeBounds &bounds) {
    MemRefType type = alloc.getType();
    int64_t bytes = getElementBytes(type.getElementType());
    auto dynamic = alloc.getDynamicSizes().begin();
    for (auto [d, size] : llvm::enumerate(type.getShape())) {
      std::optional<int64_t> most = size;
      if (ShapedType::isDynamic(size))
        most = bounds.getUpperBound(*dynamic++);
      if (!most) {
        alloc.emitError("dimension ") << d << " of an intermediate " << type << " has no upper bound; give one with "
                                      << getBoundOption(alloc.getLoc());
        return std::nullopt;
      }
      if (llvm::MulOverflow(bytes, std::max<int64_t>(*most, 0), bytes)) {
        alloc.emitError("the size of an intermediate ") << type << " exceeds 64 bits";
        return std::nullopt;
      }
    }
    return llvm::alignTo(bytes, alignment);
  }

  /// From the first to the last op of the allocation's block that has a use of the buffer inside.
  FailureOr<ArenaInterval> getLifetime(memref::AllocOp alloc, const TimeLine &times, BufferViewFlowAnalysis &views) {
    ArenaInterval life{INT64_MAX, 0, 0};
    for (Value view : views.resolve(alloc)) {
      if (auto argument = dyn_cast<BlockArgument>(view)) {
        Operation *loop = argument.getOwner()->getParentOp();
        if (isa<LoopLikeOpInterface>(loop) && loop->isProperAncestor(alloc))
          return alloc.emitError("a buffer made in a loop is carried into its next run; it would overwrite itself");
      }
      for (Operation *user : view.getUsers()) {
        Operation *ancestor = alloc->getBlock()->findAncestorOpInBlock(*user);
        auto [begin, end] = times[ancestor ? ancestor : user];
        life.begin = std::min(life.begin, begin);
        life.end = std::max(life.end, end + 1);
      }
    }
    life.begin = std::min(life.begin, life.end);
    return life;
  }
};
} // namespace
