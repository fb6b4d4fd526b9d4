//===- KernelShapes.cpp - which sizes of a kernel are equal -------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "KernelShapes.h"

#include "Leaf/Leaf.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::codegen;

LoopMaps leaf::codegen::getLoopMaps(Operation *op) {
  LoopMaps result;
  if (auto contract = dyn_cast<ContractOp>(op)) {
    for (auto [i, operand] : llvm::enumerate(contract.getOperands())) {
      result.operands.push_back(operand);
      result.maps.push_back(contract.getMap(i));
    }
    for (unsigned loop = 0; loop < contract.getNumLoops(); ++loop)
      result.reduction.push_back(contract.isReduction(loop));
    return result;
  }
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
    for (OpOperand &operand : op->getOpOperands()) {
      result.operands.push_back(operand.get());
      result.maps.push_back(linalgOp.getMatchingIndexingMap(&operand));
    }
    for (utils::IteratorType kind : linalgOp.getIteratorTypesArray())
      result.reduction.push_back(kind == utils::IteratorType::reduction);
    return result;
  }
  auto concat = cast<ConcatOp>(op);
  int64_t rank = cast<ShapedType>(concat.getOut().getType()).getRank();
  result.operands.push_back(concat.getOut());
  result.maps.push_back(AffineMap::getMultiDimIdentityMap(rank, op->getContext()));
  result.reduction.assign(rank, false);
  return result;
}

KernelShapes::KernelShapes(plan::KernelOp kernel) {
  Block &body = kernel.getBody().front();
  auto addTensor = [&](Value value) {
    if (auto type = dyn_cast<RankedTensorType>(value.getType()))
      for (unsigned d = 0; d < type.getRank(); ++d)
        node(value, d);
  };
  for (Value argument : body.getArguments())
    addTensor(argument);
  for (Operation &op : body)
    for (Value result : op.getResults())
      addTensor(result);
  for (Operation &op : body.without_terminator()) {
    uniteSizes(&op);
    if (isa<linalg::LinalgOp, ContractOp, ConcatOp>(op))
      uniteLoops(&op);
  }
  // Kernel arguments come first in the list, so that they give a class its size where they can.
  for (unsigned id = 0; id < nodeList.size(); ++id) {
    auto [value, dim] = nodeList[id];
    unsigned leader = equal.getLeaderValue(id);
    auto [found, isNew] = classOfNode.try_emplace(leader, classes.size());
    if (isNew)
      classes.emplace_back();
    Class &entry = classes[found->second];
    int64_t size = cast<ShapedType>(value.getType()).getDimSize(dim);
    if (!ShapedType::isDynamic(size))
      entry.size = size;
    if (auto argument = dyn_cast<BlockArgument>(value); argument && entry.argument < 0) {
      entry.argument = argument.getArgNumber();
      entry.dim = dim;
    }
    if (auto empty = value.getDefiningOp<tensor::EmptyOp>(); empty && empty.getType().isDynamicDim(dim) && !entry.value)
      entry.value = empty.getDynamicSize(dim);
  }
}

unsigned KernelShapes::node(Value tensor, unsigned dim) {
  auto [found, isNew] = nodes.try_emplace({tensor, dim}, nodeList.size());
  if (isNew) {
    nodeList.push_back({tensor, dim});
    equal.insert(found->second);
  }
  return found->second;
}

unsigned KernelShapes::classOf(Value tensor, unsigned dim) {
  return classOfNode.lookup(equal.getLeaderValue(nodes.lookup({tensor, dim})));
}

/// Operand and dimension that give the extent of `loop`; the destination is asked first.
static std::pair<Value, unsigned> findExtent(const LoopMaps &loops, unsigned loop) {
  for (int i = static_cast<int>(loops.operands.size()) - 1; i >= 0; --i)
    for (auto [position, expr] : llvm::enumerate(loops.maps[i].getResults()))
      if (auto dim = dyn_cast<AffineDimExpr>(expr); dim && dim.getPosition() == loop)
        return {loops.operands[i], position};
  return {};
}

unsigned KernelShapes::classOfLoop(Operation *op, unsigned loop) {
  auto [operand, dim] = findExtent(getLoopMaps(op), loop);
  return classOf(operand, dim);
}

void KernelShapes::uniteLoops(Operation *op) {
  LoopMaps loops = getLoopMaps(op);
  for (auto [operand, map] : llvm::zip(loops.operands, loops.maps))
    for (auto [position, expr] : llvm::enumerate(map.getResults())) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim)
        continue;
      auto [source, sourceDim] = findExtent(loops, dim.getPosition());
      int64_t size = cast<ShapedType>(operand.getType()).getDimSize(position);
      int64_t extent = cast<ShapedType>(source.getType()).getDimSize(sourceDim);
      // A contraction may read a part of a larger buffer; only equal sizes are one class.
      if (size == extent || ShapedType::isDynamic(size) || ShapedType::isDynamic(extent))
        equal.unionSets(node(operand, position), node(source, sourceDim));
    }
  if (auto concat = dyn_cast<ConcatOp>(op)) {
    int64_t rank = cast<ShapedType>(concat.getOut().getType()).getRank();
    for (Value input : concat.getInputs())
      for (int64_t d = 0; d < rank; ++d)
        if (d != static_cast<int64_t>(concat.getDim()))
          equal.unionSets(node(input, d), node(concat.getOut(), d));
  }
}

void KernelShapes::uniteSizes(Operation *op) {
  if (auto destination = dyn_cast<DestinationStyleOpInterface>(op)) {
    for (OpOperand &init : destination.getDpsInitsMutable())
      if (auto type = dyn_cast<RankedTensorType>(init.get().getType()))
        for (unsigned d = 0; d < type.getRank(); ++d)
          equal.unionSets(node(init.get(), d), node(destination.getTiedOpResult(&init), d));
    return;
  }
  auto empty = dyn_cast<tensor::EmptyOp>(op);
  if (!empty)
    return;
  for (unsigned d = 0; d < empty.getType().getRank(); ++d) {
    if (!empty.getType().isDynamicDim(d))
      continue;
    auto dim = empty.getDynamicSize(d).getDefiningOp<tensor::DimOp>();
    if (std::optional<int64_t> position = dim ? dim.getConstantIndex() : std::nullopt)
      equal.unionSets(node(empty.getResult(), d), node(dim.getSource(), *position));
  }
}
