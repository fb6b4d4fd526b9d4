//===- PanelBlocks.cpp - register tiles, blocks and prefetching of panels ---===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "KernelShapes.h"
#include "PanelStrategy.h"
#include "leafcutter/Codegen/Tuning.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::codegen;

/// Rows that must be done with a panel before the next one comes, so that reading weights does not limit.
static constexpr int64_t enoughRows = 24;
/// Bytes of the vectors from which on the first level cache is what limits products.
static constexpr int64_t wideVector = 64;

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
  rowsPerTile = few ? extent(roles.m).constant() : 1;
  if (dot && (dot->isScalar() || dot->partials() > 1))
    return;
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
