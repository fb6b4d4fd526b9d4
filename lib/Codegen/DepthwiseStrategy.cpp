//===- DepthwiseStrategy.cpp - channels as vectors, pixels in registers -------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ContractEmitter.h"

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
    pixels = lanes == 1 ? 2 : kb.target.registers >= 32 ? 8 : 6;
  }

  SmallVector<TileDim> chooseTiles() override {
    SmallVector<TileDim> tiles;
    for (unsigned loop : outer())
      tiles.push_back({extent(loop), 1});
    return tiles;
  }

  LogicalResult emit(ArrayRef<Value> tiles) override {
    if (tiles.empty()) {
      emitLoops(outer(), [&] { emitChannels(); });
    } else {
      for (auto [loop, tile] : llvm::zip(outer(), tiles))
        at[loop] = {tile};
      emitChannels();
    }
    return mlir::failure(failed);
  }

private:
  SmallVector<unsigned> outer() const {
    SmallVector<unsigned> loops(roles.batch);
    llvm::append_range(loops, roles.rows);
    return loops;
  }

  void emitChannels() {
    auto strip = [&](Pos position, int64_t width) {
      at[roles.channel] = position;
      if (roles.m < 0)
        return emitTile(1, width);
      emitRowTiles(roles.m, {}, {}, pixels, [&](int64_t count) {
        at[roles.channel] = position;
        emitTile(count, width);
      });
    };
    const Size &channels = extent(roles.channel);
    if (!channels.isStatic()) {
      Value end = kb.sizeValue(channels), begin = kb.index(0);
      for (int64_t width : {lanes, int64_t(1)}) {
        Value rest = arith::RemUIOp::create(kb.b, kb.loc, end, kb.index(width));
        Value stop = width == 1 ? end : arith::SubIOp::create(kb.b, kb.loc, end, rest).getResult();
        kb.loop(begin, stop, width, [&](Value iv) { strip({iv}, width); });
        begin = stop;
      }
      return;
    }
    int64_t size = channels.constant(), done = size / lanes * lanes;
    kb.loop(kb.index(0), kb.index(done), lanes, [&](Value iv) { strip({iv}, lanes); });
    for (int64_t width = lanes / 2; width >= 1; width /= 2)
      for (; size - done >= width; done += width)
        strip({Value(), done}, width);
  }

  void emitTile(int64_t count, int64_t width) {
    Pos pixel = roles.m >= 0 ? at[roles.m] : Pos();
    Values accumulators(count, kb.zero(accumulatorType(), width));
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
      finish(accumulators[i], roles.channel, width);
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
    Value weight = kb.splat(rhs(roles.channel, width), width);
    for (auto [i, accumulator] : llvm::enumerate(accumulators)) {
      if (roles.m >= 0)
        at[roles.m].offset = pixel.offset + i;
      accumulator = kb.multiplyAdd(kb.splat(input(width), width), weight, accumulator);
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
        return lhs(roles.channel, width);
      distance += coef.constant() * at[loop].offset;
    }
    Value &value = loaded[distance];
    if (!value)
      value = lhs(roles.channel, width);
    return value;
  }

  int64_t lanes, pixels;
  llvm::DenseMap<int64_t, Value> loaded;
};
} // namespace

std::unique_ptr<ContractStrategy> leaf::codegen::makeDepthwiseStrategy(KernelBuilder &kb, Contract contract,
                                                                       ContractRoles roles) {
  return std::make_unique<DepthwiseStrategy>(kb, std::move(contract), std::move(roles));
}
