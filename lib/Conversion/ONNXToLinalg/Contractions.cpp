//===- Contractions.cpp - MatMul and Gemm ------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ContractBuilder.h"
#include "QuantizedOperands.h"
#include "Scalars.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;
using utils::IteratorType;

/// Swaps the last two dimensions of a matrix stored transposed: at compile time for a weight, in `perm` otherwise.
static void settleLayout(Lowering &lowering, WeightOperand &weight) {
  if (weight.perm.empty())
    return;
  auto type = cast<RankedTensorType>(weight.stored.getType());
  SmallVector<int64_t> shape = llvm::map_to_vector(weight.perm, [&](int64_t d) { return type.getDimSize(d); });
  if (!type.hasStaticShape())
    return;
  Value relayouted = lowering.relayoutWeight(weight.stored, type.getShape(), weight.perm, shape);
  if (!relayouted)
    return;
  if (weight.scale)
    weight.axis = std::distance(weight.perm.begin(), llvm::find(weight.perm, weight.axis));
  weight.stored = relayouted;
  weight.perm.clear();
}

/// Sizes of a weight operand as the reader sees it.
static Sizes sizesOf(Lowering &lowering, const WeightOperand &weight) {
  Sizes stored = lowering.getSizes(weight.stored);
  if (weight.perm.empty())
    return stored;
  return llvm::map_to_vector(weight.perm, [&](int64_t d) { return stored[d]; });
}

/// Map results for the stored tensor from those for the tensor as the reader sees it.
static SmallVector<AffineExpr> storedExprs(const WeightOperand &weight, ArrayRef<AffineExpr> seen) {
  SmallVector<AffineExpr> exprs(seen);
  for (auto [i, d] : llvm::enumerate(weight.perm))
    exprs[d] = seen[i];
  return exprs;
}

namespace {
/// Numbering of the loops batch..., m, n, k of a matrix product; m and n are absent for vectors.
struct MatMulLoops {
  unsigned batch = 0;
  std::optional<unsigned> m, n;
  unsigned k = 0;
  unsigned count() const { return k + 1; }
};
} // namespace

static MatMulLoops makeLoops(unsigned batch, bool hasM, bool hasN) {
  MatMulLoops loops;
  loops.batch = batch;
  unsigned next = batch;
  if (hasM)
    loops.m = next++;
  if (hasN)
    loops.n = next++;
  loops.k = next;
  return loops;
}

static SmallVector<IteratorType> iteratorsOf(const MatMulLoops &loops) {
  SmallVector<IteratorType> result(loops.count(), IteratorType::parallel);
  result.back() = IteratorType::reduction;
  return result;
}

/// Batch dimensions of an operand as loops, aligned at the last batch loop; size 1 is broadcast.
static SmallVector<AffineExpr> batchExprs(Builder &b, ArrayRef<Size> batch, ArrayRef<Size> outBatch) {
  SmallVector<AffineExpr> exprs;
  size_t shift = outBatch.size() - batch.size();
  for (auto [d, size] : llvm::enumerate(batch)) {
    bool isBroadcast = constantOf(size) == 1 && constantOf(outBatch[d + shift]) != 1;
    exprs.push_back(isBroadcast ? b.getAffineConstantExpr(0) : b.getAffineDimExpr(d + shift));
  }
  return exprs;
}

/// Map of per-axis scales of the rhs: the loop that indexes the weight's axis.
static AffineMap scaleMapOf(const WeightOperand &weight, AffineMap rhsMap) {
  if (!weight.scale && !weight.zero)
    return AffineMap();
  return AffineMap::get(rhsMap.getNumDims(), 0, rhsMap.getResult(weight.axis));
}

/// A vector over the columns n.
static std::pair<Value, AffineMap> columnVector(const ContractBuilder &contract, Value vector) {
  return {vector, AffineMap::get(contract.outMap.getNumDims(), 0, contract.outMap.getResults().back())};
}

/// lhs x weight; `lhsPrologue` replaces the conversion of elements of lhs where given, `quantized` that of all.
static LogicalResult buildMatMul(Lowering &lowering, Node &node, Value lhs, WeightOperand weight,
                                 const ContractBuilder::RegionFn &lhsPrologue,
                                 const std::optional<QuantizedOperands> &quantized = std::nullopt) {
  OpBuilder &b = lowering.b();
  settleLayout(lowering, weight);
  Sizes lhsSizes = lowering.getSizes(lhs), rhsSizes = sizesOf(lowering, weight);
  bool hasM = lhsSizes.size() > 1, hasN = rhsSizes.size() > 1;
  size_t rhsK = rhsSizes.size() - (hasN ? 2 : 1);
  if (failed(lowering.unify(node, lhsSizes.back(), rhsSizes[rhsK])))
    return failure();
  Sizes lhsBatch(ArrayRef<Size>(lhsSizes).drop_back(hasM ? 2 : 1));
  Sizes rhsBatch(ArrayRef<Size>(rhsSizes).drop_back(hasN ? 2 : 1));
  FailureOr<Sizes> batch = lowering.broadcast(node, {lhsBatch, rhsBatch});
  if (failed(batch))
    return failure();
  MatMulLoops loops = makeLoops(batch->size(), hasM, hasN);
  auto dim = [&](unsigned loop) { return b.getAffineDimExpr(loop); };
  SmallVector<AffineExpr> lhsExprs = batchExprs(b, lhsBatch, *batch), rhsExprs = batchExprs(b, rhsBatch, *batch), out;
  Sizes outSizes = *batch;
  for (unsigned d = 0; d < loops.batch; ++d)
    out.push_back(dim(d));
  if (hasM) {
    lhsExprs.push_back(dim(*loops.m));
    out.push_back(dim(*loops.m));
    outSizes.push_back(lhsSizes[lhsSizes.size() - 2]);
  }
  lhsExprs.push_back(dim(loops.k));
  rhsExprs.push_back(dim(loops.k));
  if (hasN) {
    rhsExprs.push_back(dim(*loops.n));
    out.push_back(dim(*loops.n));
    outSizes.push_back(rhsSizes.back());
  }
  ContractBuilder contract;
  contract.lhs = lhs;
  contract.rhs = weight.stored;
  contract.lhsMap = AffineMap::get(loops.count(), 0, lhsExprs, b.getContext());
  contract.rhsMap = AffineMap::get(loops.count(), 0, storedExprs(weight, rhsExprs), b.getContext());
  contract.outMap = AffineMap::get(loops.count(), 0, out, b.getContext());
  contract.iterators = iteratorsOf(loops);
  contract.accumulator = accumulatorType(node.getResultElement());
  contract.outElement = Lowering::signless(node.getResultElement());
  contract.outSizes = lowering.refine(outSizes, node);
  if (quantized)
    setQuantized(lowering, contract, *quantized, [&](Value vector) { return columnVector(contract, vector); });
  else
    contract.setPrologues(node.getInputElement(0), weight, scaleMapOf(weight, contract.rhsMap));
  if (lhsPrologue)
    contract.lhsPrologue = lhsPrologue;
  lowering.setTensor(node.getOperation()->getResult(0), contract.build(lowering));
  return success();
}

static LogicalResult buildMatMul(Lowering &lowering, Node &node, const QuantizedOperands &quantized) {
  return buildMatMul(lowering, node, quantized.data, quantized.weight.operand, nullptr, quantized);
}

static LogicalResult lowerMatMul(Lowering &lowering, Node &node) {
  if (node.getInputType(1).getRank() == 2)
    if (std::optional<QuantizedOperands> quantized = matchQuantized(lowering, node, 1, nullptr))
      return buildMatMul(lowering, node, *quantized);
  Value lhs = lowering.getTensor(node.getInput(0));
  return buildMatMul(lowering, node, lhs, getWeightOperand(lowering, node.getInput(1)), nullptr);
}

/// (a - zero point of a) x (b - zero point of b) in i32.
static LogicalResult lowerMatMulInteger(Lowering &lowering, Node &node) {
  if (node.getInputType(1).getRank() == 2)
    if (std::optional<QuantizedOperands> quantized = matchInteger(lowering, node, 1))
      return buildMatMul(lowering, node, *quantized);
  WeightOperand weight = getWeightOperand(lowering, node.getInput(1));
  weight.type = lowering.b().getI32Type();
  int64_t lhsRank = node.getInputType(0).getRank(), rhsRank = node.getInputType(1).getRank();
  if (node.hasInput(3)) {
    weight.zeroType = node.getInputElement(3);
    RankedTensorType zeroType = node.getInputType(3);
    if (std::optional<Attribute> splat = lowering.getSplat(node.getInput(3))) {
      weight.zeroConstant = signlessAttr(*splat);
    } else if (zeroType.getRank() == 1 && zeroType.getDimSize(0) != 1) {
      weight.zero = lowering.getTensor(node.getInput(3));
      weight.axis = rhsRank - 1;
    } else {
      weight.stored = subtractZeroPoint(lowering, node, 1, 3, rhsRank - 1);
      weight.storedType = lowering.b().getI32Type();
    }
  }
  IntegerOperand lhs = getIntegerOperand(lowering, node, 0, 2, std::max<int64_t>(lhsRank - 2, 0));
  return buildMatMul(lowering, node, lhs.tensor, weight, lhs.prologue);
}

//===----------------------------------------------------------------------===//
// Gemm
//===----------------------------------------------------------------------===//

/// alpha * acc + beta * c, without what is neutral.
static ContractBuilder::RegionFn gemmEpilogue(double alpha, double beta, Type accumulator, std::optional<Operand> c,
                                              TypedAttr cConstant, Type cType) {
  return [=](OpBuilder &b, Location loc, ValueRange args) {
    Scalar s(b, loc, accumulator);
    Value result = alpha == 1 ? args[0] : s.mul(args[0], s.number(alpha));
    if (!c && !cConstant)
      return result;
    Value addend = c ? c->load(b, loc, args[1]) : arith::ConstantOp::create(b, loc, cConstant).getResult();
    addend = convertElement(b, loc, addend, cType, accumulator);
    return s.add(result, beta == 1 ? addend : s.mul(addend, s.number(beta)));
  };
}

/// Operands of a Gemm that is x * W + a constant vector of bytes.
static std::optional<QuantizedOperands> matchQuantizedGemm(Lowering &lowering, Node &node) {
  bool isPlain = node.getInt("transA", 0) == 0 && node.getFloat("alpha", 1) == 1 && node.getFloat("beta", 1) == 1;
  if (!isPlain || (node.hasInput(2) && node.getInputType(2).getRank() > 1))
    return std::nullopt;
  return matchQuantized(lowering, node, node.getInt("transB", 0) != 0 ? 0 : 1, node.getInput(2));
}

static LogicalResult lowerGemm(Lowering &lowering, Node &node) {
  OpBuilder &b = lowering.b();
  std::optional<QuantizedOperands> quantized = matchQuantizedGemm(lowering, node);
  Value lhs = quantized ? quantized->data : lowering.getTensor(node.getInput(0));
  WeightOperand weight = quantized ? quantized->weight.operand : getWeightOperand(lowering, node.getInput(1));
  bool transA = node.getInt("transA", 0) != 0;
  if (node.getInt("transB", 0) != 0) {
    SmallVector<int64_t> base = weight.perm.empty() ? SmallVector<int64_t>{0, 1} : weight.perm;
    weight.perm = {base[1], base[0]};
  }
  settleLayout(lowering, weight);
  Sizes lhsSizes = lowering.getSizes(lhs), rhsSizes = sizesOf(lowering, weight);
  if (transA)
    std::swap(lhsSizes[0], lhsSizes[1]);
  if (failed(lowering.unify(node, lhsSizes[1], rhsSizes[0])))
    return failure();
  AffineExpr m = b.getAffineDimExpr(0), n = b.getAffineDimExpr(1), k = b.getAffineDimExpr(2);
  ContractBuilder contract;
  contract.lhs = lhs;
  contract.rhs = weight.stored;
  contract.lhsMap =
      AffineMap::get(3, 0, transA ? ArrayRef<AffineExpr>{k, m} : ArrayRef<AffineExpr>{m, k}, b.getContext());
  contract.rhsMap = AffineMap::get(3, 0, storedExprs(weight, {k, n}), b.getContext());
  contract.outMap = AffineMap::get(3, 0, {m, n}, b.getContext());
  contract.iterators = {IteratorType::parallel, IteratorType::parallel, IteratorType::reduction};
  contract.accumulator = accumulatorType(node.getResultElement());
  contract.outElement = Lowering::signless(node.getResultElement());
  contract.outSizes = lowering.refine({lhsSizes[0], rhsSizes[1]}, node);
  if (quantized) {
    setQuantized(lowering, contract, *quantized, [&](Value vector) { return columnVector(contract, vector); });
    lowering.setTensor(node.getOperation()->getResult(0), contract.build(lowering));
    return success();
  }
  contract.setPrologues(node.getInputElement(0), weight, scaleMapOf(weight, contract.rhsMap));
  double alpha = node.getFloat("alpha", 1), beta = node.getFloat("beta", 1);
  std::optional<Operand> c;
  TypedAttr constant;
  Type cType = contract.accumulator;
  if (node.hasInput(2) && beta != 0) {
    cType = node.getInputElement(2);
    if (std::optional<Attribute> splat = lowering.getSplat(node.getInput(2))) {
      constant = signlessAttr(*splat);
    } else {
      c = lowering.getOperand(node.getInput(2));
      AffineMap map = lowering.broadcastMap(lowering.getSizes(c->tensor), contract.outSizes);
      contract.extras.push_back(c->tensor);
      contract.extraMaps.push_back(AffineMap::get(3, 0, map.getResults(), b.getContext()));
    }
  }
  contract.epilogue = gemmEpilogue(alpha, beta, contract.accumulator, c, constant, cType);
  lowering.setTensor(node.getOperation()->getResult(0), contract.build(lowering));
  return success();
}

void leaf::onnxtolinalg::registerContractions(Registry &registry) {
  registry.add("MatMul", lowerMatMul);
  registry.add("MatMulInteger", lowerMatMulInteger);
  registry.add("Gemm", lowerGemm);
}
