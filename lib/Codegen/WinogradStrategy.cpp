//===- WinogradStrategy.cpp - 3x3 convolutions by minimal filtering -----------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
// F(m x m, 3 x 3) of Lavin and Gray (arXiv:1509.09308). The result is cut into tiles of m x m pixels, and these into
// blocks whose transformed input stays in the cache. For each block:
//
//   V[e][tile][ci] = B^T d B      for all tiles d of (m + 2) x (m + 2) pixels of the input, e their points
//   for each panel of co:
//     M[e][tile][co] = V[e] U[e]  one small matrix product per point e
//     Y = A^T M A, then the epilogue
//
// Tiles at the end of a row or column are moved back so that they end with the image; of such a tile only the pixels
// that no other tile has are written.
//
//===----------------------------------------------------------------------===//

#include "ContractEmitter.h"
#include "FloatBuilder.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::codegen;

namespace {
/// Bytes of transformed input in a block: half of a second level cache.
constexpr int64_t blockBytes = 256 * 1024;
/// Tiles of a block: enough that reading filters does not limit, few enough that there are blocks for all threads.
constexpr int64_t fewestTiles = 12, mostTiles = 48;
/// With fewer blocks than this, output channels are shared out too; each share transforms the input again.
constexpr int64_t enoughBlocks = 8, channelShare = 128;
/// Filters are asked for this many floats before their use where each is used by one tile of rows only.
constexpr int64_t streamAhead = 1024;

/// A number of tiles or rows: known, or a value.
struct Count {
  int64_t fixed = 0;
  Value value; ///< null where `fixed` holds
};

class WinogradStrategy : public ContractStrategy {
public:
  WinogradStrategy(KernelBuilder &kb, Contract contractIn);

  SmallVector<TileDim> chooseTiles() override;
  LogicalResult emit(ArrayRef<Value> tiles) override;

private:
  /// One direction of the image: tiles of a block and where they begin.
  struct Axis {
    unsigned out, kernel; ///< loops
    int64_t block;        ///< tiles of a block
    Value first;          ///< the block's first tile
    Count count;          ///< tiles of this block
  };

  bool reserve();
  void place(Axis &axis, Value tile);
  Value toValue(const Count &count) { return count.value ? count.value : kb.index(count.fixed); }
  void forEachTile(function_ref<void(Value, Value, Value)> body);
  Value startOf(const Axis &axis, Value tile);
  Value firstNew(const Axis &axis, Value tile, Value start);
  void setPixel(const Axis &axis, Value start, int64_t i);
  void emitInput();
  void emitInputVector(Value rowStart, Value columnStart, Value tile, Pos channel, int64_t width);
  void emitProducts();
  void forRows(function_ref<void(Value, int64_t)> body);
  void emitRows(Value point, Value row, int64_t rows, int64_t part);
  void emitOutput(int64_t valid);
  void emitPixels(int64_t valid, Value rowStart, Value rowFirst, Value columnStart, Value columnFirst);
  Values transformInput(ArrayRef<Value> d);
  Values transformOutput(ArrayRef<Value> d);

  UnitConvolution conv;
  int64_t m, points, lanes, width, parts, vectors, rowsPerTile; ///< vectors of a part of a panel
  int64_t tiles = 0, panelsPerTile = 1;
  Axis rows, columns;
  Buffer transformed, products, pixels; ///< V, M, and m x m pixels of a panel
};
} // namespace

WinogradStrategy::WinogradStrategy(KernelBuilder &kb, Contract contractIn)
    : ContractStrategy(kb, std::move(contractIn), ContractRoles()), conv(*matchUnitConvolution(contract.op)),
      m(*contract.op.getWinograd()), points(m + 2) {
  lanes = kb.target.lanes(32);
  width = contract.rhs.panel->width;
  while (width % lanes)
    lanes /= 2;
  parts = kb.target.panelParts(width / lanes);
  vectors = width / lanes / parts;
  rowsPerTile = kb.target.tileRows(vectors);
  rows.out = conv.oh;
  rows.kernel = conv.kh;
  columns.out = conv.ow;
  columns.kernel = conv.kw;
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

SmallVector<TileDim> WinogradStrategy::chooseTiles() {
  int64_t inputs = extent(conv.ci).constant();
  auto count = [&](unsigned loop) {
    return std::max<int64_t>(1, llvm::divideCeil(kb.upperBound(extent(loop)).value_or(64), m));
  };
  auto share = [](int64_t total, int64_t most) { return llvm::divideCeil(total, llvm::divideCeil(total, most)); };
  int64_t wanted = blockBytes / (points * points * inputs * static_cast<int64_t>(sizeof(float)));
  wanted = std::clamp(wanted, fewestTiles, mostTiles);
  columns.block = share(count(conv.ow), wanted);
  rows.block = share(count(conv.oh), std::max<int64_t>(1, wanted / columns.block));
  int64_t blocks = llvm::divideCeil(count(conv.ow), columns.block) * llvm::divideCeil(count(conv.oh), rows.block);
  int64_t panels = llvm::divideCeil(extent(conv.co).constant(), width);
  int64_t fewest = llvm::divideCeil(channelShare, width), shares = llvm::divideCeil(enoughBlocks, blocks);
  panelsPerTile = share(panels, std::max(fewest, static_cast<int64_t>(llvm::divideCeil(panels, shares))));
  SmallVector<TileDim> dims;
  if (conv.n >= 0)
    dims.push_back({extent(conv.n), 1});
  dims.push_back({extent(conv.oh), m * rows.block});
  dims.push_back({extent(conv.ow), m * columns.block});
  dims.push_back({extent(conv.co), width * panelsPerTile});
  return dims;
}

LogicalResult WinogradStrategy::emit(ArrayRef<Value> ivs) {
  if (ivs.empty())
    return emitAllTiles([&](ArrayRef<Value> all) { return emit(all); });
  if (!reserve())
    return failure();
  if (conv.n >= 0)
    at[conv.n] = {ivs.front()};
  ivs = ivs.take_back(3);
  place(rows, ivs[0]);
  place(columns, ivs[1]);
  emitInput();
  int64_t channels = extent(conv.co).constant(), fullPanels = channels / width, rest = channels % width;
  Value first = kb.mul(ivs[2], Size(panelsPerTile));
  Value end = kb.minimum(kb.add(first, panelsPerTile), kb.index(llvm::divideCeil(channels, width)));
  kb.loop(first, end, 1, [&](Value panel) {
    at[conv.co] = {kb.mul(panel, Size(width)), 0, panel};
    emitProducts();
    if (!rest)
      return emitOutput(width);
    Value whole = arith::CmpIOp::create(kb.b, kb.loc, arith::CmpIPredicate::ult, panel, kb.index(fullPanels));
    kb.ifElse(whole, [&] { emitOutput(width); }, [&] { emitOutput(rest); });
  });
  return failure(failed);
}

bool WinogradStrategy::reserve() {
  tiles = rows.block * columns.block;
  auto allocate = [&](Buffer &buffer, int64_t a, int64_t b, int64_t c) {
    FailureOr<Buffer> room = kb.allocateScratch(kb.b.getF32Type(), {Size(a), Size(b), Size(c)});
    if (mlir::failed(room))
      return false;
    buffer = *room;
    return true;
  };
  return allocate(transformed, points * points, tiles, extent(conv.ci).constant()) &&
         allocate(products, points * points, tiles, width) && allocate(pixels, m, m, width);
}

/// The tiles of block `tile`; the last block may have fewer.
void WinogradStrategy::place(Axis &axis, Value tile) {
  const Size &size = extent(axis.out);
  axis.first = kb.mul(tile, Size(axis.block));
  if (size.isStatic() && llvm::divideCeil(size.constant(), m) % axis.block == 0) {
    axis.count = {axis.block, Value()};
    return;
  }
  Value all = kb.ceilDiv(kb.sizeValue(size), m);
  axis.count = {0, kb.minimum(kb.index(axis.block), arith::SubIOp::create(kb.b, kb.loc, all, axis.first))};
}

/// body(tile row, tile column, number within the block).
void WinogradStrategy::forEachTile(function_ref<void(Value, Value, Value)> body) {
  Value height = toValue(rows.count), width = toValue(columns.count);
  kb.loop(kb.index(0), height, 1, [&](Value row) {
    Value before = arith::MulIOp::create(kb.b, kb.loc, row, width), y = kb.add(rows.first, row);
    kb.loop(kb.index(0), width, 1,
            [&](Value column) { body(y, kb.add(columns.first, column), kb.add(before, column)); });
  });
}

/// The first pixel of a tile.
Value WinogradStrategy::startOf(const Axis &axis, Value tile) {
  Value start = kb.mul(tile, Size(m));
  const Size &size = extent(axis.out);
  if (size.isStatic())
    return size.constant() % m ? kb.minimum(start, kb.index(size.constant() - m)) : start;
  Value end = arith::MaxUIOp::create(kb.b, kb.loc, kb.sizeValue(size), kb.index(m));
  return kb.minimum(start, arith::SubIOp::create(kb.b, kb.loc, end, kb.index(m)));
}

/// How many pixels of a tile the one before it has too.
Value WinogradStrategy::firstNew(const Axis &axis, Value tile, Value start) {
  const Size &size = extent(axis.out);
  if (size.isStatic() && size.constant() % m == 0)
    return kb.index(0);
  return arith::SubIOp::create(kb.b, kb.loc, kb.mul(tile, Size(m)), start);
}

//===----------------------------------------------------------------------===//
// Input
//===----------------------------------------------------------------------===//

/// Puts `axis` at pixel i of the input's tile. An image smaller than a tile has no such pixel: its last one stands in,
/// for results that are not written.
void WinogradStrategy::setPixel(const Axis &axis, Value start, int64_t i) {
  at[axis.kernel] = {Value(), 0};
  if (extent(axis.out).isStatic()) {
    at[axis.out] = {start, i};
    return;
  }
  Value last = kb.add(kb.sizeValue(extent(axis.out)), 1);
  at[axis.out] = {kb.minimum(kb.add(start, i), last)};
}

void WinogradStrategy::emitInput() {
  int64_t channels = extent(conv.ci).constant(), full = channels / lanes * lanes;
  forEachTile([&](Value row, Value column, Value tile) {
    Value rowStart = startOf(rows, row), columnStart = startOf(columns, column);
    kb.loop(kb.index(0), kb.index(full), lanes,
            [&](Value c) { emitInputVector(rowStart, columnStart, tile, {c}, lanes); });
    int64_t done = full;
    for (int64_t part = lanes / 2; part >= 1; part /= 2)
      for (; channels - done >= part; done += part)
        emitInputVector(rowStart, columnStart, tile, {Value(), done}, part);
  });
}

void WinogradStrategy::emitInputVector(Value rowStart, Value columnStart, Value tile, Pos channel, int64_t count) {
  at[conv.ci] = channel;
  SmallVector<Values> byColumn;
  for (int64_t x = 0; x < points; ++x) {
    setPixel(columns, columnStart, x);
    Values d;
    for (int64_t y = 0; y < points; ++y) {
      setPixel(rows, rowStart, y);
      d.push_back(lhs(conv.ci, count));
    }
    byColumn.push_back(transformInput(d));
  }
  Value place = kb.add(kb.mul(tile, extent(conv.ci)), kb.posValue(channel));
  for (int64_t y = 0; y < points; ++y) {
    Values d = llvm::map_to_vector(byColumn, [&](const Values &column) { return column[y]; });
    for (auto [x, value] : llvm::enumerate(transformInput(d))) {
      int64_t plane = (y * points + x) * tiles * extent(conv.ci).constant();
      kb.store(value, transformed, kb.add(place, plane));
    }
  }
}

/// B^T d.
ContractStrategy::Values WinogradStrategy::transformInput(ArrayRef<Value> d) {
  FloatBuilder f{kb.b, kb.loc, d[0].getType(), kb.target.fma};
  if (m == 2)
    return {f.sub(d[0], d[2]), f.add(d[1], d[2]), f.sub(d[2], d[1]), f.sub(d[1], d[3])};
  Value p = f.fma(f.f(-4), d[2], d[4]), q = f.fma(f.f(-4), d[1], d[3]);
  Value r = f.sub(d[4], d[2]), s = f.sub(d[3], d[1]);
  return {f.fma(f.f(4), d[0], f.fma(f.f(-5), d[2], d[4])),
          f.add(p, q),
          f.sub(p, q),
          f.fma(f.f(2), s, r),
          f.fma(f.f(-2), s, r),
          f.fma(f.f(4), d[1], f.fma(f.f(-5), d[3], d[5]))};
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void WinogradStrategy::emitProducts() {
  kb.loop(kb.index(0), kb.index(points * points), 1, [&](Value point) {
    forRows([&](Value row, int64_t count) {
      for (int64_t part = 0; part < parts; ++part)
        emitRows(point, row, count, part);
    });
  });
}

/// All tiles of the block as rows of the products, `count` at a time.
void WinogradStrategy::forRows(function_ref<void(Value, int64_t)> body) {
  auto atRow = [&](Pos row, int64_t count) { body(kb.posValue(row), count); };
  if (!rows.count.value && !columns.count.value)
    return splitRows(Size(rows.count.fixed * columns.count.fixed), {}, {}, rowsPerTile, atRow);
  Value end = arith::MulIOp::create(kb.b, kb.loc, toValue(rows.count), toValue(columns.count));
  splitRows(Size::symbol(kb.addSymbol(end, tiles)), kb.index(0), end, rowsPerTile, atRow);
}

/// M[point][row ...] of a part of the current panel.
void WinogradStrategy::emitRows(Value point, Value row, int64_t count, int64_t part) {
  int64_t inputs = extent(conv.ci).constant(), first = part * vectors * lanes;
  // The filters of a point follow those of the one before: the inner filter dimension walks over all.
  at[conv.kh] = {Value(), 0};
  at[conv.kw] = {point};
  Pos column = at[conv.co];
  Value plane = kb.mul(point, Size(tiles));
  Value from = kb.mul(kb.add(plane, row), Size(inputs));
  Values sums = kb.loop(kb.index(0), kb.index(inputs), 1, Values(count * vectors, kb.zero(kb.b.getF32Type(), lanes)),
                        [&](Value k, ValueRange carried) {
                          Values next(carried), filters;
                          at[conv.ci] = {k};
                          for (int64_t v = 0; v < vectors; ++v) {
                            at[conv.co].offset = column.offset + first + v * lanes;
                            filters.push_back(rhs(conv.co, lanes));
                            // The filters of a point follow those of the one before.
                            kb.prefetch(contract.rhs, at, tiles > rowsPerTile ? inputs * width : streamAhead);
                          }
                          at[conv.co] = column;
                          for (int64_t i = 0; i < count; ++i) {
                            Value element = kb.load(transformed, kb.add(kb.add(from, k), i * inputs), 1);
                            for (int64_t v = 0; v < vectors; ++v)
                              next[i * vectors + v] =
                                  kb.multiplyAdd(kb.splat(element, lanes), filters[v], next[i * vectors + v]);
                          }
                          return next;
                        });
  Value to = kb.mul(kb.add(plane, row), Size(width));
  for (int64_t i = 0; i < count; ++i)
    for (int64_t v = 0; v < vectors; ++v)
      kb.store(sums[i * vectors + v], products, kb.add(to, i * width + first + v * lanes));
}

//===----------------------------------------------------------------------===//
// Output
//===----------------------------------------------------------------------===//

/// A^T d.
ContractStrategy::Values WinogradStrategy::transformOutput(ArrayRef<Value> d) {
  FloatBuilder f{kb.b, kb.loc, d[0].getType(), kb.target.fma};
  if (m == 2) {
    Value sum = f.add(d[1], d[2]), difference = f.sub(d[1], d[2]);
    return {f.add(d[0], sum), f.sub(difference, d[3])};
  }
  Value a = f.add(d[1], d[2]), b = f.sub(d[1], d[2]), c = f.add(d[3], d[4]), e = f.sub(d[3], d[4]);
  return {f.add(f.add(d[0], a), c), f.fma(f.f(2), e, b), f.fma(f.f(4), c, a), f.add(f.fma(f.f(8), e, b), d[5])};
}

/// Results of the current panel, of which `valid` channels exist.
void WinogradStrategy::emitOutput(int64_t valid) {
  Pos column = at[conv.co];
  forEachTile([&](Value row, Value tileColumn, Value tile) {
    Value from = kb.mul(tile, Size(width));
    for (int64_t v = 0; v * lanes < valid; ++v) {
      SmallVector<Values> byColumn;
      for (int64_t x = 0; x < points; ++x) {
        Values d;
        for (int64_t y = 0; y < points; ++y)
          d.push_back(kb.load(products, kb.add(from, (y * points + x) * tiles * width + v * lanes), lanes));
        byColumn.push_back(transformOutput(d));
      }
      for (int64_t y = 0; y < m; ++y) {
        Values d = llvm::map_to_vector(byColumn, [&](const Values &values) { return values[y]; });
        for (auto [x, value] : llvm::enumerate(transformOutput(d)))
          kb.store(value, pixels, kb.index((y * m + x) * width + v * lanes));
      }
    }
    Value rowStart = startOf(rows, row), columnStart = startOf(columns, tileColumn);
    at[conv.co] = column;
    emitPixels(valid, rowStart, firstNew(rows, row, rowStart), columnStart, firstNew(columns, tileColumn, columnStart));
  });
  at[conv.co] = column;
}

/// The epilogue of all pixels of a tile that are its own.
void WinogradStrategy::emitPixels(int64_t valid, Value rowStart, Value rowFirst, Value columnStart, Value columnFirst) {
  Pos column = at[conv.co];
  auto end = [&](const Axis &axis, Value start) -> Value {
    if (extent(axis.out).isStatic())
      return kb.index(m);
    return kb.minimum(kb.index(m), arith::SubIOp::create(kb.b, kb.loc, kb.sizeValue(extent(axis.out)), start));
  };
  kb.loop(rowFirst, end(rows, rowStart), 1, [&](Value y) {
    at[conv.oh] = {kb.add(rowStart, y)};
    kb.loop(columnFirst, end(columns, columnStart), 1, [&](Value x) {
      at[conv.ow] = {kb.add(columnStart, x)};
      extraCache.clear();
      Value from = kb.mul(kb.add(kb.mul(y, Size(m)), x), Size(width));
      for (int64_t v = 0; v * lanes < valid; ++v) {
        at[conv.co].offset = column.offset + v * lanes;
        Value value = kb.load(pixels, kb.add(from, v * lanes), lanes);
        if (valid - v * lanes >= lanes)
          finish(value, conv.co, lanes);
        else
          finishPartial(value, conv.co, valid - v * lanes);
      }
      at[conv.co] = column;
    });
  });
  extraCache.clear();
}

std::unique_ptr<ContractStrategy> leaf::codegen::makeWinogradStrategy(KernelBuilder &kb, Contract contract) {
  return std::make_unique<WinogradStrategy>(kb, std::move(contract));
}
