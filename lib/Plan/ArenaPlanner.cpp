//===- ArenaPlanner.cpp - places buffers in one arena ------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Plan/ArenaPlanner.h"
#include "ArenaPortfolio.h"

#include <algorithm>
#include <map>
#include <numeric>

using namespace leaf;

namespace {
using Order = std::vector<unsigned>;

/// First fit of a fixed set of intervals; who is live with whom is computed once.
class Placer {
public:
  explicit Placer(const std::vector<ArenaInterval> &intervals) : intervals(intervals) {
    unsigned count = intervals.size();
    neighbors.resize(count);
    for (unsigned i = 0; i < count; ++i)
      for (unsigned j = i + 1; j < count; ++j)
        if (meet(this->intervals[i], this->intervals[j])) {
          neighbors[i].push_back(j);
          neighbors[j].push_back(i);
        }
  }

  /// Offsets for placing in `order`; stops early, with a peak of at least `limit`, where that cannot be undercut.
  ArenaPlacement place(const Order &order, int64_t limit) const {
    ArenaPlacement placement;
    placement.offsets.assign(intervals.size(), -1);
    std::vector<std::pair<int64_t, int64_t>> used;
    for (unsigned i : order) {
      used.clear();
      for (unsigned j : neighbors[i])
        if (placement.offsets[j] >= 0)
          used.push_back({placement.offsets[j], placement.offsets[j] + intervals[j].bytes});
      std::sort(used.begin(), used.end());
      int64_t offset = 0;
      for (auto [begin, end] : used) {
        if (begin >= offset + intervals[i].bytes)
          break;
        offset = std::max(offset, end);
      }
      placement.offsets[i] = offset;
      placement.peak = std::max(placement.peak, offset + intervals[i].bytes);
      if (placement.peak >= limit)
        return placement;
    }
    return placement;
  }

  int64_t lowerBound() const {
    std::map<int64_t, int64_t> change;
    for (const ArenaInterval &interval : intervals) {
      change[interval.begin] += interval.bytes;
      change[interval.end] -= interval.bytes;
    }
    int64_t live = 0, most = 0;
    for (auto [time, bytes] : change)
      most = std::max(most, live += bytes);
    return most;
  }

  std::vector<Order> greedyOrders() const {
    Order identity(intervals.size());
    std::iota(identity.begin(), identity.end(), 0);
    auto sorted = [&](auto less) {
      Order order = identity;
      std::sort(order.begin(), order.end(), [&](unsigned a, unsigned b) {
        if (less(intervals[a], intervals[b]))
          return true;
        return !less(intervals[b], intervals[a]) && a < b;
      });
      return order;
    };
    using I = const ArenaInterval &;
    auto length = [](I i) { return i.end - i.begin; };
    auto area = [&](I i) { return static_cast<double>(i.bytes) * static_cast<double>(length(i)); };
    return {sorted([](I a, I b) { return a.bytes > b.bytes; }),
            sorted([&](I a, I b) { return length(a) > length(b); }),
            sorted([&](I a, I b) { return area(a) > area(b); }),
            sorted([](I a, I b) { return a.begin < b.begin; }),
            sorted([](I a, I b) { return a.end > b.end; }),
            sorted([](I a, I b) { return a.begin != b.begin ? a.begin < b.begin : a.bytes > b.bytes; })};
  }

  /// The first interval in `order` that ends at the peak, as an index into `order`.
  unsigned findPeak(const Order &order, const ArenaPlacement &placement) const {
    for (unsigned position = 0; position < order.size(); ++position)
      if (placement.offsets[order[position]] + intervals[order[position]].bytes == placement.peak)
        return position;
    return 0;
  }

private:
  static bool meet(const ArenaInterval &a, const ArenaInterval &b) {
    return a.begin < b.end && b.begin < a.end && a.bytes > 0 && b.bytes > 0;
  }

  const std::vector<ArenaInterval> &intervals;
  std::vector<std::vector<unsigned>> neighbors;
};
} // namespace

/// Greedy placements, and what local search makes of the best one.
static ArenaPlacement placeGreedily(const Placer &placer, unsigned maxRounds) {
  ArenaPlacement best;
  best.peak = INT64_MAX;
  Order bestOrder;
  for (Order &order : placer.greedyOrders()) {
    ArenaPlacement placement = placer.place(order, best.peak);
    if (placement.peak < best.peak) {
      best = std::move(placement);
      bestOrder = std::move(order);
    }
  }
  best.lowerBound = placer.lowerBound();
  // What stands out at the top gets placed earlier: at the front, or a pseudo-random part of the way there.
  uint64_t state = 0x9E3779B97F4A7C15u;
  for (unsigned round = 0; round < maxRounds && best.peak > best.lowerBound; ++round) {
    unsigned position = placer.findPeak(bestOrder, best);
    if (position == 0)
      break;
    state = state * 6364136223846793005u + 1442695040888963407u;
    unsigned target = round % 2 ? static_cast<unsigned>((state >> 33) % position) : position / 2;
    Order order = bestOrder;
    std::rotate(order.begin() + target, order.begin() + position, order.begin() + position + 1);
    ArenaPlacement placement = placer.place(order, best.peak + 1);
    if (placement.peak > best.peak)
      continue;
    placement.lowerBound = best.lowerBound;
    best = std::move(placement);
    bestOrder = std::move(order);
  }
  return best;
}

ArenaPlacement ArenaPlanner::place(const std::vector<ArenaInterval> &intervals) const {
  std::vector<ArenaInterval> aligned = intervals;
  for (ArenaInterval &interval : aligned) {
    int64_t units = (interval.bytes + options.alignment - 1) / options.alignment;
    interval.bytes = interval.begin < interval.end ? units * options.alignment : 0;
  }
  ArenaPlacement best = placeGreedily(Placer(aligned), options.maxRounds);
  int64_t goal = std::max(best.lowerBound, options.enough);
  if (best.peak <= goal || options.searchSteps <= 0 || intervals.size() > options.maxSearched)
    return best;
  ArenaPortfolio portfolio(aligned, options.alignment);
  portfolio.improve(best, goal, options.searchSteps);
  return best;
}
