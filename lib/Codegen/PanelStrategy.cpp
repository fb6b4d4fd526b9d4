//===- PanelStrategy.cpp - rows of accumulators over panels of columns --------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "PanelStrategy.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::codegen;
/// Steps of an inner reduction loop that are unrolled.
static constexpr int64_t unrolledSteps = 16;

PanelStrategy::PanelStrategy(KernelBuilder &kb, Contract contractIn, ContractRoles rolesIn)
    : ContractStrategy(kb, std::move(contractIn), std::move(rolesIn)) {
  unsigned bits = accumulatorType().getIntOrFloatBitWidth();
  lanes = kb.target.lanes(bits);
  const Size &columns = extent(roles.n);
  bool isGrouped = getDepth(contract.op).has_value();
  if (contract.rhs.panel) {
    width = contract.rhs.panel->width;
    while (width % lanes)
      lanes /= 2;
    if (isGrouped)
      dot.emplace(kb, contract.op, lanes);
    partsPerPanel = dot ? dot->panelParts(width / lanes) : kb.target.panelParts(width / lanes);
  } else {
    width = lanes > 1 ? 2 * lanes : 4;
    // Vectors of columns may be read as they lie only where none reaches past the end.
    bool fits = contract.rhs.coefs[roles.n].is(1) && columns.isStatic() && columns.constant() % lanes == 0;
    packsAtRunTime = !fits || paysToPack();
  }
  if (isGrouped && !dot)
    dot.emplace(kb, contract.op, lanes);
  if (roles.m >= 0)
    lhsRowStride = contract.lhs.coefs[roles.m];
  if (lanes > 1 && !packsAtRunTime)
    joinRows();
  if (dot)
    tiles = TileStep::choose(kb, contract, roles, width);
  chooseRegisters();
  takeMeasured();
  chooseBlocks();
  chooseReductionBlock();
  choosePrefetch();
}

SmallVector<TileDim> PanelStrategy::chooseTiles() {
  SmallVector<TileDim> tiles;
  for (unsigned loop : roles.batch)
    tiles.push_back({extent(loop), 1});
  if (columnShares > 1)
    tiles.push_back({Size(columnShares), 1});
  if (!packsAtRunTime) {
    for (auto [i, loop] : llvm::enumerate(roles.rows))
      tiles.push_back({extent(loop), i + 1 == roles.rows.size() && rowBlock ? rowBlock : 1});
    if (mBlock)
      tiles.push_back({extent(roles.m), mBlock});
  }
  tiles.push_back(columnShares > 1 ? TileDim{Size(numGroups() / columnShares), 1}
                                   : TileDim{extent(roles.n), groupWidth()});
  return tiles;
}

LogicalResult PanelStrategy::emit(ArrayRef<Value> ivs) {
  if (ivs.empty())
    return emitAllTiles([&](ArrayRef<Value> all) { return emit(all); });
  extraCache.clear();
  unsigned next = 0;
  for (unsigned loop : roles.batch)
    at[loop] = {ivs[next++]};
  Value firstGroup = columnShares > 1 ? kb.mul(ivs[next++], Size(numGroups() / columnShares)) : Value();
  range = {};
  auto blockRange = [&](Value tile, int64_t block, const Size &size, Value &lower, Value &upper) {
    lower = arith::MulIOp::create(kb.b, kb.loc, tile, kb.index(block));
    upper = kb.minimum(kb.add(lower, block), kb.sizeValue(size));
  };
  if (!packsAtRunTime) {
    for (auto [i, loop] : llvm::enumerate(roles.rows)) {
      Value tile = ivs[next++];
      if (i + 1 == roles.rows.size() && rowBlock > 1)
        blockRange(tile, rowBlock, extent(loop), range.rowLower, range.rowUpper);
      else
        at[loop] = {tile};
    }
    if (mBlock)
      blockRange(ivs[next++], mBlock, extent(roles.m), range.mLower, range.mUpper);
  }
  emitGroup(kb.add(firstGroup, ivs[next]));
  return failure(failed);
}

void PanelStrategy::emitGroup(Value group) {
  int64_t groupWidth = this->groupWidth(), vectors = groupWidth / lanes;
  at[roles.n] = {kb.mul(group, Size(groupWidth))};
  if (partsPerPanel == 1) {
    at[roles.n].panel = kb.mul(group, Size(panelsPerGroup));
  } else {
    Value parts = kb.index(partsPerPanel);
    at[roles.n].panel = arith::DivUIOp::create(kb.b, kb.loc, group, parts);
    at[roles.n].within = kb.mul(arith::RemUIOp::create(kb.b, kb.loc, group, parts), Size(groupWidth));
  }
  if (packsAtRunTime)
    packPanel();
  const Size &columns = extent(roles.n);
  orderVectors = vectors;
  if (!columns.isStatic()) {
    Value end = kb.add(at[roles.n].value, groupWidth);
    Value whole = arith::CmpIOp::create(kb.b, kb.loc, arith::CmpIPredicate::ule, end, kb.sizeValue(columns));
    kb.ifElse(whole, [&] { emitRows(vectors, lanes); }, [&] { emitRows(vectors, -1); });
    return;
  }
  int64_t fullGroups = columns.constant() / groupWidth, rest = columns.constant() % groupWidth;
  auto emitRest = [&] { emitRows(llvm::divideCeil(rest, lanes), rest % lanes ? rest % lanes : lanes); };
  if (rest == 0)
    return emitRows(vectors, lanes);
  if (fullGroups == 0) {
    orderVectors = llvm::divideCeil(rest, lanes);
    return emitRest();
  }
  Value whole = arith::CmpIOp::create(kb.b, kb.loc, arith::CmpIPredicate::ult, group, kb.index(fullGroups));
  Pos column = at[roles.n];
  kb.ifElse(
      whole, [&] { emitRows(vectors, lanes); },
      [&] {
        at[roles.n] = column;
        emitRest();
      });
}

/// All rows of the tile; `valid` lanes of the last vector are stored (-1: as many as there are columns left).
void PanelStrategy::emitRows(int64_t vectors, int64_t valid) {
  if (kBlock)
    return emitBlocked(vectors, valid);
  Pos column = at[roles.n];
  auto emitM = [&] {
    if (roles.m < 0)
      return emitTile(1, vectors, valid);
    if (tiles)
      return emitBlocks(column, vectors, valid);
    emitRowTiles(roles.m, range.mLower, range.mUpper, rowsPerTile, [&](int64_t mr) {
      at[roles.n] = column;
      emitTile(mr, vectors, valid);
    });
  };
  if (packsAtRunTime)
    return emitLoops(roles.rows, emitM);
  if (!range.rowLower)
    return emitM();
  unsigned loop = roles.rows.back();
  kb.loop(range.rowLower, range.rowUpper, 1, [&](Value iv) {
    at[loop] = {iv};
    emitM();
  });
}

/// body(mr, place of its first sum in `sums`) for all tiles of rows.
void PanelStrategy::forSums(int64_t vectors, function_ref<void(int64_t, Value)> body) {
  Pos column = at[roles.n];
  emitRowTiles(roles.m, range.mLower, range.mUpper, rowsPerTile, [&](int64_t mr) {
    at[roles.n] = column;
    Value row = kb.posValue(at[roles.m]);
    if (range.mLower)
      row = arith::SubIOp::create(kb.b, kb.loc, row, range.mLower);
    body(mr, kb.mul(row, Size(width)));
  });
  at[roles.n] = column;
}

PanelStrategy::Values PanelStrategy::loadSums(Value place, int64_t mr, int64_t vectors) {
  Values values;
  for (int64_t i = 0; i < mr; ++i)
    for (int64_t j = 0; j < vectors; ++j)
      values.push_back(kb.load(sums, kb.add(place, i * width + j * lanes), lanes));
  return values;
}

void PanelStrategy::storeSums(ArrayRef<Value> values, Value place, int64_t vectors) {
  for (auto [i, value] : llvm::enumerate(values))
    kb.store(value, sums,
             kb.add(place, static_cast<int64_t>(i) / vectors * width + static_cast<int64_t>(i) % vectors * lanes));
}

/// All rows for one block of the reduction after the other, then the epilogue.
void PanelStrategy::emitBlocked(int64_t vectors, int64_t valid) {
  unsigned inner = roles.reductions.back();
  forSums(vectors, [&](int64_t mr, Value place) {
    storeSums(Values(mr * vectors, kb.zero(accumulatorType(), lanes)), place, vectors);
  });
  emitLoops(ArrayRef(roles.reductions).drop_back(), [&] {
    Value end = kb.sizeValue(extent(inner));
    kb.loop(kb.index(0), end, kBlock, [&](Value lower) {
      Value upper = kb.minimum(kb.add(lower, kBlock), end);
      forSums(vectors, [&](int64_t mr, Value place) {
        startPrefetch(lower);
        Values added = kb.loop(lower, upper, 1, loadSums(place, mr, vectors), [&](Value k, ValueRange carried) {
          at[inner] = {k};
          return emitStep(Values(carried), mr, vectors);
        });
        storeSums(added, place, vectors);
      });
    });
  });
  forSums(vectors, [&](int64_t mr, Value place) {
    Values values = loadSums(place, mr, vectors);
    extraCache.clear();
    if (valid < 0)
      storeBounded(values, mr, vectors);
    else
      store(values, mr, vectors, valid);
  });
}

/// Rows of the current range in blocks through tile registers, what is left over as vectors.
void PanelStrategy::emitBlocks(Pos column, int64_t vectors, int64_t valid) {
  const Size &size = extent(roles.m);
  int64_t block = tiles->getRows(), whole = size.isStatic() ? size.constant() / block * block : 0;
  Value lower = range.mLower ? range.mLower : kb.index(0), upper = range.mLower ? range.mUpper : kb.sizeValue(size);
  Value rest = arith::RemUIOp::create(kb.b, kb.loc, arith::SubIOp::create(kb.b, kb.loc, upper, lower), kb.index(block));
  Value stop = size.isStatic() ? kb.minimum(upper, kb.index(whole))
                               : arith::SubIOp::create(kb.b, kb.loc, upper, rest).getResult();
  auto emitRest = [&](Pos position, int64_t mr) {
    at[roles.m] = {position.value, position.offset + whole};
    at[roles.n] = column;
    emitTile(mr, vectors, valid);
  };
  kb.loop(lower, stop, block, [&](Value iv) {
    at[roles.m] = {iv};
    at[roles.n] = column;
    emitBlock(vectors, valid);
  });
  if (!size.isStatic())
    return splitRows(size, stop, upper, rowsPerTile, emitRest);
  int64_t left = size.constant() - whole;
  if (left)
    kb.ifElse(arith::CmpIOp::create(kb.b, kb.loc, arith::CmpIPredicate::eq, upper, kb.index(size.constant())),
              [&] { splitRows(Size(left), {}, {}, rowsPerTile, emitRest); });
}

/// One block: the sums through tile registers into scratch, then its rows, a few at a time.
void PanelStrategy::emitBlock(int64_t vectors, int64_t valid) {
  int64_t rows = tiles->getRows(), step = rows % 4 == 0 ? 4 : rows % 2 == 0 ? 2 : 1;
  Value first = kb.posValue(at[roles.m]);
  Pos column = at[roles.n];
  tiles->emit(at, vectors);
  kb.loop(kb.index(0), kb.index(rows), step, [&](Value iv) {
    at[roles.m] = {kb.add(first, iv)};
    at[roles.n] = column;
    Values sums;
    for (int64_t i = 0; i < step * vectors; ++i)
      sums.push_back(kb.load(tiles->getSums(), kb.add(tiles->getAddress(iv, vectors), i * lanes), lanes));
    extraCache.clear();
    valid < 0 ? storeBounded(sums, step, vectors) : store(sums, step, vectors, valid);
    extraCache.clear();
  });
}

void PanelStrategy::emitTile(int64_t mr, int64_t vectors, int64_t valid) {
  Values accumulators = accumulate(mr, vectors);
  extraCache.clear();
  if (valid < 0)
    storeBounded(accumulators, mr, vectors);
  else
    store(accumulators, mr, vectors, valid);
}

/// One group of the reduction, of which `elements` are there.
PanelStrategy::Values PanelStrategy::emitDotStep(Values accumulators, int64_t mr, int64_t vectors, int64_t elements) {
  Pos row = roles.m >= 0 ? at[roles.m] : Pos();
  accumulators = emitDots(std::move(accumulators), mr, vectors, [&](int64_t i) {
    if (roles.m >= 0)
      at[roles.m].offset = row.offset + i;
    return dot->loadGroup(contract.lhs, at, elements);
  });
  if (roles.m >= 0)
    at[roles.m] = row;
  return accumulators;
}

/// Several groups, after one load of each row where that brings them all.
PanelStrategy::Values PanelStrategy::emitDotSteps(Values accumulators, int64_t mr, int64_t vectors) {
  Pos row = roles.m >= 0 ? at[roles.m] : Pos(), group = at[roles.reductions.back()];
  bool isLoaded = dot->groupsPerLoad() > 1;
  Values rows;
  for (int64_t i = 0; isLoaded && i < mr; ++i) {
    if (roles.m >= 0)
      at[roles.m].offset = row.offset + i;
    rows.push_back(dot->loadGroups(contract.lhs, at));
  }
  if (roles.m >= 0)
    at[roles.m] = row;
  for (int64_t g = 0; g < dot->groupsAtOnce(); ++g) {
    at[roles.reductions.back()].offset = group.offset + g;
    accumulators =
        isLoaded ? emitDots(std::move(accumulators), mr, vectors, [&](int64_t i) { return dot->takeGroup(rows[i], g); })
                 : emitDotStep(std::move(accumulators), mr, vectors, dot->groupSize());
  }
  at[roles.reductions.back()] = group;
  return accumulators;
}

/// One group of all columns, times the same one of each row.
PanelStrategy::Values PanelStrategy::emitDots(Values accumulators, int64_t mr, int64_t vectors,
                                              function_ref<Value(int64_t)> groupOfRow) {
  Pos column = at[roles.n];
  Values columns;
  for (int64_t j = 0; j < vectors; ++j) {
    at[roles.n].offset = column.offset + j * lanes;
    columns.append(dot->loadColumns(*contract.rhs.buffer, kb.address(contract.rhs, at)));
  }
  at[roles.n] = column;
  return dot->step(std::move(accumulators), mr, vectors, columns, groupOfRow);
}

/// One multiply-add for each accumulator.
PanelStrategy::Values PanelStrategy::emitStep(Values accumulators, int64_t mr, int64_t vectors) {
  if (dot) {
    int64_t tail = hasGroupLoop() ? 0 : depthTail();
    return emitDotStep(std::move(accumulators), mr, vectors, tail ? tail : dot->groupSize());
  }
  Pos column = at[roles.n], row = roles.m >= 0 ? at[roles.m] : Pos();
  Values columns;
  for (int64_t j = 0; j < vectors; ++j) {
    at[roles.n].offset = column.offset + j * lanes;
    columns.push_back(kb.splat(rhsVector(), lanes));
    if (prefetchesStream)
      kb.prefetch(contract.rhs, at, prefetchAhead);
  }
  if (prefetchFrom) {
    int64_t line = 512 / contract.rhs.buffer->element.getIntOrFloatBitWidth();
    kb.prefetch(*contract.rhs.buffer,
                kb.add(prefetchFrom, kb.mul(kb.posValue(at[roles.reductions.back()]), Size(line))));
  }
  at[roles.n] = column;
  for (int64_t i = 0; i < mr; ++i) {
    if (roles.m >= 0)
      at[roles.m].offset = row.offset + i;
    Value element = kb.splat(lhs(), lanes);
    for (int64_t j = 0; j < vectors; ++j)
      accumulators[i * vectors + j] = kb.multiplyAdd(element, columns[j], accumulators[i * vectors + j]);
  }
  if (roles.m >= 0)
    at[roles.m] = row;
  return accumulators;
}

/// Runs the reduction loops. With few accumulators the innermost one is unrolled over several sets of them; as many for
/// the last columns as for all others, so that equal columns give equal sums.
PanelStrategy::Values PanelStrategy::accumulate(int64_t mr, int64_t vectors) {
  int64_t count = dot ? dot->numAccumulators(mr, vectors) : mr * vectors, sets = 1;
  int64_t tail = hasGroupLoop() ? depthTail() : 0;
  Value zero = kb.zero(accumulatorType(), lanes);
  if (roles.reductions.empty()) {
    Values sums = emitStep(Values(count, zero), mr, vectors);
    return dot ? dot->finish(sums, mr, vectors) : sums;
  }
  unsigned inner = roles.reductions.back();
  Size size = tail ? Size(extent(inner).constant() - 1) : extent(inner);
  // A short loop would end in a mispredicted branch each time.
  bool isShort = roles.reductions.size() > 1 && size.isStatic() && size.constant() <= unrolledSteps;
  int64_t inFlight = mr * orderVectors * (dot ? dot->partials() : 1);
  // Rows of which one load brings several groups take as many steps at once. Sums in general registers are few.
  int64_t together = hasGroupLoop() ? dot->groupsAtOnce() : 1;
  while (!isShort && together == 1 && sets < 4 && sets * inFlight < enoughAccumulators &&
         (!size.isStatic() || size.constant() >= 4 * sets))
    sets *= 2;
  auto steps = [&](Values carried, Pos start, int64_t n) {
    for (int64_t s = 0; s < n; ++s) {
      at[inner] = {start.value, start.offset + s};
      Values part(ArrayRef(carried).slice(s * count, count));
      llvm::copy(emitStep(part, mr, vectors), carried.begin() + s * count);
    }
    return carried;
  };
  ArrayRef<unsigned> outer = ArrayRef(roles.reductions).drop_back();
  prefetchFrom = {};
  Values carried = emitReductions(outer, Values(sets * count, zero), [&](Values values) {
    auto lastStep = [&](Values all) {
      if (!tail)
        return all;
      at[inner] = {Value(), size.constant()};
      Values part(ArrayRef(all).take_front(count));
      llvm::copy(emitDotStep(part, mr, vectors, tail), all.begin());
      return all;
    };
    for (int64_t s = 0; isShort && s < size.constant();) {
      bool isWhole = together > 1 && s + together <= size.constant();
      at[inner] = {Value(), s};
      values = isWhole ? emitDotSteps(values, mr, vectors) : steps(values, {Value(), s}, 1);
      s += isWhole ? together : 1;
    }
    if (isShort)
      return lastStep(values);
    startPrefetch({});
    Value end = kb.sizeValue(size), main = end;
    if (together > 1) {
      int64_t whole = size.constant() / together * together;
      values = kb.loop(kb.index(0), kb.index(whole), together, values, [&](Value iv, ValueRange v) {
        at[inner] = {iv};
        return emitDotSteps(Values(v), mr, vectors);
      });
      for (int64_t s = whole; s < size.constant(); ++s)
        values = steps(values, {Value(), s}, 1);
      return lastStep(values);
    }
    if (sets > 1 && size.isStatic())
      main = kb.index(size.constant() / sets * sets);
    else if (sets > 1)
      main = arith::SubIOp::create(kb.b, kb.loc, end, arith::RemUIOp::create(kb.b, kb.loc, end, kb.index(sets)));
    values =
        kb.loop(kb.index(0), main, sets, values, [&](Value iv, ValueRange v) { return steps(Values(v), {iv}, sets); });
    if (sets > 1 && (!size.isStatic() || size.constant() % sets))
      values = kb.loop(main, end, 1, values, [&](Value iv, ValueRange v) { return steps(Values(v), {iv}, 1); });
    return lastStep(values);
  });
  for (; sets > 1; sets /= 2)
    for (int64_t i = 0; i < sets / 2 * count; ++i) {
      Value other = carried[i + sets / 2 * count];
      carried[i] = isa<IntegerType>(accumulatorType())
                       ? arith::AddIOp::create(kb.b, kb.loc, carried[i], other).getResult()
                       : arith::AddFOp::create(kb.b, kb.loc, carried[i], other).getResult();
    }
  carried.truncate(count);
  return dot ? dot->finish(carried, mr, vectors) : carried;
}

void PanelStrategy::store(ArrayRef<Value> accumulators, int64_t mr, int64_t vectors, int64_t valid) {
  Pos column = at[roles.n], row = roles.m >= 0 ? at[roles.m] : Pos();
  for (int64_t j = 0; j < vectors; ++j)
    for (int64_t i = 0; i < mr; ++i) {
      if (roles.m >= 0)
        at[roles.m].offset = row.offset + i;
      at[roles.n].offset = column.offset + j * lanes;
      if (j + 1 < vectors || valid == lanes)
        finish(accumulators[i * vectors + j], roles.n, lanes);
      else
        finishPartial(accumulators[i * vectors + j], roles.n, valid);
    }
  at[roles.n] = column;
  if (roles.m >= 0)
    at[roles.m] = row;
}

/// Stores through a buffer, one element at a time, because the number of columns is known only at run time.
void PanelStrategy::storeBounded(ArrayRef<Value> accumulators, int64_t mr, int64_t vectors) {
  if (!edge.memref) {
    FailureOr<Buffer> buffer = kb.allocateScratch(accumulatorType(), {Size(rowsPerTile), Size(vectors * lanes)});
    if (mlir::failed(buffer)) {
      failed = true;
      return;
    }
    edge = *buffer;
  }
  for (int64_t i = 0; i < mr; ++i)
    for (int64_t j = 0; j < vectors; ++j)
      kb.store(accumulators[i * vectors + j], edge, kb.index((i * vectors + j) * lanes));
  Pos column = at[roles.n], row = roles.m >= 0 ? at[roles.m] : Pos();
  Value left = arith::SubIOp::create(kb.b, kb.loc, kb.sizeValue(extent(roles.n)), column.value);
  kb.loop(kb.index(0), kb.index(mr), 1, [&](Value i) {
    if (roles.m >= 0)
      at[roles.m] = {kb.add(kb.posValue(row), i)};
    kb.loop(kb.index(0), left, 1, [&](Value j) {
      at[roles.n] = {kb.add(column.value, j)};
      extraCache.clear();
      Value place = kb.add(kb.mul(i, Size(vectors * lanes)), j);
      finish(kb.load(edge, place, 1), roles.n, 1);
      extraCache.clear();
    });
  });
  at[roles.n] = column;
  if (roles.m >= 0)
    at[roles.m] = row;
}

std::unique_ptr<ContractStrategy> leaf::codegen::makePanelStrategy(KernelBuilder &kb, Contract contract,
                                                                   ContractRoles roles) {
  return std::make_unique<PanelStrategy>(kb, std::move(contract), std::move(roles));
}
