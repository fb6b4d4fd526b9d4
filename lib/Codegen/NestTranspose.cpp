//===- NestTranspose.cpp - nests that read along another loop than they write --===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
// Inputs are contiguous along one loop, the destination along another. Vectors are loaded and computed along the first
// one; squares of them are then transposed in registers and stored along the second one. Where the destination has 2 to
// 4 elements only before the next one of the first loop follows (channels of an image), they are interleaved instead.
//
//===----------------------------------------------------------------------===//

#include "NestEmitter.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::codegen;

/// Most elements that are interleaved.
static constexpr int64_t mostInterleaved = 4;

/// Lanes of a nest that reads along `from` and writes along `to`; 0 where it can't be computed like this.
int64_t NestEmitter::getTransposeLanes(unsigned from, unsigned to) const {
  SmallVector<Spread> kinds;
  bool turns = false;
  for (auto [input, argument] : llvm::zip(nest.inputs, nest.body->getArguments())) {
    bool varies = !argument.use_empty() && !input.buffer->scalar && input.uses(from);
    if (varies && (!input.coefs[from].is(1) || !input.nonlinear.empty() || input.panel))
      return 0;
    turns |= varies && input.uses(to);
    kinds.push_back(varies ? Spread::Varying : Spread::Uniform);
  }
  kinds.push_back(Spread::Varying);
  BodySpread spread(*nest.body, kinds, from);
  Type element = nest.outputs[0].buffer->element;
  if (!turns || !element.isIntOrFloat() || element.isInteger(1) || spread.getNumGathers([](Value) { return false; }))
    return 0;
  int64_t count = kb.target.lanes(std::max(spread.getWidestBits(), element.getIntOrFloatBitWidth()));
  const Size &rows = nest.loops[from].extent, &columns = nest.loops[to].extent;
  if (count < 4 || (rows.isStatic() && rows.constant() < count))
    return 0;
  bool isFew = columns.isStatic() && columns.constant() <= mostInterleaved;
  if (isFew)
    return nest.outputs[0].coefs[from] == columns ? count : 0;
  return columns.isStatic() && columns.constant() < count ? 0 : count;
}

void NestEmitter::chooseTranspose() {
  if (vectorLoop >= 0 || hasReductions() || nest.outputs.size() != 1)
    return;
  const Access &output = nest.outputs[0];
  bool readsOutput = !nest.body->getArgument(nest.inputs.size()).use_empty();
  bool hasRegions = llvm::any_of(*nest.body, [](Operation &op) { return op.getNumRegions() != 0; });
  bool readsIndices = !nest.body->getOps<linalg::IndexOp>().empty() || !nest.body->getOps<tensor::ExtractOp>().empty();
  if (readsOutput || hasRegions || readsIndices || !output.nonlinear.empty() || output.panel || !output.buffer->memref)
    return;
  for (unsigned to : parallels)
    for (unsigned from : llvm::reverse(parallels)) {
      int64_t count = from != to && output.coefs[to].is(1) ? getTransposeLanes(from, to) : 0;
      if (!count)
        continue;
      vectorLoop = static_cast<int>(from);
      storeLoop = static_cast<int>(to);
      lanes = count;
      llvm::erase(parallels, from);
      llvm::erase(parallels, to);
      return;
    }
}

/// Rows [lower, upper) of the loop along which inputs lie.
void NestEmitter::emitTransposed(Value lower, Value upper) {
  unsigned from = vectorLoop, to = storeLoop;
  const Size &columns = nest.loops[to].extent;
  bool isFew = columns.isStatic() && columns.constant() <= mostInterleaved;
  Value main = kb.add(lower, kb.alignDown(arith::SubIOp::create(kb.b, kb.loc, upper, lower), lanes)),
        zero = kb.index(0), end = kb.sizeValue(columns);
  kb.loop(lower, main, lanes, [&](Value row) {
    at[from] = {row};
    if (isFew)
      return emitInterleaved(columns.constant());
    Value whole = kb.alignDown(end, lanes);
    kb.loop(zero, whole, lanes, [&](Value column) {
      at[to] = {column};
      emitSquare();
    });
    kb.loop(whole, end, 1, [&](Value column) {
      at[to] = {column};
      kb.storeAlong(kb.splat(element(lanes, {})[0], lanes), nest.outputs[0], at, from, lanes);
    });
  });
  kb.loop(main, upper, 1, [&](Value row) {
    at[from] = {row};
    kb.loop(zero, end, 1, [&](Value column) {
      at[to] = {column};
      kb.storeAlong(element(1, {})[0], nest.outputs[0], at, to, 1);
    });
  });
}

/// `count` vectors, one for each of the next elements of the loop that is written along.
NestEmitter::Values NestEmitter::emitColumns(int64_t count) {
  Values columns;
  Pos start = at[storeLoop];
  for (int64_t i = 0; i < count; ++i) {
    at[storeLoop].offset = start.offset + i;
    columns.push_back(kb.splat(element(lanes, {})[0], lanes));
  }
  at[storeLoop] = start;
  return columns;
}

void NestEmitter::emitSquare() {
  Values rows = emitColumns(lanes);
  kb.transposeSquare(rows);
  Pos start = at[vectorLoop];
  for (int64_t i = 0; i < lanes; ++i) {
    at[vectorLoop].offset = start.offset + i;
    kb.storeAlong(rows[i], nest.outputs[0], at, storeLoop, lanes);
  }
  at[vectorLoop] = start;
}

/// Element i of the result is element i / count of column i % count.
void NestEmitter::emitInterleaved(int64_t count) {
  at[storeLoop] = {};
  Values columns = emitColumns(count);
  Value base = kb.address(nest.outputs[0], at);
  for (int64_t part = 0; part < count; ++part) {
    Value result = columns[0];
    for (int64_t column = 1; column < count; ++column) {
      SmallVector<int64_t> mask;
      for (int64_t lane = 0; lane < lanes; ++lane) {
        int64_t place = part * lanes + lane, own = place % count;
        mask.push_back(own == column ? lanes + place / count : column == 1 ? place / count : lane);
      }
      result = vector::ShuffleOp::create(kb.b, kb.loc, result, columns[column], mask);
    }
    kb.store(result, *nest.outputs[0].buffer, kb.add(base, part * lanes));
  }
}
