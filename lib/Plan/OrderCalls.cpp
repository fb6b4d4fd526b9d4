//===- OrderCalls.cpp - an order of calls that needs less memory -------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CallOrder.h"
#include "Leaf/Leaf.h"
#include "Plan/Plan.h"
#include "leafcutter/Plan/Passes.h"
#include "leafcutter/Plan/SizeBounds.h"
#include "leafcutter/Support/ElementTypes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

namespace leaf {
#define GEN_PASS_DEF_ORDERCALLS
#include "leafcutter/Plan/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// Every slot of the arena is a multiple of it.
static constexpr int64_t kSlotAlignment = 64;

/// True when any order of the function's calls that respects their operands does the same.
static bool isReorderable(func::FuncOp function) {
  for (unsigned i = 0, e = function.getNumArguments(); i < e; ++i)
    if (function.getArgAttr(i, leaf::attrs::kAlias))
      return false;
  return llvm::all_of(function.getBody().front().without_terminator(), [](Operation &op) {
    if (auto call = dyn_cast<plan::CallOp>(op))
      return llvm::all_of(call.getOuts(), [](Value out) { return out.getDefiningOp<tensor::EmptyOp>() != nullptr; });
    return op.getNumRegions() == 0 && isMemoryEffectFree(&op) && !isa<tensor::InsertSliceOp>(op);
  });
}

namespace {
struct OrderCalls : leaf::impl::OrderCallsBase<OrderCalls> {
  using Base::Base;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && isReorderable(function))
        order(function);
  }

private:
  void order(func::FuncOp function) {
    Block &block = function.getBody().front();
    SmallVector<plan::CallOp> calls(block.getOps<plan::CallOp>());
    if (calls.size() < 3 || calls.size() > maxCalls)
      return;
    std::optional<std::vector<CallNode>> nodes = makeNodes(function, calls);
    if (!nodes)
      return;
    std::vector<unsigned> given(calls.size());
    std::iota(given.begin(), given.end(), 0);
    std::vector<unsigned> order = findOrder(*nodes, width);
    if (getPeak(*nodes, order) >= getPeak(*nodes, given))
      return;
    rewrite(block, calls, order);
    ++numOrdered;
  }

  /// The calls as nodes; nothing where a size has no bound.
  std::optional<std::vector<CallNode>> makeNodes(func::FuncOp function, ArrayRef<plan::CallOp> calls) {
    SizeBounds bounds(function);
    llvm::DenseMap<Value, SmallVector<unsigned>> sources; // calls whose buffers a value shows, or depends on
    std::vector<CallNode> nodes;
    for (Operation &op : function.getBody().front()) {
      SmallVector<unsigned> inputs;
      for (Value operand : op.getOperands())
        llvm::append_range(inputs, sources.lookup(operand));
      llvm::sort(inputs);
      inputs.erase(llvm::unique(inputs), inputs.end());
      if (op.hasTrait<OpTrait::IsTerminator>())
        for (unsigned input : inputs) {
          nodes[input].kept = true;
          nodes[input].bytes = 0; // an output's buffer is the caller's
        }
      auto call = dyn_cast<plan::CallOp>(op);
      if (!call) {
        for (Value result : op.getResults())
          sources[result] = inputs;
        continue;
      }
      std::optional<CallNode> node = makeNode(call, bounds, sources);
      if (!node)
        return std::nullopt;
      for (Value result : op.getResults())
        sources[result] = {static_cast<unsigned>(nodes.size())};
      node->inputs.assign(inputs.begin(), inputs.end());
      nodes.push_back(std::move(*node));
    }
    return nodes;
  }

  std::optional<CallNode> makeNode(plan::CallOp call, SizeBounds &bounds,
                                   const llvm::DenseMap<Value, SmallVector<unsigned>> &sources) {
    CallNode node;
    for (Value out : call.getOuts()) {
      auto empty = out.getDefiningOp<tensor::EmptyOp>();
      int64_t bytes = getElementBytes(empty.getType().getElementType());
      auto dynamic = empty.getDynamicSizes().begin();
      for (int64_t size : empty.getType().getShape()) {
        std::optional<int64_t> most = size;
        if (ShapedType::isDynamic(size))
          most = bounds.getUpperBound(*dynamic++);
        if (!most || llvm::MulOverflow(bytes, std::max<int64_t>(*most, 0), bytes))
          return std::nullopt;
      }
      if (bytes > INT64_MAX / 2 - node.bytes)
        return std::nullopt;
      node.bytes += llvm::alignTo(bytes, kSlotAlignment);
    }
    for (int64_t input : call.resolve().getInPlace())
      if (input >= 0)
        for (unsigned source : sources.lookup(call.getIns()[input]))
          node.inPlace.push_back(source);
    return node;
  }

  /// Puts the calls in order, each behind what its operands need.
  static void rewrite(Block &block, ArrayRef<plan::CallOp> calls, ArrayRef<unsigned> order) {
    llvm::DenseSet<Operation *> placed;
    auto place = [&](Operation *root) {
      SmallVector<Operation *> stack{root};
      while (!stack.empty()) {
        Operation *op = stack.back();
        size_t before = stack.size();
        for (Value operand : op->getOperands())
          if (Operation *source = operand.getDefiningOp(); source && !placed.contains(source))
            stack.push_back(source);
        if (stack.size() > before)
          continue;
        stack.pop_back();
        if (placed.insert(op).second)
          op->moveBefore(block.getTerminator());
      }
    };
    SmallVector<Operation *> others;
    for (Operation &op : block.without_terminator())
      if (!isa<plan::CallOp>(op))
        others.push_back(&op);
    for (unsigned node : order)
      place(calls[node]);
    llvm::for_each(others, place);
  }
};
} // namespace
