//===- SparseStrategy.cpp - contractions with weights that are mostly zero ----===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
// The rhs is encoded as Leaf/Sparse.h says. With several rows, rows run along the lanes: a block of rows of lhs is
// transposed, one segment of the reduction at a time, so that it stays in the first level cache:
//
//   for each segment: tile[k][rows] = lhs[rows][k]
//                     for each column: sums[column][rows] += value * tile[position][rows], over the column's entries
//   out[rows][columns] = epilogue(transposed sums)
//
// An entry costs one broadcast, one position and a multiply-add for each vector of rows, which reads the tile as its
// memory operand (after Park et al., Faster CNNs with Direct Sparse Convolutions, 2017, and Elsen et al., Fast Sparse
// ConvNets, 2020). With few rows, or without vectors, each row is a scalar sum that reads lhs where it lies.
//
//===----------------------------------------------------------------------===//

#include "ContractEmitter.h"
#include "Leaf/Sparse.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::codegen;

namespace {
/// Rows from which on they run along lanes.
constexpr int64_t fewestLanes = 4;
/// Vectors of rows that share an entry's value and position.
constexpr int64_t mostVectors = 4;
/// Independent sums that hide the latency of a multiply-add.
constexpr int64_t enoughSums = 4;
/// Operations of an epilogue that is written out for each row.
constexpr int64_t mostUnrolled = 6;
/// Columns whose sums are kept until the reduction is done.
constexpr int64_t mostColumns = 1024;

class SparseStrategy : public ContractStrategy {
public:
  SparseStrategy(KernelBuilder &kb, Contract contractIn, ContractRoles rolesIn)
      : ContractStrategy(kb, std::move(contractIn), std::move(rolesIn)), block(*getSparseBlock(contract.op)),
        segmentSize(getSparseSegment(contract.op)),
        nativeLanes(kb.target.lanes(accumulatorType().getIntOrFloatBitWidth())), lanes(nativeLanes) {
    for (unsigned loop : roles.reductions)
      if (contract.rhs.uses(loop))
        outer.push_back(loop);
      else
        inner = loop;
    if (lanes > 1)
      joinRows();
    chooseShape();
  }

  SmallVector<TileDim> chooseTiles() override {
    SmallVector<TileDim> tiles;
    for (unsigned loop : roles.rows)
      tiles.push_back({extent(loop), 1});
    if (hasRowTiles())
      tiles.push_back({extent(roles.m), rowsPerTile()});
    tiles.push_back({extent(roles.n), columnsPerTile()});
    return tiles;
  }

  LogicalResult emit(ArrayRef<Value> tiles) override {
    if (tiles.empty())
      return emitAllTiles([&](ArrayRef<Value> ivs) { return emit(ivs); });
    for (auto [loop, tile] : llvm::zip(roles.rows, tiles))
      at[loop] = {tile};
    int64_t width = columnsPerTile(), all = columns();
    Value first = kb.mul(tiles.back(), Size(width));
    Value end = width >= all ? kb.index(all) : kb.minimum(kb.add(first, width), kb.index(all));
    Value row = hasRowTiles() ? kb.mul(tiles[roles.rows.size()], Size(rowsPerTile())) : kb.index(0);
    FailureOr<Buffer> buffer =
        kb.allocateScratch(accumulatorType(), {Size(llvm::alignTo(width, nativeLanes)), Size(rowsInSums())});
    if (mlir::failed(buffer))
      return failure();
    sums = *buffer;
    clearSums(first, end);
    LogicalResult result = isBlocked() ? emitBlocked(row, first, end) : emitDirect(first, end);
    return success(succeeded(result) && !failed);
  }

private:
  bool isBlocked() const { return vectors > 0; }
  bool hasRowTiles() const { return isBlocked(); }
  int64_t columns() const { return extent(roles.n).constant(); }
  int64_t rowsPerTile() const { return vectors * lanes; }
  /// Rows of one column of `sums`: of a blocked tile along the lanes; else columns run along the lanes, row by row.
  int64_t rowsInSums() const { return isBlocked() ? rowsPerTile() : directRows; }

  void joinRows();
  void chooseShape();
  int64_t columnsPerTile() const;
  void clearSums(Value first, Value end);
  void emitSegments(function_ref<void(Value segment, Value lower, Value upper)> body);
  void emitColumns(Value segment, Value first, Value end,
                   function_ref<void(Value column, Value begin, Value end)> body);
  Values emitEntries(Value begin, Value end, int64_t count, int64_t width, function_ref<Values(Value, Values)> step);
  Value entryValue(Value entry, int64_t column, int64_t width);
  Value entryPosition(Value entry);
  LogicalResult emitBlocked(Value row, Value first, Value end);
  bool prefetches() const;
  void packTile(Value row, Value lower, Value upper);
  void addColumns(Value segment, Value first, Value end);
  void storeBlocked(Value row, Value first, Value end);
  void storeSquare(Value row, Value group, Value column, Value rows, int64_t valid);
  LogicalResult emitDirect(Value first, Value end);
  void addDirect(Value segment, Value lower, Value first, Value end);
  void storeDirect(Value first, Value end);
  void forColumnVectors(Value first, Value end, function_ref<void(Value column, int64_t valid)> body);

  int64_t block, segmentSize; ///< columns of an entry; elements of the reduction in a segment
  int64_t nativeLanes, lanes; ///< of a vector of the target; of rows
  int64_t vectors = 0;        ///< of rows in a tile; 0: rows don't run along lanes
  int64_t directRows = 1;     ///< rows of scalar sums, where vectors is 0
  unsigned inner = 0;         ///< the reduction that positions count along
  SmallVector<unsigned> outer;
  Buffer sums;   ///< [columns of a tile][rows], or [rows][columns] where vectors is 0
  Buffer tile;   ///< [segment][rows]
  Buffer square; ///< [rows of a vector][columns of a vector]
};
} // namespace

/// Makes all loops of rows one; operands that don't walk them as one are addressed by quotient and remainder.
void SparseStrategy::joinRows() {
  SmallVector<Access *> operands{&contract.lhs, &contract.out};
  for (Access &extra : contract.extras)
    operands.push_back(&extra);
  while (!roles.rows.empty() && roles.m >= 0 && extent(roles.m).isStatic()) {
    unsigned outerRow = roles.rows.back(), innerRow = roles.m;
    const Size &size = extent(innerRow);
    if (!llvm::all_of(operands, [&](Access *access) { return access->isLinearIn(outerRow); }))
      return;
    bool joinsAgain = llvm::any_of(operands, [&](Access *access) { return !access->isLinearIn(innerRow); });
    if (joinsAgain)
      return;
    AffineExpr row = kb.b.getAffineDimExpr(innerRow);
    for (Access *access : operands) {
      if (access->coefs[outerRow] != access->coefs[innerRow] * size) {
        access->nonlinear.push_back({row.floorDiv(size.constant()), access->coefs[outerRow]});
        access->nonlinear.push_back({row % size.constant(), access->coefs[innerRow]});
        access->coefs[innerRow] = Size(0);
      }
      access->coefs[outerRow] = Size(0);
    }
    contract.loops[innerRow].extent = extent(outerRow) * size;
    roles.rows.pop_back();
    at[outerRow] = Pos();
  }
}

void SparseStrategy::chooseShape() {
  if (lanes == 1 && roles.m >= 0) {
    roles.rows.push_back(roles.m);
    roles.m = -1;
  }
  if (roles.m < 0)
    return;
  int64_t rows = kb.upperBound(extent(roles.m)).value_or(1 << 20);
  bool isFew = extent(roles.m).isStatic() && rows < fewestLanes;
  if (isFew) {
    directRows = rows;
    return;
  }
  while (lanes > fewestLanes && lanes / 2 >= rows)
    lanes /= 2;
  // Loads of one entry, for all tiles: rows that are not there are computed too.
  auto cost = [&](int64_t count) { return llvm::divideCeil(rows, count * lanes) * (count + 2); };
  vectors = 1;
  for (int64_t count = 2; count <= mostVectors; ++count)
    if (cost(count) <= cost(vectors))
      vectors = count;
}

/// All, unless their sums take too much room, or there are workers without rows.
int64_t SparseStrategy::columnsPerTile() const {
  int64_t unit = std::max<int64_t>(nativeLanes, block), all = columns(), parts = llvm::divideCeil(all, mostColumns);
  int64_t rows = isBlocked() ? kb.upperBound(extent(roles.m)).value_or(1 << 20) : 1;
  int64_t rowTiles = isBlocked() ? llvm::divideCeil(rows, rowsPerTile()) : 1;
  if (kb.target.workers > 1 && rowTiles < 2 * kb.target.workers)
    parts = std::max(parts, std::min<int64_t>(2 * kb.target.workers, llvm::divideCeil(all, 4 * unit)));
  return std::min<int64_t>(llvm::alignTo(llvm::divideCeil(all, parts), unit), llvm::alignTo(all, unit));
}

void SparseStrategy::clearSums(Value first, Value end) {
  int64_t rows = rowsInSums();
  if (isBlocked()) {
    kb.loop(kb.index(0), arith::SubIOp::create(kb.b, kb.loc, end, first), 1, [&](Value column) {
      for (int64_t i = 0; i < rows; i += lanes)
        kb.store(kb.zero(accumulatorType(), lanes), sums, kb.add(kb.mul(column, Size(rows)), i));
    });
    return;
  }
  kb.loop(kb.index(0), kb.index(sums.sizes[0].constant() * rows), nativeLanes,
          [&](Value place) { kb.store(kb.zero(accumulatorType(), nativeLanes), sums, place); });
}

void SparseStrategy::emitSegments(function_ref<void(Value, Value, Value)> body) {
  emitLoops(outer, [&] {
    int64_t depth = extent(inner).constant();
    if (depth <= segmentSize)
      return body(kb.index(0), kb.index(0), kb.index(depth));
    kb.loop(kb.index(0), kb.index(llvm::divideCeil(depth, segmentSize)), 1, [&](Value segment) {
      Value lower = kb.mul(segment, Size(segmentSize));
      body(segment, lower, kb.minimum(kb.add(lower, segmentSize), kb.index(depth)));
    });
  });
}

static Value toIndex(KernelBuilder &kb, Value value) {
  return arith::IndexCastUIOp::create(kb.b, kb.loc, kb.b.getIndexType(), value);
}

/// body(first column, first entry, end of the entries) for all blocks of columns.
void SparseStrategy::emitColumns(Value segment, Value first, Value end, function_ref<void(Value, Value, Value)> body) {
  int64_t perSegment = columns() / block + 1;
  at[roles.n] = {};
  Value base = kb.add(kb.address(contract.rhs, at), kb.mul(segment, Size(perSegment)));
  auto toBlock = [&](Value column) -> Value {
    return block == 1 ? column : arith::DivUIOp::create(kb.b, kb.loc, column, kb.index(block)).getResult();
  };
  auto start = [&](Value index) { return toIndex(kb, kb.load(*contract.rhs.buffer, kb.add(base, index), 1)); };
  Value firstBlock = toBlock(first), endBlock = toBlock(end);
  kb.loop(firstBlock, endBlock, 1, {start(firstBlock)}, [&](Value index, ValueRange carried) -> Values {
    Value stop = start(kb.add(index, 1));
    body(kb.mul(index, Size(block)), carried[0], stop);
    return {stop};
  });
}

/// `width` values of an entry, from its column `column` on.
Value SparseStrategy::entryValue(Value entry, int64_t column, int64_t width) {
  const Buffer &starts = *contract.rhs.buffer, &values = *contract.extras[kSparseValues].buffer,
               &positions = *contract.extras[kSparsePositions].buffer;
  Value value = kb.load(values, kb.add(kb.mul(entry, Size(block)), column), width);
  // What is not used gets any number.
  return clonePrologue(contract.op.getRhsPrologue(), {kb.zero(starts.element, 1), value, kb.zero(positions.element, 1)},
                       width);
}

Value SparseStrategy::entryPosition(Value entry) {
  Value position = kb.load(*contract.extras[kSparsePositions].buffer, entry, 1);
  return toIndex(kb, arith::ExtUIOp::create(kb.b, kb.loc, kb.b.getI32Type(), position));
}

/// Carries `count` sums of `width` lanes over the entries; with few of them, in several sets that are added in the end.
SparseStrategy::Values SparseStrategy::emitEntries(Value begin, Value end, int64_t count, int64_t width,
                                                   function_ref<Values(Value, Values)> step) {
  int64_t sets = 1;
  while (sets * count < enoughSums)
    sets *= 2;
  Values carried(sets * count, kb.zero(accumulatorType(), width));
  auto advance = [&](Value entry, ValueRange values, int64_t steps) {
    Values all(values);
    for (int64_t s = 0; s < steps; ++s) {
      Values part(ArrayRef(all).slice(s * count, count));
      llvm::copy(step(kb.add(entry, s), part), all.begin() + s * count);
    }
    return all;
  };
  Value main = end;
  if (sets > 1) {
    Value left = arith::SubIOp::create(kb.b, kb.loc, end, begin);
    main = arith::SubIOp::create(kb.b, kb.loc, end, arith::RemUIOp::create(kb.b, kb.loc, left, kb.index(sets)));
  }
  carried = kb.loop(begin, main, sets, carried, [&](Value iv, ValueRange v) { return advance(iv, v, sets); });
  if (sets > 1)
    carried = kb.loop(main, end, 1, carried, [&](Value iv, ValueRange v) { return advance(iv, v, 1); });
  auto sum = [&](Value a, Value b) -> Value {
    if (isa<IntegerType>(accumulatorType()))
      return arith::AddIOp::create(kb.b, kb.loc, a, b);
    return arith::AddFOp::create(kb.b, kb.loc, a, b);
  };
  for (; sets > 1; sets /= 2)
    for (int64_t i = 0; i < sets / 2 * count; ++i)
      carried[i] = sum(carried[i], carried[i + sets / 2 * count]);
  carried.truncate(count);
  return carried;
}

//===----------------------------------------------------------------------===//
// Rows along the lanes
//===----------------------------------------------------------------------===//

LogicalResult SparseStrategy::emitBlocked(Value row, Value first, Value end) {
  int64_t depth = std::min<int64_t>(segmentSize, extent(inner).constant());
  FailureOr<Buffer> tileBuffer = kb.allocateScratch(accumulatorType(), {Size(depth), Size(rowsPerTile())});
  FailureOr<Buffer> squareBuffer = kb.allocateScratch(accumulatorType(), {Size(lanes), Size(lanes)});
  if (mlir::failed(tileBuffer) || mlir::failed(squareBuffer))
    return failure();
  tile = *tileBuffer;
  square = *squareBuffer;
  emitSegments([&](Value segment, Value lower, Value upper) {
    packTile(row, lower, upper);
    addColumns(segment, first, end);
  });
  storeBlocked(row, first, end);
  return success();
}

/// Whether lhs is more than the second level cache has from the kernel before.
bool SparseStrategy::prefetches() const {
  Size elements(1);
  for (const Size &size : contract.lhs.buffer->sizes)
    elements = elements * size;
  int64_t bits = contract.lhs.buffer->element.getIntOrFloatBitWidth();
  return kb.upperBound(elements).value_or(0) * bits / 8 > kb.target.l2Bytes / 2;
}

/// tile[k - lower][i] = lhs of row `row` + i. Behind the last row that one comes again.
void SparseStrategy::packTile(Value row, Value lower, Value upper) {
  Value last = arith::SubIOp::create(kb.b, kb.loc, kb.sizeValue(extent(roles.m)), kb.index(1));
  int64_t depth = extent(inner).constant();
  bool isWhole = depth % lanes == 0 || depth % segmentSize % lanes == 0;
  Value main = upper;
  if (!isWhole) {
    Value left = arith::SubIOp::create(kb.b, kb.loc, upper, lower);
    main = arith::SubIOp::create(kb.b, kb.loc, upper, arith::RemUIOp::create(kb.b, kb.loc, left, kb.index(lanes)));
  }
  kb.loop(kb.index(0), kb.index(rowsPerTile()), lanes, [&](Value group) {
    SmallVector<Pos> places;
    for (int64_t i = 0; i < lanes; ++i)
      places.push_back({kb.minimum(kb.add(kb.add(row, group), i), last)});
    // The same part of the next tile is asked for, and comes while the columns of this one are computed.
    SmallVector<Pos> ahead;
    for (int64_t i = 0; prefetches() && i < lanes; ++i)
      ahead.push_back({kb.minimum(kb.add(kb.add(row, group), rowsPerTile() + i), last)});
    auto place = [&](Value k, int64_t further) {
      Value inTile = kb.add(arith::SubIOp::create(kb.b, kb.loc, k, lower), further);
      return kb.add(kb.mul(inTile, Size(rowsPerTile())), group);
    };
    kb.loop(lower, main, lanes, [&](Value k) {
      at[inner] = {k};
      Values square;
      for (const Pos &position : places) {
        at[roles.m] = position;
        square.push_back(kb.splat(lhs(static_cast<int>(inner), lanes), lanes));
      }
      for (const Pos &position : ahead) {
        at[roles.m] = position;
        kb.prefetch(contract.lhs, at, 0);
      }
      kb.transposeSquare(square);
      for (int64_t i = 0; i < lanes; ++i)
        kb.store(square[i], tile, place(k, i));
    });
    if (isWhole)
      return;
    kb.loop(main, upper, 1, [&](Value k) {
      at[inner] = {k};
      Value to = place(k, 0);
      for (auto [i, position] : llvm::enumerate(places)) {
        at[roles.m] = position;
        kb.store(lhs(), tile, kb.add(to, static_cast<int64_t>(i)));
      }
    });
  });
}

void SparseStrategy::addColumns(Value segment, Value first, Value end) {
  int64_t rows = rowsPerTile(), count = vectors * block;
  emitColumns(segment, first, end, [&](Value column, Value begin, Value stop) {
    Values added = emitEntries(begin, stop, count, lanes, [&](Value entry, Values part) {
      Value base = kb.mul(entryPosition(entry), Size(rows));
      Values row;
      for (int64_t v = 0; v < vectors; ++v)
        row.push_back(kb.load(tile, kb.add(base, v * lanes), lanes));
      for (int64_t c = 0; c < block; ++c) {
        Value value = kb.splat(entryValue(entry, c, 1), lanes);
        for (int64_t v = 0; v < vectors; ++v)
          part[c * vectors + v] = kb.multiplyAdd(value, row[v], part[c * vectors + v]);
      }
      return part;
    });
    Value to = kb.mul(arith::SubIOp::create(kb.b, kb.loc, column, first), Size(rows));
    for (auto [i, value] : llvm::enumerate(added)) {
      Value place = kb.add(to, static_cast<int64_t>(i) * lanes);
      Value old = kb.load(sums, place, lanes);
      Value sum = isa<IntegerType>(accumulatorType()) ? arith::AddIOp::create(kb.b, kb.loc, old, value).getResult()
                                                      : arith::AddFOp::create(kb.b, kb.loc, old, value).getResult();
      kb.store(sum, sums, place);
    }
  });
}

/// body(column, valid) for the columns [first, end) in vectors of as many columns as rows have lanes; the last one may
/// have fewer that are valid.
void SparseStrategy::forColumnVectors(Value first, Value end, function_ref<void(Value, int64_t)> body) {
  int64_t width = isBlocked() ? lanes : nativeLanes, whole = columns() / width * width;
  kb.loop(first, kb.minimum(end, kb.index(whole)), width, [&](Value column) { body(column, width); });
  if (whole == columns())
    return;
  Value isLast = arith::CmpIOp::create(kb.b, kb.loc, arith::CmpIPredicate::eq, end, kb.index(columns()));
  kb.ifElse(isLast, [&] { body(kb.index(whole), columns() - whole); });
}

void SparseStrategy::storeBlocked(Value row, Value first, Value end) {
  Value all = kb.sizeValue(extent(roles.m));
  forColumnVectors(first, end, [&](Value column, int64_t valid) {
    kb.loop(kb.index(0), kb.index(rowsPerTile()), lanes, [&](Value group) {
      Value start = kb.minimum(kb.add(row, group), all);
      Value left = kb.minimum(arith::SubIOp::create(kb.b, kb.loc, all, start), kb.index(lanes));
      Value to = kb.add(kb.mul(arith::SubIOp::create(kb.b, kb.loc, column, first), Size(rowsPerTile())), group);
      storeSquare(start, to, column, left, valid);
    });
  });
}

/// Columns [column, column + valid) of `rows` rows from `row` on; their sums stand at `from`.
void SparseStrategy::storeSquare(Value row, Value from, Value column, Value rows, int64_t valid) {
  Values values;
  for (int64_t i = 0; i < lanes; ++i)
    values.push_back(i < valid ? kb.load(sums, kb.add(from, i * rowsPerTile()), lanes)
                               : kb.zero(accumulatorType(), lanes));
  kb.transposeSquare(values);
  auto storeRow = [&](Value vector, Pos place) {
    at[roles.m] = place;
    at[roles.n] = {column};
    extraCache.clear();
    valid == lanes ? finish(vector, roles.n, lanes) : finishPartial(vector, roles.n, valid);
    extraCache.clear();
  };
  auto storeSome = [&] {
    for (int64_t i = 0; i < lanes; ++i)
      kb.store(values[i], square, kb.index(i * lanes));
    kb.loop(kb.index(0), rows, 1,
            [&](Value i) { storeRow(kb.load(square, kb.mul(i, Size(lanes)), lanes), {kb.add(row, i)}); });
  };
  // Whole squares go without memory in between, where that does not take much code.
  int64_t steps = llvm::range_size(contract.op.getEpilogue().front().without_terminator());
  if (valid < lanes || steps > mostUnrolled)
    return storeSome();
  Value isWhole = arith::CmpIOp::create(kb.b, kb.loc, arith::CmpIPredicate::eq, rows, kb.index(lanes));
  kb.ifElse(
      isWhole,
      [&] {
        for (int64_t i = 0; i < lanes; ++i)
          storeRow(values[i], {row, i});
      },
      storeSome);
}

//===----------------------------------------------------------------------===//
// Few rows
//===----------------------------------------------------------------------===//

LogicalResult SparseStrategy::emitDirect(Value first, Value end) {
  emitSegments([&](Value segment, Value lower, Value) { addDirect(segment, lower, first, end); });
  storeDirect(first, end);
  return success();
}

void SparseStrategy::addDirect(Value segment, Value lower, Value first, Value end) {
  int64_t width = std::min(block, nativeLanes), parts = block / width, room = sums.sizes[0].constant();
  emitColumns(segment, first, end, [&](Value column, Value begin, Value stop) {
    Values added = emitEntries(begin, stop, directRows * parts, width, [&](Value entry, Values part) {
      at[inner] = {kb.add(lower, entryPosition(entry))};
      Values values;
      for (int64_t p = 0; p < parts; ++p)
        values.push_back(entryValue(entry, p * width, width));
      for (int64_t row = 0; row < directRows; ++row) {
        if (roles.m >= 0)
          at[roles.m] = {Value(), row};
        Value element = kb.splat(lhs(), width);
        for (int64_t p = 0; p < parts; ++p)
          part[row * parts + p] = kb.multiplyAdd(element, values[p], part[row * parts + p]);
      }
      return part;
    });
    Value to = arith::SubIOp::create(kb.b, kb.loc, column, first);
    for (auto [i, value] : llvm::enumerate(added)) {
      int64_t index = static_cast<int64_t>(i), row = index / parts, p = index % parts;
      Value place = kb.add(to, row * room + p * width), old = kb.load(sums, place, width);
      Value sum = isa<IntegerType>(accumulatorType()) ? arith::AddIOp::create(kb.b, kb.loc, old, value).getResult()
                                                      : arith::AddFOp::create(kb.b, kb.loc, old, value).getResult();
      kb.store(sum, sums, place);
    }
  });
}

void SparseStrategy::storeDirect(Value first, Value end) {
  int64_t room = sums.sizes[0].constant();
  forColumnVectors(first, end, [&](Value column, int64_t valid) {
    for (int64_t row = 0; row < directRows; ++row) {
      if (roles.m >= 0)
        at[roles.m] = {Value(), row};
      at[roles.n] = {column};
      extraCache.clear();
      Value from = kb.add(arith::SubIOp::create(kb.b, kb.loc, column, first), row * room);
      Value vector = kb.load(sums, from, nativeLanes);
      valid == nativeLanes ? finish(vector, roles.n, nativeLanes) : finishPartial(vector, roles.n, valid);
      extraCache.clear();
    }
  });
}

std::unique_ptr<ContractStrategy> leaf::codegen::makeSparseStrategy(KernelBuilder &kb, Contract contract,
                                                                    ContractRoles roles) {
  return std::make_unique<SparseStrategy>(kb, std::move(contract), std::move(roles));
}
