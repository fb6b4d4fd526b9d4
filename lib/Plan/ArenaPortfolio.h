//===- ArenaPortfolio.h - restarts of the exact search -----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_PLAN_ARENAPORTFOLIO_H
#define LEAFCUTTER_LIB_PLAN_ARENAPORTFOLIO_H

#include "ArenaSearch.h"

namespace leaf {

/// Runs ArenaSearch many times, each for a short while and with another rank of the buffers: some rank leads to a
/// placement almost without a wrong turn, and most others never do. A rank is a weighted sum of logarithms of size and
/// lifetime, of the fullest section, and of how often earlier runs failed there.
class ArenaPortfolio {
public:
  /// Sizes of the intervals are multiples of `alignment`; those of size 0 lie anywhere.
  ArenaPortfolio(const std::vector<ArenaInterval> &intervals, int64_t alignment);

  /// Lowers the peak of `best` towards `goal`, in about `steps` steps of the search.
  void improve(ArenaPlacement &best, int64_t goal, int64_t steps);

private:
  ArenaSearch::Answer search(int64_t capacity, int64_t &steps, ArenaPlacement &best);
  std::vector<unsigned> makeRank();
  std::vector<double> getFailures() const;
  void remember(const ArenaSearch &search);
  double random();

  std::vector<unsigned> indices;       ///< of the searched intervals
  std::vector<ArenaInterval> searched; ///< those that take room
  int64_t alignment;
  ArenaProblem problem;
  std::vector<double> sectionFailures, bufferFailures;
  std::vector<double> fullness; ///< per buffer: bytes of its fullest section, of those of all
  uint64_t state = 88172645463325252u;
};

} // namespace leaf

#endif // LEAFCUTTER_LIB_PLAN_ARENAPORTFOLIO_H
