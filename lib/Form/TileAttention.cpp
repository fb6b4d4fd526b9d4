//===- TileAttention.cpp - rows of attention in blocks ------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "RowChain.h"
#include "leafcutter/Form/Passes.h"
#include "leafcutter/Support/ElementTypes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace leaf {
#define GEN_PASS_DEF_TILEATTENTION
#include "leafcutter/Form/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

namespace {
/// Splits the loop of rows of all ops of a chain in two: the block, and the row in it.
class RowSplitter {
public:
  RowSplitter(RowChain chain, int64_t rows) : chain(std::move(chain)), rows(rows) {}

  void run() {
    ContractOp producer = chain.producer;
    Value scores = rebuild(producer, chain.numRows - 1);
    replaced[producer.getResult()] = scores;
    for (auto [generic, loops] : llvm::zip(chain.generics, chain.rowLoops))
      rebuild(generic, loops.back());
    finish(chain.consumer, rebuild(chain.consumer, chain.numRows - 1));
    for (linalg::GenericOp generic : llvm::reverse(chain.generics))
      generic.erase();
    producer.erase();
  }

private:
  bool isBetween(Value value) const { return replaced.count(value); }
  AffineMap splitMap(AffineMap map, unsigned loop, bool isBlocked);
  RankedTensorType splitType(RankedTensorType type, unsigned dim) const;
  Value splitInit(OpBuilder &b, Value init, RankedTensorType type);
  Value rebuild(ContractOp op, unsigned loop);
  void rebuild(linalg::GenericOp op, unsigned loop);
  void finish(ContractOp op, Value result);

  RowChain chain;
  int64_t rows; ///< of a block
  llvm::DenseMap<Value, Value> replaced;
};
} // namespace

/// `map` over loops of which `loop` is now two. A tensor between the contractions has two dimensions as well; any other
/// one is read where it was.
AffineMap RowSplitter::splitMap(AffineMap map, unsigned loop, bool isBlocked) {
  MLIRContext *context = map.getContext();
  AffineExpr block = getAffineDimExpr(loop, context), row = getAffineDimExpr(loop + 1, context);
  SmallVector<AffineExpr> dims;
  for (unsigned i = 0; i < map.getNumDims(); ++i)
    dims.push_back(i == loop ? block * rows + row : getAffineDimExpr(i > loop ? i + 1 : i, context));
  SmallVector<AffineExpr> results;
  for (AffineExpr expr : map.getResults()) {
    if (isBlocked && expr == getAffineDimExpr(loop, context))
      results.append({block, row});
    else
      results.push_back(expr.replaceDims(dims));
  }
  return AffineMap::get(map.getNumDims() + 1, 0, results, context);
}

RankedTensorType RowSplitter::splitType(RankedTensorType type, unsigned dim) const {
  SmallVector<int64_t> shape(type.getShape());
  shape[dim] /= rows;
  shape.insert(shape.begin() + dim + 1, rows);
  return RankedTensorType::get(shape, type.getElementType());
}

/// An empty tensor of `type`, filled if `init` is.
Value RowSplitter::splitInit(OpBuilder &b, Value init, RankedTensorType type) {
  Value empty = tensor::EmptyOp::create(b, init.getLoc(), type.getShape(), type.getElementType());
  auto fill = init.getDefiningOp<linalg::FillOp>();
  return fill ? linalg::FillOp::create(b, init.getLoc(), fill.getInputs(), empty).getResult(0) : empty;
}

/// The dimension of the tensor with `map` that `loop` walks along.
static unsigned findDim(AffineMap map, unsigned loop) {
  for (auto [dim, expr] : llvm::enumerate(map.getResults()))
    if (expr == getAffineDimExpr(loop, map.getContext()))
      return dim;
  llvm_unreachable("results of a chain's ops have their rows");
}

Value RowSplitter::rebuild(ContractOp op, unsigned loop) {
  OpBuilder b(op);
  RankedTensorType type = splitType(cast<RankedTensorType>(op.getResult().getType()), findDim(op.getOutMap(), loop));
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  for (unsigned i = 0; i + 1 < op->getNumOperands(); ++i) {
    Value operand = op->getOperand(i);
    maps.push_back(splitMap(op.getMap(i), loop, isBetween(operand)));
    operands.push_back(replaced.lookup(operand) ? replaced.lookup(operand) : operand);
  }
  maps.push_back(splitMap(op.getOutMap(), loop, true));
  SmallVector<Attribute> iterators(op.getIteratorTypes().getValue());
  iterators.insert(iterators.begin() + loop, iterators[loop]);
  ArrayRef<Value> extras = ArrayRef(operands).drop_front(2);
  auto result = ContractOp::create(b, op.getLoc(), type, operands[0], operands[1], extras,
                                   splitInit(b, op.getOut(), type), b.getAffineMapArrayAttr(maps),
                                   b.getArrayAttr(iterators), op.getNumRhsExtrasAttr(), op.getWinogradAttr());
  for (auto [from, to] : llvm::zip(op->getRegions(), result->getRegions()))
    to.takeBody(from);
  return result.getResult();
}

/// linalg.index ops of a body count the loops as they were.
static void splitIndices(linalg::GenericOp op, unsigned loop, int64_t rows) {
  for (auto index : llvm::make_early_inc_range(op.getBody()->getOps<linalg::IndexOp>())) {
    OpBuilder b(index);
    uint64_t dim = index.getDim();
    if (dim > loop)
      index.setDim(dim + 1);
    if (dim != loop)
      continue;
    Value block = linalg::IndexOp::create(b, index.getLoc(), dim),
          row = linalg::IndexOp::create(b, index.getLoc(), dim + 1);
    Value first =
        arith::MulIOp::create(b, index.getLoc(), block, arith::ConstantIndexOp::create(b, index.getLoc(), rows));
    index.replaceAllUsesWith(arith::AddIOp::create(b, index.getLoc(), first, row).getResult());
    index.erase();
  }
}

void RowSplitter::rebuild(linalg::GenericOp op, unsigned loop) {
  OpBuilder b(op);
  AffineMap out = op.getIndexingMapMatchingResult(cast<OpResult>(op.getResult(0)));
  RankedTensorType type = splitType(cast<RankedTensorType>(op.getResult(0).getType()), findDim(out, loop));
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (OpOperand *input : op.getDpsInputOperands()) {
    Value value = input->get();
    maps.push_back(splitMap(op.getMatchingIndexingMap(input), loop, isBetween(value)));
    inputs.push_back(replaced.lookup(value) ? replaced.lookup(value) : value);
  }
  maps.push_back(splitMap(out, loop, true));
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  iterators.insert(iterators.begin() + loop, utils::IteratorType::parallel);
  auto result = linalg::GenericOp::create(b, op.getLoc(), TypeRange{type}, inputs,
                                          ValueRange{splitInit(b, op.getDpsInits()[0], type)}, maps, iterators);
  result.getRegion().takeBody(op.getRegion());
  splitIndices(result, loop, rows);
  replaced[op.getResult(0)] = result.getResult(0);
}

/// `result` in the place of what `op` gave.
void RowSplitter::finish(ContractOp op, Value result) {
  OpBuilder b(op);
  auto type = cast<RankedTensorType>(op.getResult().getType());
  unsigned split = findDim(op.getOutMap(), chain.numRows - 1);
  SmallVector<ReassociationIndices> dims;
  for (int64_t d = 0; d < type.getRank(); ++d) {
    int64_t first = d > split ? d + 1 : d;
    dims.push_back(d == split ? ReassociationIndices{first, first + 1} : ReassociationIndices{first});
  }
  op.getResult().replaceAllUsesWith(tensor::CollapseShapeOp::create(b, op.getLoc(), type, result, dims).getResult());
  op.erase();
}

namespace {
struct TileAttention : leaf::impl::TileAttentionBase<TileAttention> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<ContractOp> contracts;
    getOperation().walk([&](ContractOp op) { contracts.push_back(op); });
    for (ContractOp consumer : contracts)
      if (std::optional<RowChain> chain = findRowChain(consumer))
        if (int64_t rows = chooseRows(*chain)) {
          RowSplitter(std::move(*chain), rows).run();
          ++numTiled;
        }
  }

private:
  /// Rows of a block, a divisor of their number; 0 where they are few enough or have no divisor that is good.
  int64_t chooseRows(RowChain &chain) {
    constexpr int64_t leastRows = 16, blocksPerWorker = 4;
    auto type = cast<RankedTensorType>(chain.producer.getResult().getType());
    int64_t all = type.getDimSize(chain.numRows - 1), outer = 1;
    for (int64_t size : type.getShape().take_front(chain.numRows - 1))
      outer *= size;
    int64_t most = tileBytes / (type.getShape().back() * getElementBytes(type.getElementType()));
    if (workers > 1)
      most = std::min(most, std::max(leastRows, all * outer / (workers * blocksPerWorker)));
    if (all <= most && chain.numRows > 1)
      return 0;
    for (int64_t rows = std::min(most, all); rows >= leastRows; --rows)
      if (all % rows == 0)
        return rows;
    return 0;
  }
};
} // namespace
