//===- ArenaPlanner.h - places buffers in one arena --------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_PLAN_ARENAPLANNER_H
#define LEAFCUTTER_PLAN_ARENAPLANNER_H

#include <cstdint>
#include <vector>

namespace leaf {

/// A buffer that is live in [begin, end) and takes `bytes`; an empty lifetime or size takes no room.
struct ArenaInterval {
  int64_t begin = 0, end = 0;
  int64_t bytes = 0;
};

/// Where the intervals lie: two that are live at the same time never overlap.
struct ArenaPlacement {
  std::vector<int64_t> offsets; ///< bytes, per interval, multiples of the alignment
  int64_t peak = 0;             ///< bytes the arena must hold
  int64_t lowerBound = 0;       ///< largest sum of (aligned) bytes live at one time: no placement is smaller
};

/// Places intervals by first fit in several greedy orders and improves the best order by local search until it meets
/// the lower bound or `maxRounds` changes were tried. Deterministic: the same intervals give the same offsets.
/// `alignment` is a power of two.
class ArenaPlanner {
public:
  explicit ArenaPlanner(int64_t alignment = 64, unsigned maxRounds = 200)
      : alignment(alignment), maxRounds(maxRounds) {}

  ArenaPlacement place(const std::vector<ArenaInterval> &intervals) const;

private:
  int64_t alignment;
  unsigned maxRounds;
};

} // namespace leaf

#endif // LEAFCUTTER_PLAN_ARENAPLANNER_H
