//===- DotStrategy.cpp - the reduction as vectors; scalar loops ---------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ContractEmitter.h"
#include "Leaf/Groups.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::codegen;

namespace {
/// Few rows times a matrix that is contiguous along the reduction, as queries times keys: no packing would pay.
class DotStrategy : public ContractStrategy {
public:
  DotStrategy(KernelBuilder &kb, Contract contractIn, ContractRoles rolesIn)
      : ContractStrategy(kb, std::move(contractIn), std::move(rolesIn)) {
    lanes = kb.target.lanes(accumulatorType().getIntOrFloatBitWidth());
    const Size &length = extent(roles.reductions.back());
    if (length.isStatic())
      lanes = std::min<int64_t>(lanes, llvm::bit_floor(static_cast<uint64_t>(length.constant())));
    // A cached vector of lhs must not outlive its place; regions of one element only.
    outer.assign(roles.batch.begin(), roles.batch.end());
    llvm::append_range(outer, roles.rows);
    if (roles.m >= 0)
      outer.push_back(roles.m);
  }

  SmallVector<TileDim> chooseTiles() override {
    SmallVector<TileDim> tiles;
    for (unsigned loop : outer)
      tiles.push_back({extent(loop), 1});
    return tiles;
  }

  LogicalResult emit(ArrayRef<Value> tiles) override {
    if (tiles.empty()) {
      emitLoops(outer, [&] { emitColumns(); });
    } else {
      for (auto [loop, tile] : llvm::zip(outer, tiles))
        at[loop] = {tile};
      emitColumns();
    }
    return mlir::failure(failed);
  }

private:
  static constexpr int64_t columnsPerStep = 4;

  void emitColumns() {
    Value end = kb.sizeValue(extent(roles.n)), begin = kb.index(0);
    for (int64_t columns : {columnsPerStep, int64_t(1)}) {
      Value rest = arith::RemUIOp::create(kb.b, kb.loc, end, kb.index(columns));
      Value stop = columns == 1 ? end : arith::SubIOp::create(kb.b, kb.loc, end, rest).getResult();
      kb.loop(begin, stop, columns, [&](Value iv) {
        at[roles.n] = {iv};
        emitDots(columns);
      });
      begin = stop;
    }
  }

  void emitDots(int64_t columns) {
    unsigned inner = roles.reductions.back();
    Values carried(columns, kb.zero(accumulatorType(), lanes));
    if (lanes > 1)
      carried.append(columns, kb.zero(accumulatorType(), 1));
    carried = emitReductions(ArrayRef(roles.reductions).drop_back(), carried, [&](Values values) {
      Value begin = kb.index(0), end = kb.sizeValue(extent(inner));
      Value rest = arith::RemUIOp::create(kb.b, kb.loc, end, kb.index(lanes));
      Value main = arith::SubIOp::create(kb.b, kb.loc, end, rest);
      values = kb.loop(begin, main, lanes, values, [&](Value iv, ValueRange v) {
        at[inner] = {iv};
        return step(Values(v), 0, columns, lanes);
      });
      if (lanes == 1)
        return values;
      return kb.loop(main, end, 1, values, [&](Value iv, ValueRange v) {
        at[inner] = {iv};
        return step(Values(v), columns, columns, 1);
      });
    });
    Pos column = at[roles.n];
    for (int64_t j = 0; j < columns; ++j) {
      Value sum = carried[j];
      if (lanes > 1) {
        sum = addLanes(sum);
        sum = isa<IntegerType>(accumulatorType())
                  ? arith::AddIOp::create(kb.b, kb.loc, sum, carried[columns + j]).getResult()
                  : arith::AddFOp::create(kb.b, kb.loc, sum, carried[columns + j]).getResult();
      }
      at[roles.n].offset = column.offset + j;
      extraCache.clear();
      finish(sum, roles.n, 1);
    }
    extraCache.clear();
    at[roles.n] = column;
  }

  Values step(Values values, int64_t first, int64_t columns, int64_t width) {
    unsigned inner = roles.reductions.back();
    Value left = kb.splat(lhs(inner, width), width);
    Pos column = at[roles.n];
    for (int64_t j = 0; j < columns; ++j) {
      at[roles.n].offset = column.offset + j;
      values[first + j] = kb.multiplyAdd(left, kb.splat(rhs(inner, width), width), values[first + j]);
    }
    at[roles.n] = column;
    return values;
  }

  int64_t lanes;
  SmallVector<unsigned> outer;
};

/// Any contraction, one element of the output after another.
class PlainStrategy : public ContractStrategy {
public:
  PlainStrategy(KernelBuilder &kb, Contract contractIn, ContractRoles rolesIn)
      : ContractStrategy(kb, std::move(contractIn), std::move(rolesIn)) {
    for (auto [i, loop] : llvm::enumerate(contract.loops))
      if (!loop.bound && !loop.reduction)
        outer.push_back(i);
  }

  SmallVector<TileDim> chooseTiles() override {
    SmallVector<TileDim> tiles;
    for (unsigned loop : outer)
      tiles.push_back({extent(loop), 1});
    return tiles;
  }

  LogicalResult emit(ArrayRef<Value> tiles) override {
    for (auto [loop, tile] : llvm::zip(outer, tiles))
      at[loop] = {tile};
    emitLoops(ArrayRef(outer).drop_front(tiles.size()), [&] {
      Values sum = emitReductions(roles.reductions, {kb.zero(accumulatorType(), 1)},
                                  [&](Values values) { return Values{kb.multiplyAdd(element(), rhs(), values[0])}; });
      extraCache.clear();
      finish(sum[0], -1, 1);
      extraCache.clear();
    });
    return mlir::failure(failed);
  }

  bool isVectorized() const override { return false; }

private:
  /// The element of lhs. Behind the depth of a grouped reduction, where rhs is zero, it is the first of the last group.
  Value element() {
    std::optional<int64_t> depth = getDepth(contract.op);
    if (!depth)
      return lhs();
    unsigned place = contract.op.getNumLoops() - 1, group = place - 1;
    Pos before = at[place];
    Value first = kb.mul(kb.posValue(at[group]), extent(place)), index = kb.posValue(before);
    Value inside =
        arith::CmpIOp::create(kb.b, kb.loc, arith::CmpIPredicate::ult, kb.add(first, index), kb.index(*depth));
    at[place] = {arith::SelectOp::create(kb.b, kb.loc, inside, index, kb.index(0)).getResult()};
    Value value = lhs();
    at[place] = before;
    return value;
  }

  SmallVector<unsigned> outer;
};
} // namespace

std::unique_ptr<ContractStrategy> leaf::codegen::makeDotStrategy(KernelBuilder &kb, Contract contract,
                                                                 ContractRoles roles) {
  return std::make_unique<DotStrategy>(kb, std::move(contract), std::move(roles));
}

std::unique_ptr<ContractStrategy> leaf::codegen::makePlainStrategy(KernelBuilder &kb, Contract contract,
                                                                   ContractRoles roles) {
  return std::make_unique<PlainStrategy>(kb, std::move(contract), std::move(roles));
}
