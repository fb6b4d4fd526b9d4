//===- TileStep.cpp - blocks of rows by tile registers ------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "TileStep.h"

#include "Leaf/Groups.h"
#include "Machine/Machine.h"

#include <cmath>

using namespace mlir;
using namespace leaf;
using namespace leaf::codegen;

/// Rows of a tile register, and 32-bit words of one of its rows.
static constexpr int64_t tileRows = 16, tileWords = 16;

std::optional<TileStep> TileStep::choose(KernelBuilder &kb, Contract &contract, const ContractRoles &roles,
                                         int64_t panel) {
  TileStep step(kb, contract, roles);
  if (!step.match(panel) || !step.chooseRows(panel / lanes) || !step.configure(panel))
    return std::nullopt;
  return step;
}

/// Whether both operands can be loaded as tiles, and of what instruction.
bool TileStep::match(int64_t panel) {
  ContractOp op = contract->op;
  auto operands = getDepth(op) ? matchDot(op) : std::nullopt;
  if (!operands || panel % lanes != 0 || panel > 2 * lanes || roles.m < 0 || roles.reductions.empty())
    return false;
  auto [lhs, rhs] = *operands;
  bool isByte = lhs.element.isInteger(8);
  if (!(isByte ? kb->target.amxInt8 : kb->target.amxBf16))
    return false;
  instruction = isByte ? std::string("tdpb") + (lhs.isSigned ? "s" : "u") + (rhs.isSigned ? "s" : "u") + "d"
                       : std::string("tdpbf16ps");
  elementBytes = isByte ? 1 : 2;
  unsigned groups = op.getNumLoops() - 2;
  int64_t groupSize = 4 / elementBytes;
  bool isWhole = *getDepth(op) % groupSize == 0;
  if (roles.reductions.back() != groups || !isWhole || !contract->lhs.coefs[groups].is(groupSize) ||
      !contract->lhs.coefs[roles.m].isStatic() || !contract->rhs.coefs[groups].isStatic())
    return false;
  int64_t numGroups = contract->loops[groups].extent.constant();
  for (groupsPerStep = std::min(numGroups, tileWords); numGroups % groupsPerStep;)
    --groupsPerStep;
  for (unsigned loop : roles.reductions) {
    if (!contract->loops[loop].extent.isStatic())
      return false;
    steps *= contract->loops[loop].extent.constant();
  }
  steps /= groupsPerStep;
  return true;
}

/// The block of rows that takes least, in cycles, with what is left over done by vectors: a dot product takes one cycle
/// a row, its result is there after 52, and half a cycle goes into loading 64 bytes (measured on Sapphire Rapids).
/// False where vectors alone are faster.
bool TileStep::chooseRows(int64_t vectors) {
  constexpr double latency = 52, perRowAndVector = 4, groupsPerCycle = 2, leftoverLoss = 1.25;
  int64_t most = 2 * tileRows;
  const Size &extent = contract->loops[roles.m].extent;
  int64_t rows = extent.isStatic() ? extent.constant() : kb->upperBound(extent).value_or(most);
  double vectorRow = static_cast<double>(steps * groupsPerStep * vectors) / groupsPerCycle;
  double best = vectorRow * static_cast<double>(rows);
  bool found = false;
  for (int64_t tiles : {2, 1})
    for (int64_t each = tileRows; each >= 1; --each) {
      int64_t block = tiles * each, blocks = rows / block;
      if (blocks == 0 || (!extent.isStatic() && each != tileRows))
        continue;
      double dots = static_cast<double>(tiles * vectors * each);
      double loads = 0.6 * static_cast<double>(block + tileRows * vectors);
      double perBlock = static_cast<double>(steps) * std::max({dots, loads, latency}) + latency +
                        perRowAndVector * static_cast<double>(block * vectors);
      double cost = static_cast<double>(blocks) * perBlock +
                    leftoverLoss * vectorRow * static_cast<double>(rows - blocks * block);
      if (cost >= best)
        continue;
      best = cost;
      rowTiles = tiles;
      rowsPerTile = each;
      found = true;
    }
  return found;
}

/// Sets the registers' shapes where the kernel begins. A kernel has one configuration.
bool TileStep::configure(int64_t panel) {
  SmallVector<int64_t> rows, bytes;
  int64_t stepBytes = groupsPerStep * 4;
  for (int64_t tile = 0; tile < firstRhs + 2; ++tile) {
    rows.push_back(tile < firstRhs ? rowsPerTile : groupsPerStep);
    bytes.push_back(tile >= firstLhs && tile < firstRhs ? stepBytes : 4 * tileWords);
  }
  if (!kb->configureTiles(rows, bytes))
    return false;
  FailureOr<Buffer> buffer = kb->allocateScratch(contract->op.getAccumulatorType(), {Size(getRows()), Size(panel)});
  if (failed(buffer))
    return false;
  sums = *buffer;
  return true;
}

void TileStep::emitDots(SmallVectorImpl<Pos> &at, int64_t vectors) {
  OpBuilder &b = kb->b;
  unsigned groups = contract->op.getNumLoops() - 2;
  Pos row = at[roles.m], column = at[roles.n];
  Value lhsStride = kb->index(contract->lhs.coefs[roles.m].constant() * elementBytes);
  Value rhsStride = kb->index(contract->rhs.coefs[groups].constant() * elementBytes);
  for (int64_t j = 0; j < vectors; ++j) {
    at[roles.n].offset = column.offset + j * lanes;
    machine::TileLoadOp::create(b, kb->loc, firstRhs + j, contract->rhs.buffer->memref, kb->address(contract->rhs, at),
                                rhsStride);
  }
  at[roles.n] = column;
  for (int64_t i = 0; i < rowTiles; ++i) {
    at[roles.m].offset = row.offset + i * rowsPerTile;
    machine::TileLoadOp::create(b, kb->loc, firstLhs + i, contract->lhs.buffer->memref, kb->address(contract->lhs, at),
                                lhsStride);
    for (int64_t j = 0; j < vectors; ++j)
      machine::TileDotOp::create(b, kb->loc, instruction, 2 * i + j, firstLhs + i, firstRhs + j);
  }
  at[roles.m] = row;
}

void TileStep::emitLoops(SmallVectorImpl<Pos> &at, unsigned depth, int64_t vectors) {
  unsigned loop = roles.reductions[depth];
  bool isLast = depth + 1 == roles.reductions.size();
  int64_t extent = contract->loops[loop].extent.constant();
  kb->loop(kb->index(0), kb->index(extent), isLast ? groupsPerStep : 1, [&](Value iv) {
    at[loop] = {iv};
    isLast ? emitDots(at, vectors) : emitLoops(at, depth + 1, vectors);
  });
}

void TileStep::emit(SmallVectorImpl<Pos> &at, int64_t vectors) {
  OpBuilder &b = kb->b;
  for (int64_t i = 0; i < rowTiles; ++i)
    for (int64_t j = 0; j < vectors; ++j)
      machine::TileZeroOp::create(b, kb->loc, 2 * i + j);
  emitLoops(at, 0, vectors);
  Value stride = kb->index(vectors * lanes * 4);
  for (int64_t i = 0; i < rowTiles; ++i)
    for (int64_t j = 0; j < vectors; ++j)
      machine::TileStoreOp::create(b, kb->loc, 2 * i + j, sums.memref,
                                   kb->index((i * rowsPerTile * vectors + j) * lanes), stride);
}
