//===- ChooseWinograd.cpp - 3x3 convolutions by minimal filtering -------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "WeightBytes.h"
#include "leafcutter/Codegen/Tuning.h"
#include "leafcutter/Form/Passes.h"
#include "leafcutter/Support/ElementTypes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

namespace leaf {
#define GEN_PASS_DEF_CHOOSEWINOGRAD
#include "leafcutter/Form/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

namespace {
/// A convolution that may be computed by F(m x m, 3 x 3).
struct Candidate {
  ContractOp op;
  int64_t images, height, width, inputs, outputs; ///< elements; height and width of the result
};

/// Of what was measured to be the fastest: more than any estimate.
constexpr double kMeasuredGain = 1e15;

/// One way to compute the convolutions that share a weight.
struct Choice {
  unsigned group;   ///< index into the groups of candidates
  int64_t m;        ///< F(m x m, 3 x 3)
  double gain;      ///< cycles won over the direct convolution
  int64_t addBytes; ///< bytes that the weight grows by
};
} // namespace

//===----------------------------------------------------------------------===//
// Filters
//===----------------------------------------------------------------------===//

/// Rows of G: (m + 2) x 3.
static ArrayRef<std::array<double, 3>> getFilterTransform(int64_t m) {
  static constexpr std::array<double, 3> two[] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
  static constexpr std::array<double, 3> four[] = {{1.0 / 4, 0, 0},
                                                   {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                                   {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                                   {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                                   {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                                   {0, 0, 1}};
  if (m == 2)
    return two;
  return four;
}

/// G g G^T of each filter; `bytes` are float32 as [3][3][channels], the result is [m + 2][m + 2][channels].
static std::vector<char> transformFilters(ArrayRef<char> bytes, int64_t m, int64_t channels) {
  ArrayRef<std::array<double, 3>> g = getFilterTransform(m);
  std::vector<char> result(g.size() * g.size() * channels * sizeof(float));
  auto at = [&](int64_t row, int64_t column, int64_t c) {
    float value;
    std::memcpy(&value, bytes.data() + ((row * 3 + column) * channels + c) * sizeof(float), sizeof(float));
    return static_cast<double>(value);
  };
  for (int64_t c = 0; c < channels; ++c)
    for (size_t y = 0; y < g.size(); ++y) {
      std::array<double, 3> rows = {};
      for (int64_t k = 0; k < 9; ++k)
        rows[k % 3] += g[y][k / 3] * at(k / 3, k % 3, c);
      for (size_t x = 0; x < g.size(); ++x) {
        float value = static_cast<float>(rows[0] * g[x][0] + rows[1] * g[x][1] + rows[2] * g[x][2]);
        std::memcpy(result.data() + ((y * g.size() + x) * channels + c) * sizeof(float), &value, sizeof(float));
      }
    }
  return result;
}

//===----------------------------------------------------------------------===//
// Cost
//===----------------------------------------------------------------------===//

/// Cycles of one convolution on a core that does two multiply-adds of `lanes` floats per cycle; m = 0: directly.
/// Transforms were counted in the code that WinogradStrategy emits. Once the filters are too many to stay in a cache, a
/// float of them takes a cycle to come from memory (12 to 16 GB/s), while the products before it are computed.
static double estimateCycles(const Candidate &conv, int64_t m, double lanes, bool streamsFilters) {
  double channels = static_cast<double>(conv.inputs * conv.outputs);
  int64_t points = m ? (m + 2) * (m + 2) : 9;
  double read = streamsFilters ? points * channels : 0;
  double images = static_cast<double>(conv.images);
  if (m == 0)
    return std::max(read, images * conv.height * conv.width * 9 * channels / (2 * lanes));
  double tiles = images * llvm::divideCeil(conv.height, m) * llvm::divideCeil(conv.width, m);
  double input = m == 4 ? 100 : 40, output = m == 4 ? 90 : 35;
  double products = std::max(read, tiles * points * channels / (2 * lanes));
  return products + tiles * (input * conv.inputs + output * conv.outputs) / lanes;
}

//===----------------------------------------------------------------------===//
// Candidates
//===----------------------------------------------------------------------===//

static bool yieldsArgument(Region &region) {
  Block &block = region.front();
  return block.getNumArguments() == 1 && block.getTerminator()->getOperand(0) == block.getArgument(0);
}

/// A size where it is known; where it is open, one that is usual for images.
static int64_t getLikelySize(int64_t size) { return ShapedType::isDynamic(size) ? 56 : size; }

static std::optional<Candidate> getCandidate(ContractOp op) {
  std::optional<UnitConvolution> conv = matchUnitConvolution(op);
  auto load = op.getRhs().getDefiningOp<LoadWeightOp>();
  if (!conv || !load || op.getRhsMap().getNumResults() != 4)
    return std::nullopt;
  RankedTensorType weight = load.resolve().getWeightType();
  auto data = cast<ShapedType>(op.getLhs().getType());
  if (weight.getDimSize(0) != 3 || weight.getDimSize(1) != 3 || !weight.getElementType().isF32() ||
      !data.getElementType().isF32() || !op.getAccumulatorType().isF32() || !yieldsArgument(op.getLhsPrologue()) ||
      !yieldsArgument(op.getRhsPrologue()))
    return std::nullopt;
  Candidate candidate{op, 1, 0, 0, weight.getDimSize(2), weight.getDimSize(3)};
  if (conv->n >= 0)
    candidate.images = std::max<int64_t>(1, op.getStaticLoopExtent(conv->n));
  candidate.height = getLikelySize(op.getStaticLoopExtent(conv->oh));
  candidate.width = getLikelySize(op.getStaticLoopExtent(conv->ow));
  return candidate;
}

namespace {
class Chooser {
public:
  Chooser(ModuleOp module, unsigned lanes, unsigned tile) : module(module), lanes(lanes), tile(tile) {}

  void collect() {
    module.walk([&](ContractOp op) {
      if (std::optional<Candidate> candidate = getCandidate(op))
        groups[op.getRhs().getDefiningOp<LoadWeightOp>().getWeight()].push_back(*candidate);
    });
    for (WeightOp weight : module.getOps<WeightOp>())
      totalBytes += getBytes(weight.getWeightType());
  }

  /// m for each group (0: direct): best gain per byte first, while all weights stay within `limit` bytes.
  SmallVector<int64_t> choose(int64_t limit) {
    SmallVector<Choice> choices = getChoices();
    llvm::sort(choices, [](const Choice &a, const Choice &b) {
      double left = a.gain * static_cast<double>(b.addBytes), right = b.gain * static_cast<double>(a.addBytes);
      return left != right ? left > right : std::tie(a.group, a.m) < std::tie(b.group, b.m);
    });
    SmallVector<const Choice *> taken(groups.size(), nullptr);
    int64_t bytes = totalBytes;
    for (const Choice &choice : choices) {
      const Choice *&have = taken[choice.group];
      int64_t added = choice.addBytes - (have ? have->addBytes : 0);
      if ((have && have->gain >= choice.gain) || bytes + added > limit)
        continue;
      bytes += added;
      have = &choice;
    }
    return llvm::map_to_vector(taken, [](const Choice *choice) { return choice ? choice->m : int64_t(0); });
  }

  int64_t getTotalBytes() const { return totalBytes; }
  auto &getGroups() { return groups; }

private:
  SmallVector<Choice> getChoices() {
    SmallVector<Choice> choices;
    for (auto [index, entry] : llvm::enumerate(groups))
      for (int64_t m : {4, 2}) {
        const Candidate &first = entry.second.front();
        std::optional<int64_t> measured = getTuning(first.op).winograd;
        double gain = 0;
        for (const Candidate &conv : entry.second) {
          // Each tile lies inside of the result; the emitter relies on this for static sizes.
          if (m > tile || conv.height < m || conv.width < m)
            gain = -HUGE_VAL;
          gain += estimateCycles(conv, 0, lanes, streamsFilters()) - estimateCycles(conv, m, lanes, streamsFilters());
        }
        if (measured && gain > -HUGE_VAL)
          gain = *measured == m ? kMeasuredGain : -HUGE_VAL;
        int64_t points = (m + 2) * (m + 2) - 9;
        if (gain > 0)
          choices.push_back({static_cast<unsigned>(index), m, gain,
                             points * first.inputs * first.outputs * static_cast<int64_t>(sizeof(float))});
      }
    return choices;
  }

  /// What a core's share of the caches does not hold from one run to the next.
  bool streamsFilters() const { return totalBytes > (8 << 20); }

  ModuleOp module;
  unsigned lanes, tile;
  int64_t totalBytes = 0;
  llvm::MapVector<StringRef, SmallVector<Candidate>> groups; ///< by weight, in the order of their first use
};

struct ChooseWinograd : leaf::impl::ChooseWinogradBase<ChooseWinograd> {
  using Base::Base;

  void runOnOperation() override {
    if (lanes <= 1 || tile < 2)
      return;
    Chooser chooser(getOperation(), lanes, tile);
    chooser.collect();
    SmallVector<int64_t> chosen = chooser.choose(chooser.getTotalBytes() / 100 * growth);
    for (auto [m, group] : llvm::zip_equal(chosen, chooser.getGroups()))
      if (m && failed(apply(m, group.second)))
        return signalPassFailure();
  }

  LogicalResult apply(int64_t m, ArrayRef<Candidate> group) {
    WeightOp weight = ContractOp(group.front().op).getRhs().getDefiningOp<LoadWeightOp>().resolve();
    RankedTensorType type = weight.getWeightType();
    int64_t channels = type.getDimSize(2) * type.getDimSize(3);
    std::vector<char> storage;
    FailureOr<ArrayRef<char>> bytes = readBytes(weight, storage);
    if (failed(bytes))
      return failure();
    auto newType = RankedTensorType::get({m + 2, m + 2, type.getDimSize(2), type.getDimSize(3)}, type.getElementType());
    WeightOp transformed = createWeight(getOperation(), weight.getLoc(), (weight.getSymName() + "_winograd").str(),
                                        newType, transformFilters(*bytes, m, channels));
    for (ContractOp op : llvm::map_range(group, [](const Candidate &conv) { return conv.op; })) {
      OpBuilder builder(op);
      Operation *old = op.getRhs().getDefiningOp();
      op.getRhsMutable().assign(LoadWeightOp::create(builder, old->getLoc(), newType, transformed.getSymName()));
      op.setWinograd(m);
      if (old->use_empty())
        old->erase();
      ++numChosen;
    }
    SymbolTable symbols(getOperation());
    if (SymbolTable::symbolKnownUseEmpty(weight, getOperation()))
      symbols.erase(weight);
    return success();
  }
};
} // namespace
