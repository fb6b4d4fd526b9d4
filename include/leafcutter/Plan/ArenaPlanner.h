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

struct ArenaPlannerOptions {
  int64_t alignment = 64;   ///< of offsets and sizes, bytes; a power of two
  unsigned maxRounds = 200; ///< changes of the greedy order that are tried
  /// Size of the exact search, in looks at a buffer (some 10 to 30 ns each); 0: none.
  int64_t searchSteps = 20'000'000;
  /// A peak of that many bytes is as good as the lower bound.
  int64_t enough = 0;
  /// More buffers than that are not searched: who meets whom is a square.
  unsigned maxSearched = 4096;
};

/// Places intervals by first fit in several greedy orders and improves the best order by local search. While the peak
/// is above the lower bound, an exact search (ArenaSearch) tries the lower bound, then capacities between it and the
/// peak. Deterministic: the same intervals and options give the same offsets, on any machine.
class ArenaPlanner {
public:
  explicit ArenaPlanner(ArenaPlannerOptions options = {}) : options(options) {}

  ArenaPlacement place(const std::vector<ArenaInterval> &intervals) const;

private:
  ArenaPlannerOptions options;
};

} // namespace leaf

#endif // LEAFCUTTER_PLAN_ARENAPLANNER_H
