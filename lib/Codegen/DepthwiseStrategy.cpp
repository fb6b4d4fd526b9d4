//===- DepthwiseStrategy.cpp - channels as vectors, pixels in registers -------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ContractEmitter.h"
#include "Leaf/Groups.h"

#include <cmath>

using namespace mlir;
using namespace leaf;
using namespace leaf::codegen;

namespace {
/// Windows up to this many elements are unrolled.
constexpr int64_t unrolledWindow = 64;

class DepthwiseStrategy : public ContractStrategy {
public:
  DepthwiseStrategy(KernelBuilder &kb, Contract contractIn, ContractRoles rolesIn)
      : ContractStrategy(kb, std::move(contractIn), std::move(rolesIn)) {
    lanes = kb.target.lanes(accumulatorType().getIntOrFloatBitWidth());
    const Size &channels = extent(roles.channel);
    if (channels.isStatic())
      lanes = std::min<int64_t>(lanes, llvm::bit_floor(static_cast<uint64_t>(channels.constant())));
    chooseSums();
    pixels = lanes == 1 ? 2 : kb.target.registers >= 32 ? 8 : 6;
    streams = exceedsCache();
  }

  /// Channels go in blocks whose window rows stay in the first level cache while the rows of pixels pass. An image that
  /// comes from memory is read as it lies instead: all channels of some pixels, then the next ones. For several workers
  /// rows are cut first where there are enough: the kernels around are cut so, and a worker finds what it wrote in its
  /// cache.
  SmallVector<TileDim> chooseTiles() override {
    SmallVector<TileDim> tiles;
    for (unsigned loop : outer())
      tiles.push_back({extent(loop), 1});
    tiles.push_back({extent(roles.channel), channelBlock()});
    if (!roles.rows.empty()) {
      const Size &channels = extent(roles.channel), &rows = extent(roles.rows.back());
      int64_t blocks = channels.isStatic() ? llvm::divideCeil(channels.constant(), channelBlock()) : enoughTiles;
      int64_t count = kb.upperBound(rows).value_or(enoughTiles), parts = std::max<int64_t>(1, enoughTiles / blocks);
      rowBlock = std::max<int64_t>(1, count / parts);
      if (rowsFirst())
        rowBlock = llvm::divideCeil(count, std::min<int64_t>(count, llvm::alignTo(parts, kb.target.workers)));
      tiles.insert(rowsFirst() ? std::prev(tiles.end()) : tiles.end(), TileDim{rows, rowBlock});
    }
    return tiles;
  }

  LogicalResult emit(ArrayRef<Value> tiles) override {
    if (tiles.empty())
      rowBlock = 0;
    for (auto [loop, tile] : llvm::zip(outer(), tiles))
      at[loop] = {tile};
    if (tiles.empty()) {
      emitLoops(outer(), [&] { emitRows({}, {}, {}, {}); });
      return mlir::failure(failed);
    }
    auto range = [&](Value tile, const TileDim &dim, Value &lower, Value &upper) {
      lower = kb.mul(tile, Size(dim.block));
      upper = kb.minimum(kb.add(lower, dim.block), kb.sizeValue(dim.extent));
    };
    Value rowLower, rowUpper, lower, upper, channelTile = tiles.back();
    if (!roles.rows.empty()) {
      Value rowTile = tiles.back();
      channelTile = tiles[tiles.size() - 2];
      if (rowsFirst())
        std::swap(rowTile, channelTile);
      range(rowTile, {extent(roles.rows.back()), rowBlock}, rowLower, rowUpper);
    }
    const Size &channels = extent(roles.channel);
    if (!channels.isStatic() || channels.constant() > channelBlock())
      range(channelTile, {channels, channelBlock()}, lower, upper);
    emitRows(rowLower, rowUpper, lower, upper);
    return mlir::failure(failed);
  }

private:
  static constexpr int64_t enoughTiles = 16, cacheBytes = 20 * 1024, lineBytes = 64;

  bool rowsFirst() const {
    int64_t count = roles.m >= 0 ? kb.upperBound(extent(roles.m)).value_or(64) : 1;
    for (unsigned loop : roles.rows)
      count *= kb.upperBound(extent(loop)).value_or(64);
    return kb.target.workers > 1 && count >= kb.target.sharedRows();
  }

  SmallVector<unsigned> outer() const {
    SmallVector<unsigned> loops(roles.batch);
    llvm::append_range(loops, ArrayRef(roles.rows).drop_back(roles.rows.empty() ? 0 : 1));
    return loops;
  }

  bool exceedsCache() const {
    int64_t bytes = llvm::divideCeil(contract.lhs.buffer->element.getIntOrFloatBitWidth(), 8);
    for (const Size &size : contract.lhs.buffer->sizes)
      bytes *= kb.upperBound(size).value_or(1);
    return bytes > kb.target.l2Bytes / 2;
  }

  /// Sums of products of bytes that fit the 24 bits of a float are exact there, and a fused multiply-add of floats is
  /// several times as fast as a multiplication and an addition of 32-bit integers.
  void chooseSums() {
    constexpr int64_t mostProducts = (1 << 24) / (255 * 128);
    int64_t window = 1;
    for (unsigned loop : roles.reductions)
      window *= extent(loop).isStatic() ? extent(loop).constant() : mostProducts + 1;
    sumType = accumulatorType();
    if (kb.target.vectorBytes > 0 && sumType.isInteger(32) && matchDot(contract.op) && window <= mostProducts)
      sumType = kb.b.getF32Type();
  }

  /// An operand as a number of the sums' type.
  Value toSum(Value value, int64_t width) {
    if (value.getType() == KernelBuilder::spread(sumType, width) || sumType == accumulatorType())
      return kb.splat(value, width);
    return arith::SIToFPOp::create(kb.b, kb.loc, KernelBuilder::spread(sumType, width), kb.splat(value, width));
  }

  Value fromSum(Value sum, int64_t width) {
    if (sumType == accumulatorType())
      return sum;
    return arith::FPToSIOp::create(kb.b, kb.loc, KernelBuilder::spread(accumulatorType(), width), sum);
  }

  int64_t channelBlock() const {
    if (streams)
      return std::max(lanes, kb.upperBound(extent(roles.channel)).value_or(lanes));
    int64_t bytes = llvm::divideCeil(contract.lhs.buffer->element.getIntOrFloatBitWidth(), 8);
    int64_t line = std::max(lanes, lineBytes / bytes), pixels = 1;
    for (unsigned loop : roles.reductions)
      pixels *= kb.upperBound(extent(loop)).value_or(8);
    // The window's width overlaps from pixel to pixel.
    int64_t width = roles.m >= 0 ? kb.upperBound(extent(roles.m)).value_or(64) : 1;
    int64_t height = std::max<int64_t>(1, static_cast<int64_t>(std::sqrt(static_cast<double>(pixels))));
    return std::max(line, cacheBytes / (height * (width + height) * bytes) / line * line);
  }

  void emitRows(Value rowLower, Value rowUpper, Value lower, Value upper) {
    if (roles.rows.empty())
      return emitChannels(lower, upper);
    unsigned loop = roles.rows.back();
    Value begin = rowLower ? rowLower : kb.index(0), end = rowLower ? rowUpper : kb.sizeValue(extent(loop));
    kb.loop(begin, end, 1, [&](Value iv) {
      at[loop] = {iv};
      emitChannels(lower, upper);
    });
  }

  /// All pixels of a row for channels [lower, upper), all of them where `lower` is null.
  void emitChannels(Value lower, Value upper) {
    if (roles.m < 0)
      return emitStrips(lower, upper, [&](int64_t width) { emitTile(1, width); });
    if (streams)
      return emitRowTiles(roles.m, {}, {}, pixels, [&](int64_t count) {
        Pos pixel = at[roles.m];
        emitStrips(lower, upper, [&](int64_t width) {
          at[roles.m] = pixel;
          emitTile(count, width);
        });
      });
    emitStrips(lower, upper, [&](int64_t width) {
      Pos channel = at[roles.channel];
      emitRowTiles(roles.m, {}, {}, pixels, [&](int64_t count) {
        at[roles.channel] = channel;
        emitTile(count, width);
      });
    });
  }

  /// body(width) for each vector of channels [lower, upper). Blocks start at multiples of `lanes`.
  void emitStrips(Value lower, Value upper, function_ref<void(int64_t)> body) {
    auto strip = [&](Pos position, int64_t width) {
      at[roles.channel] = position;
      body(width);
    };
    const Size &channels = extent(roles.channel);
    Value begin = lower ? lower : kb.index(0);
    if (!channels.isStatic()) {
      Value end = lower ? upper : kb.sizeValue(channels);
      for (int64_t width : {lanes, int64_t(1)}) {
        Value rest =
            arith::RemUIOp::create(kb.b, kb.loc, arith::SubIOp::create(kb.b, kb.loc, end, begin), kb.index(width));
        Value stop = width == 1 ? end : arith::SubIOp::create(kb.b, kb.loc, end, rest).getResult();
        kb.loop(begin, stop, width, [&](Value iv) { strip({iv}, width); });
        begin = stop;
      }
      return;
    }
    int64_t size = channels.constant(), full = size / lanes * lanes;
    kb.loop(begin, lower ? kb.minimum(upper, kb.index(full)) : kb.index(full), lanes,
            [&](Value iv) { strip({iv}, lanes); });
    auto emitRest = [&] {
      int64_t done = full;
      for (int64_t width = lanes / 2; width >= 1; width /= 2)
        for (; size - done >= width; done += width)
          strip({Value(), done}, width);
    };
    if (size == full)
      return;
    if (!lower)
      return emitRest();
    kb.ifElse(arith::CmpIOp::create(kb.b, kb.loc, arith::CmpIPredicate::eq, upper, kb.index(size)), emitRest);
  }

  void emitTile(int64_t count, int64_t width) {
    Pos pixel = roles.m >= 0 ? at[roles.m] : Pos();
    Values accumulators(count, kb.zero(sumType, width));
    Size window(1);
    for (unsigned loop : roles.reductions)
      window = window * extent(loop);
    loaded.clear();
    if (window.isStatic() && window.constant() <= unrolledWindow)
      accumulators = unrollWindow(roles.reductions, std::move(accumulators), width);
    else
      accumulators = emitReductions(roles.reductions, std::move(accumulators), [&](Values values) {
        loaded.clear();
        return step(std::move(values), width);
      });
    extraCache.clear();
    for (int64_t i = 0; i < count; ++i) {
      if (roles.m >= 0)
        at[roles.m].offset = pixel.offset + i;
      finish(fromSum(accumulators[i], width), roles.channel, width);
    }
    if (roles.m >= 0)
      at[roles.m] = pixel;
  }

  Values unrollWindow(ArrayRef<unsigned> loops, Values carried, int64_t width) {
    if (loops.empty())
      return step(std::move(carried), width);
    for (int64_t i = 0; i < extent(loops.front()).constant(); ++i) {
      at[loops.front()] = {Value(), i};
      carried = unrollWindow(loops.drop_front(), std::move(carried), width);
    }
    return carried;
  }

  /// One element of the window for all pixels of the tile.
  Values step(Values accumulators, int64_t width) {
    Pos pixel = roles.m >= 0 ? at[roles.m] : Pos();
    Value weight = toSum(rhs(roles.channel, width), width);
    for (auto [i, accumulator] : llvm::enumerate(accumulators)) {
      if (roles.m >= 0)
        at[roles.m].offset = pixel.offset + i;
      accumulator = kb.multiplyAdd(input(width), weight, accumulator);
    }
    if (roles.m >= 0)
      at[roles.m] = pixel;
    return accumulators;
  }

  /// An input vector serves several pixels: those loaded in this tile are kept by their distance from its start.
  Value input(int64_t width) {
    int64_t distance = 0;
    for (auto [loop, coef] : llvm::enumerate(contract.lhs.coefs)) {
      bool moves = static_cast<int>(loop) == roles.m || llvm::is_contained(roles.reductions, loop);
      if (!moves)
        continue;
      if (!coef.isStatic())
        return toSum(lhs(roles.channel, width), width);
      distance += coef.constant() * at[loop].offset;
    }
    Value &value = loaded[distance];
    if (!value)
      value = toSum(lhs(roles.channel, width), width);
    return value;
  }

  int64_t lanes, pixels, rowBlock = 0;
  bool streams = false; ///< the image exceeds the caches
  Type sumType;         ///< of the sums in registers: f32 where that is exact
  llvm::DenseMap<int64_t, Value> loaded;
};
} // namespace

std::unique_ptr<ContractStrategy> leaf::codegen::makeDepthwiseStrategy(KernelBuilder &kb, Contract contract,
                                                                       ContractRoles roles) {
  return std::make_unique<DepthwiseStrategy>(kb, std::move(contract), std::move(roles));
}
