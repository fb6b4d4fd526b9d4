//===- RowChain.cpp - two contractions and the rows between them -------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "RowChain.h"

#include "leafcutter/Support/ElementTypes.h"

#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace leaf;

/// Tensors between the contractions that have fewer bytes stay in the cache as a whole.
static constexpr int64_t kLeastBytes = 256 * 1024;
/// Ops between the contractions.
static constexpr size_t kMaxGenerics = 16;

/// Whether the first `count` results of `map` are the first loops.
static bool startsWithLoops(ContractOp op, AffineMap map, unsigned count) {
  if (map.getNumResults() < count)
    return false;
  for (unsigned i = 0; i < count; ++i)
    if (op.isReduction(i) || map.getResult(i) != getAffineDimExpr(i, op.getContext()))
      return false;
  return true;
}

/// Whether `value` depends on an input of the model. Weights would be read again for each block of rows.
static bool isComputed(Value value) {
  constexpr size_t mostOps = 64;
  llvm::SmallSetVector<Operation *, 16> work;
  auto visit = [&](Value operand) { return !operand.getDefiningOp() || (work.insert(operand.getDefiningOp()), false); };
  if (visit(value))
    return true;
  for (size_t i = 0; i < work.size(); ++i) {
    SetVector<Value> read(work[i]->operand_begin(), work[i]->operand_end());
    getUsedValuesDefinedAbove(work[i]->getRegions(), read);
    if (work.size() > mostOps || llvm::any_of(read, visit))
      return true;
  }
  return false;
}

/// Whether rows meet an rhs as queries meet keys and values.
static bool hasComputedRhs(ContractOp op, unsigned rowLoop) {
  return !op.getWinograd() && !op.getRhsMap().isFunctionOfDim(rowLoop) && isComputed(op.getRhs());
}

/// The loops of `op` that select the first `count` dimensions of an operand with `map`, or nothing where one is not
/// plain.
static std::optional<SmallVector<unsigned>> getRows(linalg::GenericOp op, AffineMap map, unsigned count) {
  SmallVector<unsigned> rows;
  if (map.getNumResults() < count)
    return std::nullopt;
  for (AffineExpr expr : map.getResults().take_front(count)) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim || op.getIteratorTypesArray()[dim.getPosition()] != utils::IteratorType::parallel)
      return std::nullopt;
    rows.push_back(dim.getPosition());
  }
  return rows;
}

namespace {
/// Collects what lies between a contraction and one before it.
class ChainFinder {
public:
  explicit ChainFinder(ContractOp consumer) : consumer(consumer) {}

  std::optional<RowChain> run();

private:
  bool leadsToProducer(Value value);
  bool hasNoOtherUse(Operation *op);
  bool addRows(linalg::GenericOp op);

  ContractOp consumer;
  RowChain chain;
  llvm::SetVector<Operation *> members; ///< generics
  llvm::DenseMap<Operation *, bool> leads;
  bool isWrong = false;
};
} // namespace

/// Whether `value` is computed from the producer, which is found on the way, by generics that become members.
bool ChainFinder::leadsToProducer(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != consumer->getBlock())
    return false;
  if (auto contract = dyn_cast<ContractOp>(op)) {
    auto type = cast<RankedTensorType>(contract.getResult().getType());
    if (type.getRank() != static_cast<int64_t>(chain.numRows) + 1)
      return false;
    isWrong |= chain.producer && chain.producer != contract;
    chain.producer = contract;
    return true;
  }
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic || generic.getNumResults() != 1)
    return false;
  if (auto found = leads.find(op); found != leads.end())
    return found->second;
  if (leads.size() >= kMaxGenerics)
    return false;
  leads[op] = false;
  bool result = false;
  for (Value input : generic.getDpsInputs())
    result |= isa<RankedTensorType>(input.getType()) && leadsToProducer(input);
  if (result)
    members.insert(op);
  return leads[op] = result;
}

bool ChainFinder::hasNoOtherUse(Operation *op) {
  return llvm::all_of(op->getUses(), [&](OpOperand &use) {
    if (use.getOwner() == consumer)
      return use.getOperandNumber() == 0; // lhs
    auto generic = dyn_cast<linalg::GenericOp>(use.getOwner());
    return generic && members.contains(use.getOwner()) && generic.isDpsInput(&use);
  });
}

/// The row loops of a member, the same for each tensor between; false where they are not.
bool ChainFinder::addRows(linalg::GenericOp op) {
  AffineMap out = op.getIndexingMapMatchingResult(cast<OpResult>(op.getResult(0)));
  std::optional<SmallVector<unsigned>> rows = getRows(op, out, chain.numRows);
  if (!rows || !out.isProjectedPermutation())
    return false;
  for (OpOperand *input : op.getDpsInputOperands()) {
    Operation *from = input->get().getDefiningOp();
    bool isBetween = from && (from == chain.producer || members.contains(from));
    if (isBetween && getRows(op, op.getMatchingIndexingMap(input), chain.numRows) != rows)
      return false;
  }
  SetVector<Value> captured;
  getUsedValuesDefinedAbove(op.getRegion(), captured);
  for (Value value : captured)
    if (Operation *from = value.getDefiningOp(); from && (from == chain.producer || members.contains(from)))
      return false;
  chain.generics.push_back(op);
  chain.rowLoops.push_back(std::move(*rows));
  return true;
}

std::optional<RowChain> ChainFinder::run() {
  auto type = dyn_cast<RankedTensorType>(consumer.getLhs().getType());
  if (!type || !type.hasStaticShape() || type.getRank() < 2 || getBytes(type) < kLeastBytes)
    return std::nullopt;
  chain.consumer = consumer;
  chain.numRows = type.getRank() - 1;
  unsigned row = chain.numRows - 1;
  if (!startsWithLoops(consumer, consumer.getLhsMap(), chain.numRows) || !hasComputedRhs(consumer, row) ||
      !consumer.getOutMap().isProjectedPermutation() || !leadsToProducer(consumer.getLhs()) || isWrong ||
      members.empty())
    return std::nullopt;
  ContractOp producer = chain.producer;
  if (!startsWithLoops(producer, producer.getOutMap(), chain.numRows + 1) || !hasComputedRhs(producer, row) ||
      chain.getShape() != type.getShape() || !hasNoOtherUse(producer))
    return std::nullopt;
  bool reduces = false;
  SmallVector<Operation *> ordered(members.getArrayRef());
  llvm::sort(ordered, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  for (Operation *op : ordered) {
    reduces |= cast<linalg::GenericOp>(op).getNumReductionLoops() > 0;
    if (!hasNoOtherUse(op) || !addRows(cast<linalg::GenericOp>(op)))
      return std::nullopt;
  }
  return reduces ? std::optional<RowChain>(chain) : std::nullopt;
}

std::optional<RowChain> leaf::findRowChain(ContractOp consumer) { return ChainFinder(consumer).run(); }
