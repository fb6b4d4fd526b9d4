//===- ForallEmitter.cpp - bodies of leaf.forall ------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ForallEmitter.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::codegen;

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

namespace {
/// Whether iterations of a loop may be lanes: elementwise code on neighbours in memory, which no two iterations share.
class VectorLoop {
public:
  VectorLoop(const KernelBuilder &kb, scf::ForOp loop, const DenseMap<Value, const Buffer *> &bufferOf)
      : kb(kb), loop(loop), bufferOf(bufferOf) {}

  /// Lanes of a native vector, or 1.
  int64_t getLanes();

private:
  bool visit(Operation &op);
  bool visitAccess(Value memref, ValueRange indices, bool isStore);
  bool isUniform(Value value) const { return !varying.contains(value); }
  bool takes(Type type);
  bool takesOperand(Type type) { return type.isInteger(1) || takes(type); }

  const KernelBuilder &kb;
  scf::ForOp loop;
  const DenseMap<Value, const Buffer *> &bufferOf;
  DenseSet<Value> varying;
  unsigned bits = 0;
  DenseMap<Value, ValueRange> stored; ///< where stores of a buffer go
  SmallVector<std::pair<Value, ValueRange>> loaded;
};
} // namespace

int64_t VectorLoop::getLanes() {
  if (kb.target.vectorBytes == 0 || loop.getNumResults() || !isConstantIntValue(loop.getStep(), 1))
    return 1;
  varying.insert(loop.getInductionVar());
  for (Operation &op : loop.getBody()->without_terminator())
    if (!visit(op))
      return 1;
  // A buffer that is written may be read only where it is written.
  for (auto [memref, indices] : loaded)
    if (auto found = stored.find(memref); found != stored.end() && !llvm::equal(found->second, indices))
      return 1;
  std::optional<int64_t> upper = getConstantIntValue(loop.getUpperBound());
  int64_t lanes = stored.empty() ? 1 : kb.target.lanes(bits);
  return upper && *upper < lanes ? 1 : lanes;
}

/// All vectors have as many bits.
bool VectorLoop::takes(Type type) {
  if (!type.isIntOrFloat() || type.isInteger(1))
    return false;
  unsigned width = type.getIntOrFloatBitWidth();
  if (width % 8 || (bits && bits != width))
    return false;
  bits = width;
  return true;
}

bool VectorLoop::visitAccess(Value memref, ValueRange indices, bool isStore) {
  const Buffer *buffer = bufferOf.lookup(memref);
  bool isContiguous = !indices.empty() && indices.back() == loop.getInductionVar() &&
                      llvm::all_of(indices.drop_back(), [&](Value v) { return isUniform(v); });
  if (!buffer || buffer->scalar || !isContiguous || !buffer->strides.back().is(1) || !takes(buffer->element))
    return false;
  if (!isStore)
    loaded.push_back({memref, indices});
  return !isStore || llvm::equal(stored.try_emplace(memref, indices).first->second, indices);
}

bool VectorLoop::visit(Operation &op) {
  if (auto store = dyn_cast<memref::StoreOp>(op))
    return visitAccess(store.getMemRef(), store.getIndices(), true);
  bool uniform = llvm::all_of(op.getOperands(), [&](Value v) { return isUniform(v); });
  if (op.getNumRegions() || (uniform && isa<memref::LoadOp>(op)))
    return false;
  if (uniform)
    return isMemoryEffectFree(&op);
  varying.insert(op.result_begin(), op.result_end());
  if (auto load = dyn_cast<memref::LoadOp>(op))
    return visitAccess(load.getMemRef(), load.getIndices(), false);
  bool isElementwise = isMemoryEffectFree(&op) && OpTrait::hasElementwiseMappableTraits(&op) && op.getNumResults() == 1;
  return isElementwise && llvm::all_of(op.getOperands(), [&](Value v) { return takesOperand(v.getType()); }) &&
         takesOperand(op.getResult(0).getType());
}

void ForallEmitter::cloneVectorOp(Operation &op, int64_t lanes) {
  auto vectorOf = [&](Value value) { return kb.splat(mapping.lookupOrDefault(value), lanes); };
  if (auto load = dyn_cast<memref::LoadOp>(op)) {
    const Buffer *buffer = bufferOf.lookup(load.getMemRef());
    mapping.map(load.getResult(), kb.load(*buffer, address(*buffer, load.getIndices()), lanes));
  } else if (auto store = dyn_cast<memref::StoreOp>(op)) {
    const Buffer *buffer = bufferOf.lookup(store.getMemRef());
    kb.store(vectorOf(store.getValue()), *buffer, address(*buffer, store.getIndices()));
  } else if (llvm::none_of(op.getOperands(),
                           [&](Value v) { return isa<VectorType>(mapping.lookupOrDefault(v).getType()); })) {
    kb.b.clone(op, mapping);
  } else {
    SmallVector<Value> operands = llvm::map_to_vector(op.getOperands(), vectorOf);
    OperationState state(kb.loc, op.getName(), operands, KernelBuilder::spread(op.getResult(0).getType(), lanes),
                         op.getAttrs());
    mapping.map(op.getResult(0), kb.b.create(state)->getResult(0));
  }
}

/// Whole vectors, then the rest one by one.
LogicalResult ForallEmitter::cloneVectorLoop(scf::ForOp loop, int64_t lanes) {
  Value lower = mapping.lookupOrDefault(loop.getLowerBound()), upper = mapping.lookupOrDefault(loop.getUpperBound());
  Value count = arith::MaxSIOp::create(kb.b, kb.loc, arith::SubIOp::create(kb.b, kb.loc, upper, lower), kb.index(0));
  Value whole =
      arith::SubIOp::create(kb.b, kb.loc, count, arith::RemUIOp::create(kb.b, kb.loc, count, kb.index(lanes)));
  Value middle = kb.add(lower, whole);
  kb.loop(lower, middle, lanes, [&](Value i) {
    mapping.map(loop.getInductionVar(), i);
    for (Operation &op : loop.getBody()->without_terminator())
      cloneVectorOp(op, lanes);
  });
  LogicalResult result = success();
  kb.loop(middle, upper, 1, [&](Value i) {
    mapping.map(loop.getInductionVar(), i);
    for (Operation &op : loop.getBody()->without_terminator())
      if (failed(cloneOp(op)))
        result = failure();
  });
  return result;
}

//===----------------------------------------------------------------------===//
// The body
//===----------------------------------------------------------------------===//

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
  if (auto loop = dyn_cast<scf::ForOp>(inner))
    if (int64_t lanes = VectorLoop(kb, loop, bufferOf).getLanes(); lanes > 1)
      return cloneVectorLoop(loop, lanes);
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
