//===- PanelStrategy.cpp - rows of accumulators over panels of columns --------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
// The register tile: `mr` rows times `vectors` vectors of columns. One step of the innermost reduction loop loads the
// vectors of rhs, broadcasts one element of each row, and does mr * vectors multiply-adds.
//
//===----------------------------------------------------------------------===//

#include "ContractEmitter.h"
#include "DotStep.h"
#include "TileStep.h"
#include "leafcutter/Codegen/Tuning.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::codegen;

namespace {
/// Rows that must be done with a panel before the next one comes, so that reading weights does not limit.
constexpr int64_t enoughRows = 24;
/// Bytes of the vectors from which on the first level cache is what limits products.
constexpr int64_t wideVector = 64;
/// Independent multiply-adds in flight that hide the latency of one.
constexpr int64_t enoughAccumulators = 8;
/// Steps of an inner reduction loop that are unrolled.
constexpr int64_t unrolledSteps = 16;

class PanelStrategy : public ContractStrategy {
public:
  PanelStrategy(KernelBuilder &kb, Contract contract, ContractRoles roles);

  SmallVector<TileDim> chooseTiles() override;
  LogicalResult emit(ArrayRef<Value> tiles) override;

private:
  void joinRows();
  bool paysToJoin(int64_t inner, unsigned numSplit);
  void chooseRegisters();
  void takeMeasured();
  void chooseBlocks();
  bool paysToShareRows(int64_t rows, int64_t bytesPerRow, int64_t weightBytes) const;
  void emitGroup(Value group);
  void emitRows(int64_t vectors, int64_t valid);
  void emitBlocked(int64_t vectors, int64_t valid);
  void forSums(int64_t vectors, function_ref<void(int64_t, Value)> body);
  Values loadSums(Value place, int64_t mr, int64_t vectors);
  void storeSums(ArrayRef<Value> sums, Value place, int64_t vectors);
  void emitBlocks(Pos column, int64_t vectors, int64_t valid);
  void emitBlock(int64_t vectors, int64_t valid);
  void emitTile(int64_t mr, int64_t vectors, int64_t valid);
  Values emitStep(Values accumulators, int64_t mr, int64_t vectors);
  Values emitDotStep(Values accumulators, int64_t mr, int64_t vectors, int64_t elements);
  Values accumulate(int64_t mr, int64_t vectors);
  void store(ArrayRef<Value> accumulators, int64_t mr, int64_t vectors, int64_t valid);
  void storeBounded(ArrayRef<Value> accumulators, int64_t mr, int64_t vectors);
  void packPanel();
  void packColumns(Value columns);
  Value rhsVector();
  int64_t tileRows(int64_t vectors) const { return dot ? dot->tileRows(vectors) : kb.target.tileRows(vectors); }
  /// Elements of the last group where that is cut off; otherwise 0.
  int64_t depthTail() { return dot ? *getDepth(contract.op) % dot->groupSize() : 0; }
  bool hasGroupLoop() { return dot && llvm::is_contained(roles.reductions, contract.op.getNumLoops() - 2); }
  /// Columns of a register tile.
  int64_t groupWidth() const { return width * panelsPerGroup / partsPerPanel; }
  /// Groups of columns that are register tiles, where the number of columns is static.
  int64_t numGroups() const { return llvm::divideCeil(extent(roles.n).constant(), groupWidth()); }
  void choosePrefetch();
  void chooseReductionBlock();
  void startPrefetch(Value lower);

  int64_t lanes, width;             ///< of a vector; of a panel
  std::optional<DotStep> dot;       ///< where the reduction goes in groups
  std::optional<TileStep> tiles;    ///< where whole blocks of rows go through tile registers
  int64_t rowsPerTile = 1;          ///< mr
  int64_t panelsPerGroup = 1;       ///< that one register tile spans
  int64_t partsPerPanel = 1;        ///< that take turns in a register tile; more than 1 only where panelsPerGroup is 1
  int64_t mBlock = 0, rowBlock = 0; ///< 0: not blocked
  int64_t columnShares = 1;         ///< of the columns, around the blocks of rows
  int64_t prefetchAhead = 0;        ///< elements of rhs; 0: the processor is left to itself
  bool prefetchesStream = false;    ///< each step asks for what comes `prefetchAhead` later
  Value prefetchFrom;               ///< else: element of rhs that step 0 asks for, and step k that k lines later
  int64_t kBlock = 0;               ///< steps of the innermost reduction loop; 0: sums stay in registers
  bool packsAtRunTime = false;
  Size lhsRowStride; ///< elements from one row of lhs to the next
  Buffer packed;     ///< [reductions…][width * panelsPerGroup] of the current group
  Access packedAccess;
  int64_t orderVectors = 1; ///< vectors of a whole group; all columns are summed in the order that suits it
  Buffer sums;              ///< [rows of a block][columns of a group], where the reduction is blocked
  Buffer edge;              ///< [rows][columns] of accumulators where the number of columns is not static
  struct {
    Value rowLower, rowUpper, mLower, mUpper;
  } range; ///< of the current block; null where not blocked
};
} // namespace

PanelStrategy::PanelStrategy(KernelBuilder &kb, Contract contractIn, ContractRoles rolesIn)
    : ContractStrategy(kb, std::move(contractIn), std::move(rolesIn)) {
  unsigned bits = accumulatorType().getIntOrFloatBitWidth();
  lanes = kb.target.lanes(bits);
  const Size &columns = extent(roles.n);
  if (contract.rhs.panel) {
    width = contract.rhs.panel->width;
    while (width % lanes)
      lanes /= 2;
    partsPerPanel = kb.target.panelParts(width / lanes);
  } else {
    width = lanes > 1 ? 2 * lanes : 4;
    // Vectors of columns may be read as they lie only where none reaches past the end.
    bool fits = contract.rhs.coefs[roles.n].is(1) && columns.isStatic() && columns.constant() % lanes == 0;
    packsAtRunTime = !fits;
  }
  if (getDepth(contract.op))
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

/// Makes the two innermost loops of rows one where the rows of the inner one fill register tiles badly: operands that
/// don't walk them as one are addressed by quotient and remainder, once a tile.
void PanelStrategy::joinRows() {
  SmallVector<Access *> operands{&contract.lhs, &contract.out};
  for (Access &extra : contract.extras)
    operands.push_back(&extra);
  while (!roles.rows.empty() && roles.m >= 0) {
    unsigned outer = roles.rows.back(), inner = roles.m;
    const Size &size = extent(inner);
    auto isSplit = [&](Access *access) { return access->coefs[outer] != access->coefs[inner] * size; };
    auto canJoin = [&](Access *access) { return access->isLinearIn(outer) && access->isLinearIn(inner); };
    unsigned numSplit = llvm::count_if(operands, isSplit);
    // Tile registers take rows of lhs that are one stride apart.
    bool isTiled = dot && (kb.target.amxInt8 || kb.target.amxBf16);
    if (isTiled && isSplit(&contract.lhs))
      return;
    if (!size.isStatic() || !llvm::all_of(operands, canJoin) || !(isTiled || paysToJoin(size.constant(), numSplit)))
      return;
    AffineExpr row = kb.b.getAffineDimExpr(inner);
    for (Access *access : operands) {
      if (isSplit(access)) {
        access->nonlinear.push_back({row.floorDiv(size.constant()), access->coefs[outer]});
        access->nonlinear.push_back({row % size.constant(), access->coefs[inner]});
        access->coefs[inner] = Size(0);
      }
      access->coefs[outer] = Size(0);
    }
    contract.loops[inner].extent = contract.loops[outer].extent * size;
    roles.rows.pop_back();
    at[outer] = Pos();
  }
}

/// True where rows left over at the end of `inner` cost more than two divisions by a constant for each of `numSplit`
/// operands and each row.
bool PanelStrategy::paysToJoin(int64_t inner, unsigned numSplit) {
  int64_t vectors = groupWidth() / lanes, most = tileRows(vectors);
  auto cost = [&](int64_t rows) { return std::max<int64_t>(rows, llvm::divideCeil(enoughAccumulators, vectors)); };
  int64_t rest = inner % most, tail = inner <= most ? inner : rest ? most + rest : 0, full = inner - tail;
  int64_t cycles = full + (tail > most ? cost((tail + 1) / 2) + cost(tail / 2) : tail ? cost(tail) : 0);
  int64_t depth = 1;
  for (unsigned loop : roles.reductions)
    depth *= kb.upperBound(extent(loop)).value_or(64);
  constexpr double divisions = 8, smallest = 0.01; // cycles of both; gain worth it
  double loss = static_cast<double>(cycles) / static_cast<double>(inner) - 1;
  return loss > smallest + divisions * numSplit / (static_cast<double>(depth * vectors) / 2);
}

void PanelStrategy::chooseRegisters() {
  int64_t vectors = groupWidth() / lanes, registers = kb.target.registers;
  rowsPerTile = tileRows(vectors);
  bool single = roles.m < 0 && roles.rows.empty();
  bool few =
      roles.rows.empty() && roles.m >= 0 && extent(roles.m).isStatic() && extent(roles.m).constant() < rowsPerTile;
  if ((!single && !few) || tiles)
    return;
  if (few)
    rowsPerTile = extent(roles.m).constant();
  else
    rowsPerTile = 1;
  const Size &columns = extent(roles.n);
  // Few rows: whole panels, or several.
  if (partsPerPanel > 1 && rowsPerTile * (width / lanes) + rowsPerTile + 1 < registers) {
    vectors = width / lanes;
    partsPerPanel = 1;
  }
  int64_t panels = columns.isStatic() && partsPerPanel == 1 ? llvm::divideCeil(columns.constant(), width) : 1;
  while (panelsPerGroup < panels && panelsPerGroup < 4 &&
         rowsPerTile * vectors * (panelsPerGroup + 1) + rowsPerTile + 1 < registers &&
         rowsPerTile * vectors * panelsPerGroup < enoughAccumulators)
    ++panelsPerGroup;
}

/// A register tile that was measured, as far as it fits: the shape may come with another packing here.
void PanelStrategy::takeMeasured() {
  TuningChoice choice = getTuning(contract.op);
  if (!choice.rows && !choice.vectors)
    return;
  if (choice.vectors && contract.rhs.panel) {
    int64_t columns = *choice.vectors * lanes;
    if (columns < width && width % columns == 0) {
      partsPerPanel = width / columns;
      panelsPerGroup = 1;
    } else if (columns % width == 0) {
      partsPerPanel = 1;
      panelsPerGroup = columns / width;
    }
  }
  int64_t vectors = groupWidth() / lanes, most = (kb.target.registers - 1 - vectors) / vectors;
  if (choice.rows && roles.m >= 0) {
    rowsPerTile = *choice.rows;
    if (const Size &rows = extent(roles.m); rows.isStatic() && roles.rows.empty())
      rowsPerTile = std::min(rowsPerTile, rows.constant());
  }
  rowsPerTile = std::clamp<int64_t>(rowsPerTile, 1, std::max<int64_t>(1, most));
}

/// Rows go in blocks whose lhs stays in the cache while all panels pass over it.
void PanelStrategy::chooseBlocks() {
  if (roles.m < 0)
    return;
  int64_t bytes = llvm::divideCeil(contract.lhs.buffer->element.getIntOrFloatBitWidth(), 8);
  int64_t weights = llvm::divideCeil(contract.rhs.buffer->element.getIntOrFloatBitWidth(), 8);
  for (const Size &size : contract.rhs.buffer->sizes)
    weights *= kb.upperBound(size).value_or(64);
  // Bytes of lhs that are walked again and again while the panels pass: part of the cache, more of it where the panels
  // are too many to stay there themselves.
  int64_t cache = kb.target.l2Bytes, blockBytes = weights > cache * 3 / 2 ? cache * 3 / 4 : cache / 4;
  blockBytes = getTuning(contract.op).blockBytes.value_or(blockBytes);
  int64_t rows = kb.upperBound(extent(roles.m)).value_or(1 << 20);
  int64_t perRow = std::max<int64_t>(1, kb.upperBound(lhsRowStride).value_or(1024) * bytes);
  int64_t fit = std::max(enoughRows, blockBytes / perRow), blocks = llvm::divideCeil(rows, fit);
  bool sharesRows = paysToShareRows(rows, perRow, weights);
  if (sharesRows && roles.rows.empty())
    blocks = llvm::alignTo(blocks, kb.target.workers);
  if (blocks > 1) {
    mBlock = llvm::alignTo(llvm::divideCeil(rows, blocks), tiles ? tiles->getRows() : rowsPerTile);
    // Else each worker would read all weights for its blocks.
    if (!sharesRows && !packsAtRunTime && extent(roles.n).isStatic() && numGroups() % kb.target.workers == 0)
      columnShares = kb.target.workers;
    return;
  }
  if (roles.rows.empty())
    return;
  int64_t outer = kb.upperBound(extent(roles.rows.back())).value_or(1 << 20);
  int64_t perOuter = std::max<int64_t>(1, kb.upperBound(contract.lhs.coefs[roles.rows.back()]).value_or(4096) * bytes);
  int64_t wanted = llvm::divideCeil(enoughRows, std::max<int64_t>(rows, 1));
  int64_t count = std::max(blockBytes / perOuter, wanted);
  count = std::clamp<int64_t>(count, 1, std::max<int64_t>(outer, 1));
  blocks = llvm::divideCeil(outer, count);
  if (sharesRows)
    blocks = std::min<int64_t>(outer, llvm::alignTo(blocks, kb.target.workers));
  rowBlock = llvm::divideCeil(outer, blocks);
}

/// Whether each of several workers should take some of the `rows` in the innermost loop, or in the loops around it,
/// rather than columns. The kernel before and the next one have the same rows, so that workers find them in their own
/// caches, where columns come from all over; but each reads all weights then, not its share.
bool PanelStrategy::paysToShareRows(int64_t rows, int64_t bytesPerRow, int64_t weightBytes) const {
  for (unsigned loop : roles.rows)
    rows *= kb.upperBound(extent(loop)).value_or(64);
  int64_t outBytes = llvm::divideCeil(contract.out.buffer->element.getIntOrFloatBitWidth(), 8);
  int64_t columns = kb.upperBound(extent(roles.n)).value_or(width);
  return kb.target.workers > 1 && rows >= kb.target.sharedRows() &&
         2 * rows * (bytesPerRow + columns * outBytes) >= weightBytes;
}

/// A panel that exceeds the first level cache is read from the second one for each tile of rows. Where there are many
/// rows it goes in blocks of the reduction that stay in the first level, with sums in memory in between.
void PanelStrategy::chooseReductionBlock() {
  constexpr int64_t blockBytes = 48 * 1024, fewestTiles = 4;
  if (!contract.rhs.panel || dot || lanes * 4 < wideVector || roles.m < 0 || !roles.rows.empty() ||
      roles.reductions.empty() || panelsPerGroup > 1 || partsPerPanel > 1)
    return;
  const Size &inner = extent(roles.reductions.back());
  std::optional<int64_t> rows = mBlock ? mBlock : kb.upperBound(extent(roles.m));
  int64_t bytes = llvm::divideCeil(contract.rhs.buffer->element.getIntOrFloatBitWidth(), 8) * width;
  if (!inner.isStatic() || !rows || *rows < fewestTiles * rowsPerTile || *rows > (1 << 16) ||
      inner.constant() * bytes <= blockBytes * 3 / 2)
    return;
  FailureOr<Buffer> room = kb.allocateScratch(accumulatorType(), {Size(*rows), Size(width)});
  if (mlir::failed(room))
    return;
  sums = *room;
  int64_t blocks = llvm::divideCeil(inner.constant(), std::max<int64_t>(1, blockBytes / bytes));
  kBlock = llvm::divideCeil(inner.constant(), blocks);
}

/// Weights come from memory in each run where the model has many. With few rows a panel is done before the next one is
/// there, and processors don't look ahead from one panel to the next while they walk over the first again and again:
/// while one is used, the next one is asked for. A single tile of rows walks over each panel once: some lines ahead are
/// enough.
void PanelStrategy::choosePrefetch() {
  constexpr int64_t mostRows = 512, streamBytes = 4096, smallBytes = 64 * 1024;
  if (!contract.rhs.panel || dot || lanes == 1)
    return;
  int64_t rows = roles.m >= 0 ? kb.upperBound(extent(roles.m)).value_or(mostRows + 1) : 1;
  for (unsigned loop : roles.rows)
    rows *= kb.upperBound(extent(loop)).value_or(mostRows + 1);
  std::optional<int64_t> panel = kb.upperBound(contract.rhs.panel->stride);
  int64_t bytes = llvm::divideCeil(contract.rhs.buffer->element.getIntOrFloatBitWidth(), 8);
  int64_t panels = kb.upperBound(extent(roles.n)).value_or(width) / width;
  if (rows > mostRows || !panel || panels * *panel * bytes < smallBytes)
    return;
  prefetchesStream = rows <= rowsPerTile;
  prefetchAhead = prefetchesStream ? streamBytes / bytes : kBlock ? kBlock * width : panelsPerGroup * *panel;
}

/// The first tiles of rows share the lines of the next panel (or block of the reduction) out among them: one line for
/// each step of the innermost loop, which begins at `lower`. Later tiles ask for what they have.
void PanelStrategy::startPrefetch(Value lower) {
  constexpr int64_t lineBytes = 64;
  prefetchFrom = {};
  unsigned inner = roles.reductions.back();
  if (!prefetchAhead || prefetchesStream || roles.m < 0 || !extent(inner).isStatic())
    return;
  int64_t bytes = llvm::divideCeil(contract.rhs.buffer->element.getIntOrFloatBitWidth(), 8), line = lineBytes / bytes;
  int64_t share = (kBlock ? kBlock : extent(inner).constant()) * line;
  int64_t shares = llvm::divideCeil(width * panelsPerGroup, line);
  Pos row = at[roles.m];
  if (!row.value && row.offset / rowsPerTile >= shares)
    return;
  SmallVector<Pos> start(at);
  start[inner] = {lower};
  Value from = kb.address(contract.rhs, start), skipped;
  if (row.value) {
    Value below = range.mLower ? arith::SubIOp::create(kb.b, kb.loc, row.value, range.mLower).getResult() : row.value;
    Value tile = arith::DivUIOp::create(kb.b, kb.loc, below, kb.index(rowsPerTile));
    Value mine = kb.add(kb.mul(tile, Size(share)), prefetchAhead);
    Value isEarly = arith::CmpIOp::create(kb.b, kb.loc, arith::CmpIPredicate::ult, tile, kb.index(shares));
    skipped = arith::SelectOp::create(kb.b, kb.loc, isEarly, mine, kb.index(0));
  } else {
    skipped = kb.index(prefetchAhead + row.offset / rowsPerTile * share);
  }
  from = kb.add(from, skipped);
  prefetchFrom = lower ? arith::SubIOp::create(kb.b, kb.loc, from, kb.mul(lower, Size(line))).getResult() : from;
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

Value PanelStrategy::rhsVector() {
  if (!packsAtRunTime)
    return rhs(roles.n, lanes);
  SmallVector<Pos> position(at);
  position[roles.n] = {Value(), at[roles.n].offset};
  return kb.load(packed, kb.address(packedAccess, position), lanes);
}

/// One group of the reduction, of which `elements` are there.
PanelStrategy::Values PanelStrategy::emitDotStep(Values accumulators, int64_t mr, int64_t vectors, int64_t elements) {
  Pos column = at[roles.n], row = roles.m >= 0 ? at[roles.m] : Pos();
  Values columns;
  for (int64_t j = 0; j < vectors; ++j) {
    at[roles.n].offset = column.offset + j * lanes;
    columns.push_back(dot->loadColumns(*contract.rhs.buffer, kb.address(contract.rhs, at)));
  }
  at[roles.n] = column;
  accumulators = dot->step(std::move(accumulators), mr, columns, [&](int64_t i) {
    if (roles.m >= 0)
      at[roles.m].offset = row.offset + i;
    return dot->loadWord(contract.lhs, at, elements);
  });
  if (roles.m >= 0)
    at[roles.m] = row;
  return accumulators;
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
  while (!isShort && sets < 4 && sets * mr * orderVectors < enoughAccumulators &&
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
    for (int64_t s = 0; isShort && s < size.constant(); ++s)
      values = steps(values, {Value(), s}, 1);
    if (isShort)
      return lastStep(values);
    startPrefetch({});
    Value end = kb.sizeValue(size), main = end;
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

//===----------------------------------------------------------------------===//
// Packing at run time
//===----------------------------------------------------------------------===//

/// Copies the columns of this group into scratch as [reductions…][columns], zero where there are none, with the rhs
/// prologue applied.
void PanelStrategy::packPanel() {
  int64_t groupWidth = this->groupWidth();
  SmallVector<Size> sizes;
  for (unsigned loop : roles.reductions)
    sizes.push_back(extent(loop));
  sizes.push_back(Size(groupWidth));
  if (!packed.memref) {
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
  Value left = arith::SubIOp::create(kb.b, kb.loc, kb.sizeValue(extent(roles.n)), at[roles.n].value);
  Value columns = kb.minimum(left, kb.index(groupWidth));
  packColumns(columns);
}

void PanelStrategy::packColumns(Value columns) {
  Pos column = at[roles.n];
  int64_t groupWidth = this->groupWidth();
  auto put = [&](Value j, Value value) {
    SmallVector<Pos> position(at);
    position[roles.n] = {j};
    kb.store(value, packed, kb.address(packedAccess, position));
  };
  // The loop that is contiguous in rhs runs inside.
  bool columnsInside = contract.rhs.coefs[roles.n].is(1);
  auto copy = [&](Value j) {
    at[roles.n] = {kb.add(column.value, j)};
    put(j, rhs());
  };
  auto fill = [&](Value j) { put(j, kb.zero(accumulatorType(), 1)); };
  Value none = kb.index(0), all = kb.index(groupWidth);
  if (columnsInside) {
    emitLoops(roles.reductions, [&] {
      kb.loop(none, columns, 1, copy);
      kb.loop(columns, all, 1, fill);
    });
  } else {
    kb.loop(none, columns, 1, [&](Value j) { emitLoops(roles.reductions, [&] { copy(j); }); });
    kb.loop(columns, all, 1, [&](Value j) { emitLoops(roles.reductions, [&] { fill(j); }); });
  }
  at[roles.n] = column;
}

std::unique_ptr<ContractStrategy> leaf::codegen::makePanelStrategy(KernelBuilder &kb, Contract contract,
                                                                   ContractRoles roles) {
  return std::make_unique<PanelStrategy>(kb, std::move(contract), std::move(roles));
}
