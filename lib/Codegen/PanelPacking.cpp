//===- PanelPacking.cpp - columns of a contraction packed at run time -------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//
// Where rhs is no constant and its columns are no vectors as they lie.
//
//===----------------------------------------------------------------------===//

#include "PanelStrategy.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::codegen;

Value PanelStrategy::rhsVector() {
  if (!packsAtRunTime)
    return rhs(roles.n, lanes);
  SmallVector<Pos> position(at);
  position[roles.n] = {Value(), at[roles.n].offset};
  return kb.load(packed, kb.address(packedAccess, position), lanes);
}

/// Whether columns that could be read as they lie are better packed: rows of a matrix that is part of a wider one (a
/// head of values) are far apart, each on a page of its own, and many tiles of rows read them.
bool PanelStrategy::paysToPack() {
  constexpr int64_t farBytes = 1024, mostBytes = 16 * 1024, manyTiles = 4;
  if (lanes < 4 || roles.m < 0 || roles.reductions.size() != 1 || !contract.rhs.nonlinear.empty())
    return false;
  const Size &steps = extent(roles.reductions[0]), &rows = extent(roles.m);
  const Size &stride = contract.rhs.coefs[roles.reductions[0]];
  int64_t bytes = accumulatorType().getIntOrFloatBitWidth() / 8;
  return steps.isStatic() && rows.isStatic() && stride.isStatic() && stride.constant() * bytes >= farBytes &&
         steps.constant() * width * bytes > mostBytes &&
         rows.constant() >= manyTiles * kb.target.tileRows(width / lanes);
}

void PanelStrategy::allocatePacked() {
  int64_t groupWidth = this->groupWidth();
  SmallVector<Size> sizes;
  for (unsigned loop : roles.reductions)
    sizes.push_back(extent(loop));
  sizes.push_back(Size(groupWidth));
  FailureOr<Buffer> buffer = kb.allocateScratch(accumulatorType(), sizes);
  if (mlir::failed(buffer)) {
    failed = true;
    packed = *kb.allocateScratch(accumulatorType(), {Size(groupWidth)});
    packed.strides.assign(sizes.size(), Size(1));
  } else {
    packed = *buffer;
  }
  packedAccess.buffer = &packed;
  packedAccess.coefs.assign(contract.loops.size(), Size(0));
  for (auto [i, loop] : llvm::enumerate(roles.reductions))
    packedAccess.coefs[loop] = packed.strides[i];
  packedAccess.coefs[roles.n] = Size(1);
}

/// Copies the columns of this group into scratch as [reductions…][columns], zero where there are none, with the rhs
/// prologue applied.
void PanelStrategy::packPanel() {
  if (!packed.memref)
    allocatePacked();
  Value left = arith::SubIOp::create(kb.b, kb.loc, kb.sizeValue(extent(roles.n)), at[roles.n].value);
  Value columns = kb.minimum(left, kb.index(groupWidth()));
  Pos column = at[roles.n];
  int run = getRhsRun();
  run < 0 ? packColumns(columns) : packTransposed(run, columns);
  fillBehind(columns);
  at[roles.n] = column;
}

/// Zeros in the columns of the group from `columns` on: what stands there from before may be slow to compute with.
void PanelStrategy::fillBehind(Value columns) {
  Value all = kb.index(groupWidth()), whole = kb.mul(kb.ceilDiv(columns, lanes), Size(lanes));
  emitLoops(roles.reductions, [&] {
    kb.loop(columns, whole, 1, [&](Value j) { put(j, kb.zero(accumulatorType(), 1)); });
    kb.loop(whole, all, lanes, [&](Value j) { put(j, kb.zero(accumulatorType(), lanes)); });
  });
}

/// `value` becomes the elements of the packed panel from column `j` on, at the current place of the reductions.
void PanelStrategy::put(Value j, Value value) {
  SmallVector<Pos> position(at);
  position[roles.n] = {j};
  kb.store(value, packed, kb.address(packedAccess, position));
}

/// Copies that run along what is contiguous in rhs: vectors of columns, or one element after the other.
void PanelStrategy::packColumns(Value columns) {
  Pos column = at[roles.n];
  auto copy = [&](Value j) {
    at[roles.n] = {kb.add(column.value, j)};
    put(j, rhs());
  };
  if (!contract.rhs.coefs[roles.n].is(1)) {
    kb.loop(kb.index(0), columns, 1, [&](Value j) { emitLoops(roles.reductions, [&] { copy(j); }); });
    return;
  }
  Value whole = kb.alignDown(columns, lanes);
  emitLoops(roles.reductions, [&] {
    kb.loop(kb.index(0), whole, lanes, [&](Value j) {
      at[roles.n] = {kb.add(column.value, j)};
      put(j, kb.splat(rhs(roles.n, lanes), lanes));
    });
    kb.loop(whole, columns, 1, copy);
  });
}

/// The reduction loop along which vectors of rhs lie; -1 where none is.
int PanelStrategy::getRhsRun() const {
  if (lanes < 4 || contract.rhs.panel || !contract.rhs.nonlinear.empty())
    return -1;
  for (unsigned loop : roles.reductions) {
    const Size &size = extent(loop);
    if (contract.rhs.coefs[loop].is(1) && (!size.isStatic() || size.constant() >= lanes))
      return static_cast<int>(loop);
  }
  return -1;
}

/// Vectors of rhs along the reduction `along`; squares of them are transposed in registers.
void PanelStrategy::packTransposed(unsigned along, Value columns) {
  Pos column = at[roles.n];
  SmallVector<unsigned> others;
  llvm::copy_if(roles.reductions, std::back_inserter(others), [&](unsigned loop) { return loop != along; });
  Value zero = kb.index(0), steps = kb.sizeValue(extent(along));
  Value wholeColumns = kb.alignDown(columns, lanes), wholeSteps = kb.alignDown(steps, lanes);
  auto copy = [&](Value j, Value first) {
    kb.loop(first, steps, 1, [&](Value k) {
      at[along] = {k};
      at[roles.n] = {kb.add(column.value, j)};
      put(j, rhs());
    });
  };
  emitLoops(others, [&] {
    kb.loop(zero, wholeColumns, lanes, [&](Value first) {
      kb.loop(zero, wholeSteps, lanes, [&](Value k) {
        at[along] = {k};
        at[roles.n] = {kb.add(column.value, first)};
        packSquare(along, first);
      });
      kb.loop(first, kb.add(first, lanes), 1, [&](Value j) { copy(j, wholeSteps); });
    });
    kb.loop(wholeColumns, columns, 1, [&](Value j) { copy(j, zero); });
  });
}

/// `lanes` steps of the reduction `along` by as many columns, from `column` of the group on.
void PanelStrategy::packSquare(unsigned along, Value column) {
  Values rows;
  Pos start = at[roles.n];
  for (int64_t i = 0; i < lanes; ++i) {
    at[roles.n].offset = start.offset + i;
    rows.push_back(rhs(along, lanes));
  }
  at[roles.n] = start;
  kb.transposeSquare(rows);
  Pos step = at[along];
  for (int64_t i = 0; i < lanes; ++i) {
    at[along].offset = step.offset + i;
    put(column, rows[i]);
  }
  at[along] = step;
}
