//===- SparseCost.cpp - cycles of dense and sparse contractions ---------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "SparseCost.h"

#include "Leaf/Sparse.h"
#include "leafcutter/Support/ElementTypes.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace leaf;

/// Weights of which a core's share of the caches does not keep all from one run to the next.
static constexpr int64_t kCachedBytes = 8 << 20;
/// Bytes per cycle from memory, and from the caches.
static constexpr double kMemoryBytes = 8, kCacheBytes = 24;

static double getReadCycles(double bytes, const SparseCostTarget &target) {
  return bytes / (target.weightBytes > kCachedBytes ? kMemoryBytes : kCacheBytes);
}

/// Rows of the product: the parallel loops but the columns. Where a size is open, one that is usual.
static double getRows(ContractOp contract) {
  unsigned n = cast<AffineDimExpr>(contract.getOutMap().getResults().back()).getPosition();
  double rows = 1;
  for (unsigned loop = 0; loop < contract.getNumLoops(); ++loop) {
    if (contract.isReduction(loop) || loop == n)
      continue;
    int64_t extent = contract.getStaticLoopExtent(loop);
    rows *= ShapedType::isDynamic(extent) ? 64 : static_cast<double>(extent);
  }
  return rows;
}

/// `direct` cycles of a convolution by Winograd's filtering instead, whose filters take four times the memory.
static double estimateWinogradCycles(double direct, double bytes, const SparseCostTarget &target) {
  constexpr double gain = 2.6, filters = 4, cached = 2 << 20, bytesPerCycle = 3.2;
  if (bytes * (filters - 1) > static_cast<double>(target.winogradBytes))
    return direct;
  double read = bytes * filters > cached ? bytes * filters / bytesPerCycle : 0;
  return std::min(direct, std::max(direct / gain, read));
}

double leaf::estimateDenseCycles(ContractOp contract, const SparseCostTarget &target) {
  constexpr double fewRows = 24, efficiencyOfFew = 0.6, efficiency = 0.77;
  auto type = cast<ShapedType>(contract.getRhs().getType());
  double rows = getRows(contract), lanes = static_cast<double>(target.lanes);
  double elements = static_cast<double>(type.getNumElements()), bytes = static_cast<double>(getBytes(type));
  double read = getReadCycles(bytes, target);
  // Scalar code: a load and a multiply-add for each row.
  if (target.lanes == 1)
    return std::max(read, rows * elements * 1.5);
  double cycles = rows * elements / (2 * lanes) / (rows < fewRows ? efficiencyOfFew : efficiency);
  std::optional<UnitConvolution> conv = matchUnitConvolution(contract);
  if (conv && type.getDimSize(0) == 3 && type.getDimSize(1) == 3 && type.getElementType().isF32())
    cycles = estimateWinogradCycles(cycles, bytes, target);
  // Each vector of weights is loaded once for a few rows.
  return std::max({read, cycles, elements / lanes});
}

/// Rows along lanes, as SparseStrategy has them.
static double estimateBlockedCycles(double rows, const SparseWork &work, double segments, int64_t lanes) {
  constexpr double perColumn = 14, perPacked = 4.5, perStored = 10;
  // Cycles of an entry of one column, by vectors of rows: loads, and a loop that ends after a few entries.
  constexpr double perEntry[] = {0, 1.6, 2.3, 3.3, 4.3};
  int64_t count = static_cast<int64_t>(rows);
  while (lanes > 4 && lanes / 2 >= count)
    lanes /= 2;
  double best = HUGE_VAL, block = static_cast<double>(work.block);
  for (int64_t v = 1; v <= 4; ++v) {
    double vectors = static_cast<double>(v), tiles = std::ceil(rows / (vectors * static_cast<double>(lanes)));
    double entry = std::max(vectors * block / 1.7, perEntry[v] * (vectors + block + 1) / (vectors + 2));
    double cycles = static_cast<double>(work.entries) * entry + segments * (perColumn + vectors * block) +
                    static_cast<double>(work.outer * work.depth) * vectors * perPacked +
                    static_cast<double>(work.columns) * vectors * perStored;
    best = std::min(best, tiles * cycles);
  }
  return best;
}

int64_t leaf::chooseSegment(ContractOp contract, int64_t depth, int64_t columns, double density,
                            const SparseCostTarget &target) {
  constexpr int64_t byte = 256, half = 128, word = 65536, fewColumns = 512;
  constexpr double dense = 0.3;
  double rows = getRows(contract);
  if (target.lanes > 1 && rows < 4)
    return depth > byte ? word : byte;
  bool isWide = target.lanes > 1 && rows > 2 * static_cast<double>(target.lanes);
  return isWide && (columns <= fewColumns || density > dense) ? half : byte;
}

double leaf::estimateSparseCycles(ContractOp contract, const SparseWork &work, const SparseCostTarget &target) {
  constexpr double perNumber = 1.4, perBlock = 2, perColumn = 14, scalarEntry = 4;
  double rows = getRows(contract), entries = static_cast<double>(work.entries);
  double columns = static_cast<double>(work.columns / work.block);
  double segments = static_cast<double>(work.outer * llvm::divideCeil(work.depth, work.segment)) * columns;
  double position = work.segment > 256 ? 2 : 1;
  double bytes = entries * (static_cast<double>(work.block * work.elementBytes) + position) + 4 * segments;
  double read = getReadCycles(bytes, target);
  if (target.lanes == 1)
    return std::max(read, rows * (entries * scalarEntry * static_cast<double>(work.block) + segments * perColumn));
  if (rows >= 4)
    return std::max(read, estimateBlockedCycles(rows, work, segments, target.lanes));
  double parts = std::ceil(static_cast<double>(work.block) / static_cast<double>(target.lanes));
  double perEntry = work.block == 1 ? perNumber : perBlock;
  return std::max(read, entries * (perEntry + (rows * parts - 1)) + segments * perColumn);
}
