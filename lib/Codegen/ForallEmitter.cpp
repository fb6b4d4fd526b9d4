//===- ForallEmitter.cpp - bodies of leaf.forall ------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ForallEmitter.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::codegen;

ForallEmitter::ForallEmitter(KernelBuilder &kb, ForallOp op, ArrayRef<const Buffer *> buffers) : kb(kb), op(op) {
  for (auto [argument, buffer] : llvm::zip_equal(op.getBuffers(), buffers))
    bufferOf[argument] = buffer;
}

LogicalResult ForallEmitter::emit(ArrayRef<Value> point) {
  SetVector<Value> captured;
  getUsedValuesDefinedAbove(op.getBody(), captured);
  for (Value value : captured)
    mapping.map(value, kb.captured->lookupOrDefault(value));
  for (auto [argument, value] : llvm::zip_equal(op.getPoint(), point))
    mapping.map(argument, value);
  return cloneBlock(op.getBody().front());
}

LogicalResult ForallEmitter::cloneBlock(Block &block) {
  for (Operation &inner : block)
    if (!isa<leaf::YieldOp>(inner) && failed(cloneOp(inner)))
      return failure();
  return success();
}

Value ForallEmitter::address(const Buffer &buffer, ValueRange indices) {
  Value sum;
  for (auto [index, stride] : llvm::zip_equal(indices, buffer.strides))
    sum = kb.add(sum, kb.mul(mapping.lookupOrDefault(index), stride));
  return sum ? sum : kb.index(0);
}

LogicalResult ForallEmitter::cloneOp(Operation &inner) {
  if (auto load = dyn_cast<memref::LoadOp>(inner)) {
    const Buffer *buffer = bufferOf.lookup(load.getMemRef());
    mapping.map(load.getResult(), kb.load(*buffer, address(*buffer, load.getIndices()), 1));
    return success();
  }
  if (auto store = dyn_cast<memref::StoreOp>(inner)) {
    const Buffer *buffer = bufferOf.lookup(store.getMemRef());
    kb.store(mapping.lookupOrDefault(store.getValue()), *buffer, address(*buffer, store.getIndices()));
    return success();
  }
  if (auto dim = dyn_cast<memref::DimOp>(inner)) {
    std::optional<int64_t> position = dim.getConstantIndex();
    if (!position)
      return inner.emitOpError("asks for a dimension that is not constant");
    mapping.map(dim.getResult(), kb.sizeValue(bufferOf.lookup(dim.getSource())->sizes[*position]));
    return success();
  }
  if (inner.getNumRegions())
    return cloneRegions(inner);
  kb.b.clone(inner, mapping);
  return success();
}

LogicalResult ForallEmitter::cloneRegions(Operation &inner) {
  Operation *copy = inner.cloneWithoutRegions(mapping);
  kb.b.insert(copy);
  for (auto [from, to] : llvm::zip(inner.getRegions(), copy->getRegions())) {
    if (from.empty())
      continue;
    Block &block = to.emplaceBlock();
    for (BlockArgument argument : from.getArguments())
      mapping.map(argument, block.addArgument(argument.getType(), argument.getLoc()));
    OpBuilder::InsertionGuard guard(kb.b);
    kb.b.setInsertionPointToEnd(&block);
    if (failed(cloneBlock(from.front())))
      return failure();
  }
  return success();
}
