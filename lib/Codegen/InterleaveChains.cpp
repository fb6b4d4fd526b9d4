//===- InterleaveChains.cpp - long formulas side by side ----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Codegen/Passes.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace leaf {

#define GEN_PASS_DEF_INTERLEAVECHAINS
#include "leafcutter/Codegen/Passes.h.inc"

using namespace mlir;

namespace {

bool isRead(Operation *op) { return hasSingleEffect<MemoryEffects::Read>(op); }

/// Ops that may change places as long as operands come before their users.
bool isMovable(Operation *op) {
  return op->getNumRegions() == 0 && !op->hasTrait<OpTrait::IsTerminator>() && (isMemoryEffectFree(op) || isRead(op));
}

/// A run of movable ops.
using Segment = SmallVector<Operation *>;

/// How many ops of the segment each one has to wait for, one after another. A load comes just before what needs it.
llvm::DenseMap<Operation *, unsigned> getLevels(const Segment &segment) {
  llvm::DenseMap<Operation *, unsigned> levels;
  for (Operation *op : segment) {
    unsigned level = 0;
    for (Value operand : op->getOperands())
      if (auto found = levels.find(operand.getDefiningOp()); operand.getDefiningOp() && found != levels.end())
        level = std::max(level, found->second + 1);
    levels[op] = level;
  }
  for (Operation *op : llvm::reverse(segment)) {
    if (!isRead(op))
      continue;
    std::optional<unsigned> first;
    for (Operation *user : op->getUsers())
      if (auto found = levels.find(user); found != levels.end())
        first = std::min(first.value_or(found->second), found->second);
    if (first)
      levels[op] = *first - 1;
  }
  return levels;
}

struct InterleaveChains : impl::InterleaveChainsBase<InterleaveChains> {
  using InterleaveChainsBase::InterleaveChainsBase;

  void runOnOperation() override {
    getOperation()->walk([&](Block *block) {
      Segment segment;
      for (Operation &op : llvm::make_early_inc_range(*block)) {
        if (isMovable(&op)) {
          segment.push_back(&op);
          continue;
        }
        sort(segment, &op);
        segment.clear();
      }
    });
  }

private:
  /// Orders the segment, which ends at `end`, by level.
  void sort(Segment &segment, Operation *end) {
    // Shorter ones are left alone: what latency they have other work hides.
    if (segment.size() < depth)
      return;
    llvm::DenseMap<Operation *, unsigned> levels = getLevels(segment);
    auto level = [&](Operation *op) { return levels.lookup(op); };
    if (level(*llvm::max_element(segment, [&](Operation *a, Operation *b) { return level(a) < level(b); })) < depth)
      return;
    llvm::stable_sort(segment, [&](Operation *a, Operation *b) { return level(a) < level(b); });
    for (Operation *op : segment)
      op->moveBefore(end);
    ++numSegments;
  }
};

} // namespace

} // namespace leaf
