//===- KernelGroups.cpp - which ops become one kernel ------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "KernelGroups.h"
#include "Leaf/Sparse.h"
#include "RowChain.h"
#include "leafcutter/Support/ElementTypes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace leaf;

/// A group of one row only has nothing to run in parallel: it may hold this many elements per op at most.
static constexpr int64_t kMaxSingleRow = 1 << 16;

bool leaf::isComputeOp(Operation *op) { return isa<linalg::GenericOp, ContractOp, ConcatOp, ForallOp>(op); }

namespace {
using Rows = SmallVector<unsigned>;

/// A row group while it grows.
struct RowGroup {
  llvm::MapVector<Operation *, Rows> members; ///< op -> its loops that select the row
  unsigned numRows = 0;                       ///< number of such loops
};

class GroupFinder {
public:
  explicit GroupFinder(Block &block) : block(block) {}
  SmallVector<KernelGroup> run();

private:
  std::optional<RowGroup> findRowGroup(linalg::GenericOp seed);
  RowGroup grow(linalg::GenericOp seed, const Rows &rows);
  std::optional<std::pair<Operation *, Rows>> findNext(const RowGroup &group);
  std::optional<Rows> align(const RowGroup &group, linalg::GenericOp op);
  ContractOp findRowProducer(ContractOp consumer);
  std::optional<KernelGroup> findAttention(ContractOp consumer);
  bool staysConvex(const RowGroup &group, Operation *added);
  bool isFree(Operation *op) const { return op && op->getBlock() == &block && !groupOf.count(op); }

  Block &block;
  SmallVector<KernelGroup> groups;
  llvm::DenseMap<Operation *, unsigned> groupOf;
};
} // namespace

//===----------------------------------------------------------------------===//
// Rows of one op
//===----------------------------------------------------------------------===//

/// The loops that select the first `count` dimensions of an operand with this map, or nothing where one is no plain
/// parallel loop.
static std::optional<Rows> getLeadingLoops(linalg::GenericOp op, AffineMap map, unsigned count) {
  if (map.getNumResults() < count)
    return std::nullopt;
  Rows rows;
  for (AffineExpr expr : map.getResults().take_front(count)) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim || !linalg::isParallelIterator(op.getIteratorTypesArray()[dim.getPosition()]) ||
        llvm::is_contained(rows, dim.getPosition()))
      return std::nullopt;
    rows.push_back(dim.getPosition());
  }
  return rows;
}

/// False where the op has loops inside of a row but some operand runs along the rows innermost: an outer loop over rows
/// would take the contiguous dimension away from it.
static bool keepsInnermost(linalg::GenericOp op, const Rows &rows) {
  if (op.getNumLoops() == rows.size())
    return true;
  for (AffineMap map : op.getIndexingMapsArray()) {
    if (map.getNumResults() == 0)
      continue;
    bool insideRow = false;
    for (unsigned loop = 0; loop < map.getNumDims(); ++loop)
      insideRow |= map.isFunctionOfDim(loop) && !llvm::is_contained(rows, loop);
    auto last = dyn_cast<AffineDimExpr>(map.getResults().back());
    if (insideRow && last && llvm::is_contained(rows, last.getPosition()))
      return false;
  }
  return true;
}

/// Elements that the op visits, or -1.
static int64_t getNumIterations(linalg::GenericOp op, ArrayRef<unsigned> loops) {
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  int64_t product = 1;
  for (unsigned loop : loops) {
    if (ShapedType::isDynamic(ranges[loop]))
      return -1;
    product *= ranges[loop];
  }
  return product;
}

static bool isWorthARow(linalg::GenericOp op, const Rows &rows) {
  return getNumIterations(op, rows) != 1 ||
         getNumIterations(op, llvm::to_vector(llvm::seq<unsigned>(0, op.getNumLoops()))) <= kMaxSingleRow;
}

//===----------------------------------------------------------------------===//
// Growing
//===----------------------------------------------------------------------===//

/// The loops of `op` that select the group's rows: the same for each tensor between the two.
std::optional<Rows> GroupFinder::align(const RowGroup &group, linalg::GenericOp op) {
  std::optional<Rows> rows;
  auto agree = [&](std::optional<Rows> found) {
    if (!found || (rows && *rows != *found))
      return false;
    rows = found;
    return true;
  };
  for (OpOperand *input : op.getDpsInputOperands()) {
    auto producer = input->get().getDefiningOp<linalg::GenericOp>();
    if (!producer || !group.members.count(producer))
      continue;
    AffineMap written = producer.getIndexingMapMatchingResult(cast<OpResult>(input->get()));
    if (getLeadingLoops(producer, written, group.numRows) != group.members.find(producer)->second ||
        !agree(getLeadingLoops(op, op.getMatchingIndexingMap(input), group.numRows)))
      return std::nullopt;
  }
  for (OpResult result : op->getResults())
    for (OpOperand &use : result.getUses()) {
      Operation *user = block.findAncestorOpInBlock(*use.getOwner());
      if (!group.members.count(user))
        continue;
      auto consumer = dyn_cast<linalg::GenericOp>(use.getOwner());
      if (!consumer || !consumer.isDpsInput(&use) ||
          getLeadingLoops(consumer, consumer.getMatchingIndexingMap(&use), group.numRows) !=
              group.members.find(user)->second ||
          !agree(getLeadingLoops(op, op.getIndexingMapMatchingResult(result), group.numRows)))
        return std::nullopt;
    }
  // What a body reads by index may lie in another row.
  SetVector<Value> captured;
  getUsedValuesDefinedAbove(op.getRegion(), captured);
  for (Value value : captured)
    if (value.getDefiningOp() && group.members.count(value.getDefiningOp()))
      return std::nullopt;
  if (rows && (!keepsInnermost(op, *rows) || !isWorthARow(op, *rows)))
    return std::nullopt;
  return rows;
}

/// True when no path leads from the group with `added` out and back in; groups found so far count as one op each.
bool GroupFinder::staysConvex(const RowGroup &group, Operation *added) {
  auto isMember = [&](Operation *op) { return op == added || group.members.count(op); };
  SmallVector<Operation *> work;
  llvm::DenseSet<Operation *> seen;
  auto visitUsers = [&](Operation *op, bool fromMember) {
    for (Operation *nested : op->getUsers()) {
      Operation *user = block.findAncestorOpInBlock(*nested);
      if (!user || (fromMember && isMember(user)))
        continue;
      if (isMember(user))
        return false;
      if (seen.insert(user).second)
        work.push_back(user);
    }
    return true;
  };
  for (auto &[member, rows] : group.members)
    if (!visitUsers(member, true))
      return false;
  if (!visitUsers(added, true))
    return false;
  while (!work.empty()) {
    Operation *op = work.pop_back_val();
    if (auto found = groupOf.find(op); found != groupOf.end())
      for (Operation *other : groups[found->second].ops)
        if (seen.insert(other).second)
          work.push_back(other);
    if (!visitUsers(op, false))
      return false;
  }
  return true;
}

/// A generic that reads or is read by a member and fits into the group, with its row loops.
std::optional<std::pair<Operation *, Rows>> GroupFinder::findNext(const RowGroup &group) {
  for (auto &[member, memberRows] : group.members) {
    SmallVector<Operation *> neighbors(member->getUsers());
    for (Value operand : member->getOperands())
      neighbors.push_back(operand.getDefiningOp());
    for (Operation *neighbor : neighbors) {
      auto op = dyn_cast_or_null<linalg::GenericOp>(neighbor);
      if (!op || !isFree(op) || group.members.count(op))
        continue;
      std::optional<Rows> rows = align(group, op);
      if (rows && staysConvex(group, op))
        return std::make_pair(neighbor, *rows);
    }
  }
  return std::nullopt;
}

RowGroup GroupFinder::grow(linalg::GenericOp seed, const Rows &rows) {
  RowGroup group;
  group.numRows = rows.size();
  group.members[seed] = rows;
  while (auto next = findNext(group))
    group.members.insert(*next);
  return group;
}

/// The largest row group around a reduction; of equal ones that with most rows.
std::optional<RowGroup> GroupFinder::findRowGroup(linalg::GenericOp seed) {
  if (seed.getNumReductionLoops() == 0 || seed.getNumResults() != 1)
    return std::nullopt;
  AffineMap out = seed.getIndexingMapMatchingResult(cast<OpResult>(seed.getResult(0)));
  std::optional<RowGroup> best;
  for (unsigned count = out.getNumResults(); count > 0; --count) {
    std::optional<Rows> rows = getLeadingLoops(seed, out, count);
    if (!rows || !keepsInnermost(seed, *rows) || !isWorthARow(seed, *rows))
      continue;
    RowGroup group = grow(seed, *rows);
    if (group.members.size() > 1 && (!best || group.members.size() > best->members.size()))
      best = std::move(group);
  }
  return best;
}

//===----------------------------------------------------------------------===//
// Rows of two contractions
//===----------------------------------------------------------------------===//

/// -1 where a size is dynamic.
static int64_t getStaticBytes(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  return type.hasStaticShape() ? getBytes(type) : -1;
}

/// True where the first two results of `map` are the first two loops; loops of one iteration may be added to them.
static bool startsWithRows(ContractOp op, AffineMap map) {
  if (map.getNumResults() < 3 || op.isReduction(0) || op.isReduction(1))
    return false;
  for (unsigned row = 0; row < 2; ++row) {
    AffineExpr rest = map.getResult(row);
    for (unsigned loop = 2; loop < op.getNumLoops(); ++loop)
      if (op.getStaticLoopExtent(loop) == 1)
        rest = rest.replace(getAffineDimExpr(loop, op.getContext()), getAffineConstantExpr(0, op.getContext()));
    if (rest != getAffineDimExpr(row, op.getContext()))
      return false;
  }
  return true;
}

/// A convolution that `consumer` alone reads, row by row (a depthwise one before a pointwise one), where rows of its
/// result stay in the cache and the whole would not: null if there is none. Both read their weights again for each row,
/// so that these must be few and rows long.
ContractOp GroupFinder::findRowProducer(ContractOp consumer) {
  constexpr int64_t leastBytes = 512 * 1024, mostWeights = 128 * 1024, leastPixels = 28;
  auto producer = consumer.getLhs().getDefiningOp<ContractOp>();
  if (!producer || !isFree(producer) || !producer->hasOneUse() || producer.getWinograd() || consumer.getWinograd() ||
      getSparseBlock(producer) || getSparseBlock(consumer))
    return {};
  auto rows = cast<RankedTensorType>(producer.getResult().getType());
  bool aligned = startsWithRows(producer, producer.getOutMap()) && startsWithRows(consumer, consumer.getLhsMap()) &&
                 startsWithRows(consumer, consumer.getOutMap());
  auto isFew = [&](Value weights) { return getStaticBytes(weights) >= 0 && getStaticBytes(weights) <= mostWeights; };
  return aligned && rows.getRank() == 4 && getStaticBytes(producer.getResult()) >= leastBytes &&
                 rows.getDimSize(2) >= leastPixels && isFew(producer.getRhs()) && isFew(consumer.getRhs())
             ? producer
             : ContractOp();
}

/// A chain of rows that ends with `consumer`, for one block of rows after the other (leaf-tile-attention has made the
/// last loop of rows a short one where that is good).
std::optional<KernelGroup> GroupFinder::findAttention(ContractOp consumer) {
  std::optional<RowChain> chain = findRowChain(consumer);
  if (!chain || chain->numRows < 2 || !isFree(chain->producer))
    return std::nullopt;
  RowGroup members;
  members.members[chain->producer] = {};
  KernelGroup group;
  group.sharedLoops = chain->numRows - 1;
  auto add = [&](Operation *op, Rows rows) {
    group.ops.push_back(op);
    group.rowLoops.push_back(std::move(rows));
  };
  Rows first = llvm::to_vector(llvm::seq<unsigned>(0, chain->numRows));
  add(chain->producer, first);
  for (auto [generic, rows] : llvm::zip(chain->generics, chain->rowLoops)) {
    if (!isFree(generic))
      return std::nullopt;
    members.members[generic] = rows;
    add(generic, rows);
  }
  add(consumer, first);
  return staysConvex(members, consumer) ? std::optional<KernelGroup>(std::move(group)) : std::nullopt;
}

SmallVector<KernelGroup> GroupFinder::run() {
  auto add = [&](KernelGroup group) {
    for (Operation *op : group.ops)
      groupOf[op] = groups.size();
    groups.push_back(std::move(group));
  };
  for (auto consumer : block.getOps<ContractOp>())
    if (std::optional<KernelGroup> group = findAttention(consumer))
      add(std::move(*group));
  for (Operation &op : block) {
    auto generic = dyn_cast<linalg::GenericOp>(op);
    if (!generic || !isFree(&op))
      continue;
    std::optional<RowGroup> found = findRowGroup(generic);
    if (!found)
      continue;
    auto members = found->members.takeVector();
    llvm::sort(members, [](auto &a, auto &b) { return a.first->isBeforeInBlock(b.first); });
    KernelGroup group;
    group.sharedLoops = found->numRows;
    for (auto &[member, rows] : members) {
      group.ops.push_back(member);
      group.rowLoops.push_back(rows);
    }
    add(std::move(group));
  }
  for (auto consumer : block.getOps<ContractOp>())
    if (ContractOp producer = isFree(consumer) ? findRowProducer(consumer) : ContractOp())
      add({{producer, consumer}, 2, {{0, 1}, {0, 1}}});
  for (Operation &op : block)
    if (isComputeOp(&op) && isFree(&op))
      add({{&op}, 0, {}});
  llvm::sort(groups,
             [](const KernelGroup &a, const KernelGroup &b) { return a.ops.back()->isBeforeInBlock(b.ops.back()); });
  return std::move(groups);
}

SmallVector<KernelGroup> leaf::findKernelGroups(Block &block) { return GroupFinder(block).run(); }

void leaf::putSharedLoopsFirst(const KernelGroup &group) {
  for (auto [op, rows] : llvm::zip(group.ops, group.rowLoops)) {
    auto generic = dyn_cast<linalg::GenericOp>(op);
    if (!generic)
      continue; // contractions are grouped where they have this order
    SmallVector<unsigned> order(rows);
    for (unsigned loop = 0; loop < generic.getNumLoops(); ++loop)
      if (!llvm::is_contained(rows, loop))
        order.push_back(loop);
    if (llvm::is_sorted(order))
      continue;
    IRRewriter rewriter(op->getContext());
    rewriter.setInsertionPoint(op);
    [[maybe_unused]] FailureOr<linalg::GenericOp> done = linalg::interchangeGenericOp(rewriter, generic, order);
    assert(succeeded(done) && *done == generic && "interchange works in place");
  }
}
