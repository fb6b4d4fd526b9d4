//===- GroupReductions.cpp - reductions in groups for dot products -----------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "GroupReductions.h"

using namespace mlir;
using namespace leaf;

static bool isDim(AffineExpr expr, unsigned loop) {
  auto dim = dyn_cast<AffineDimExpr>(expr);
  return dim && dim.getPosition() == loop;
}

/// `expr` is `loop` plus something without it; that, or null.
static AffineExpr withoutLoop(AffineExpr expr, unsigned loop) {
  if (isDim(expr, loop))
    return getAffineConstantExpr(0, expr.getContext());
  auto sum = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!sum || sum.getKind() != AffineExprKind::Add)
    return {};
  if (isDim(sum.getRHS(), loop) && !sum.getLHS().isFunctionOfDim(loop))
    return sum.getLHS();
  return isDim(sum.getLHS(), loop) && !sum.getRHS().isFunctionOfDim(loop) ? sum.getRHS() : AffineExpr();
}

/// Whether loop `columns` of the window goes through lhs as one run with the channels behind it. Where the channels
/// are a proper part of a group, quotients would be of positions within the group: those stay apart.
static bool canJoin(ContractOp contract, unsigned columns, int64_t channels, int64_t size) {
  AffineMap lhs = contract.getLhsMap();
  unsigned rank = lhs.getNumResults();
  if (rank < 2 || !contract.isReduction(columns) || (size % channels == 0 && channels != 1 && channels != size))
    return false;
  auto type = cast<RankedTensorType>(contract.getLhs().getType());
  if (type.getDimSize(rank - 1) != channels || !withoutLoop(lhs.getResult(rank - 2), columns))
    return false;
  for (unsigned d = 0; d < rank; ++d)
    if (d != rank - 2 && lhs.getResult(d).isFunctionOfDim(columns))
      return false;
  return true;
}

std::optional<ReductionGroups> leaf::findGroups(ContractOp contract, int64_t size) {
  unsigned last = contract.getNumLoops() - 1;
  AffineMap lhs = contract.getLhsMap(), rhs = contract.getRhsMap();
  auto operands = matchDot(contract);
  if (size < 2 || !operands || !operands->second.isSigned || !contract.isReduction(last) || lhs.getNumResults() == 0 ||
      rhs.getNumResults() < 2 || !isDim(lhs.getResults().back(), last) ||
      !isDim(rhs.getResult(rhs.getNumResults() - 2), last))
    return std::nullopt;
  for (AffineExpr result : lhs.getResults().drop_back())
    if (result.isFunctionOfDim(last))
      return std::nullopt;
  ReductionGroups groups;
  groups.size = size;
  groups.innerExtent = groups.depth = contract.getStaticLoopExtent(last);
  if (rhs.getNumResults() >= 3 && last > 0 && isDim(rhs.getResult(rhs.getNumResults() - 3), last - 1) &&
      canJoin(contract, last - 1, groups.innerExtent, size)) {
    groups.numJoined = 2;
    groups.depth *= contract.getStaticLoopExtent(last - 1);
  }
  return groups;
}

/// The old loops in terms of the new ones.
static SmallVector<AffineExpr> getOldLoops(ContractOp contract, const ReductionGroups &groups) {
  MLIRContext *context = contract.getContext();
  unsigned kept = contract.getNumLoops() - groups.numJoined;
  SmallVector<AffineExpr> old;
  for (unsigned loop = 0; loop < kept; ++loop)
    old.push_back(getAffineDimExpr(loop, context));
  AffineExpr group = getAffineDimExpr(kept, context), place = getAffineDimExpr(kept + 1, context);
  AffineExpr element = group * groups.size + place;
  if (groups.numJoined == 1)
    old.push_back(element);
  else if (groups.innerExtent == groups.size)
    old.append({group, place});
  else
    old.append({element.floorDiv(groups.innerExtent), element % groups.innerExtent});
  return old;
}

void leaf::groupReductions(ContractOp contract, const ReductionGroups &groups, int64_t width, ArrayRef<unsigned> batch,
                           ArrayRef<unsigned> outer) {
  Builder b(contract.getContext());
  unsigned kept = contract.getNumLoops() - groups.numJoined, numLoops = kept + 2;
  SmallVector<AffineExpr> old = getOldLoops(contract, groups);
  SmallVector<Attribute> maps;
  for (unsigned i = 0; i < contract->getNumOperands(); ++i)
    maps.push_back(AffineMapAttr::get(contract.getMap(i).replaceDimsAndSymbols(old, {}, numLoops, 0)));
  AffineMap rhs = contract.getRhsMap();
  AffineExpr n = rhs.getResults().back();
  SmallVector<AffineExpr> packed;
  for (unsigned d : batch)
    packed.push_back(rhs.getResult(d));
  packed.push_back(n.floorDiv(width));
  for (unsigned d : outer)
    packed.push_back(rhs.getResult(d));
  packed.append({b.getAffineDimExpr(kept), n % width, b.getAffineDimExpr(kept + 1)});
  maps[1] = AffineMapAttr::get(AffineMap::get(numLoops, 0, packed, b.getContext()));
  SmallVector<Attribute> iterators(contract.getIteratorTypes().getValue().take_front(kept));
  iterators.append(2, b.getStringAttr("reduction"));
  contract.setIndexingMapsAttr(b.getArrayAttr(maps));
  contract.setIteratorTypesAttr(b.getArrayAttr(iterators));
  contract->setAttr(kDepth, b.getI64IntegerAttr(groups.depth));
}
