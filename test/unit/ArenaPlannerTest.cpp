//===- ArenaPlannerTest.cpp - placement of buffers ---------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Plan/ArenaPlanner.h"

#include "gtest/gtest.h"
#include <algorithm>
#include <numeric>

using namespace leaf;

/// No two intervals that live at the same time may overlap; the peak holds all of them.
static void expectValid(const std::vector<ArenaInterval> &intervals, const ArenaPlacement &placement,
                        int64_t alignment) {
  ASSERT_EQ(placement.offsets.size(), intervals.size());
  for (size_t i = 0; i < intervals.size(); ++i) {
    EXPECT_EQ(placement.offsets[i] % alignment, 0);
    EXPECT_LE(placement.offsets[i] + intervals[i].bytes, placement.peak);
    for (size_t j = 0; j < i; ++j) {
      const ArenaInterval &a = intervals[i], &b = intervals[j];
      bool together = a.begin < b.end && b.begin < a.end;
      bool overlap = placement.offsets[i] < placement.offsets[j] + b.bytes &&
                     placement.offsets[j] < placement.offsets[i] + a.bytes;
      EXPECT_FALSE(together && overlap) << i << " and " << j;
    }
  }
  EXPECT_GE(placement.peak, placement.lowerBound);
}

TEST(ArenaPlanner, NothingTakesNoRoom) {
  ArenaPlacement placement = ArenaPlanner().place({});
  EXPECT_EQ(placement.peak, 0);
  EXPECT_EQ(placement.lowerBound, 0);
}

TEST(ArenaPlanner, DeadBuffersAreReused) {
  std::vector<ArenaInterval> chain = {{0, 2, 100}, {1, 3, 200}, {2, 4, 100}};
  ArenaPlacement placement = ArenaPlanner().place(chain);
  expectValid(chain, placement, 64);
  EXPECT_EQ(placement.peak, 128 + 256);
  EXPECT_EQ(placement.lowerBound, 128 + 256);
}

TEST(ArenaPlanner, EmptyLifetimeTakesNoRoom) {
  std::vector<ArenaInterval> intervals = {{5, 5, 1 << 20}, {0, 10, 64}};
  ArenaPlacement placement = ArenaPlanner().place(intervals);
  EXPECT_EQ(placement.peak, 64);
}

TEST(ArenaPlanner, SameInputSameOffsets) {
  std::vector<ArenaInterval> intervals;
  for (int64_t i = 0; i < 60; ++i)
    intervals.push_back({i * 7 % 31, i * 7 % 31 + 1 + i * 5 % 13, 64 + i * 97 % 900});
  ArenaPlacement first = ArenaPlanner().place(intervals), second = ArenaPlanner().place(intervals);
  expectValid(intervals, first, 64);
  EXPECT_EQ(first.offsets, second.offsets);
}

/// The smallest peak of all placements: some order of rising offsets leads to it.
static int64_t placeByBruteForce(const std::vector<ArenaInterval> &intervals) {
  std::vector<size_t> order(intervals.size());
  std::iota(order.begin(), order.end(), 0);
  int64_t best = INT64_MAX;
  do {
    std::vector<int64_t> tops(intervals.size());
    for (size_t k = 0; k < order.size(); ++k) {
      const ArenaInterval &self = intervals[order[k]];
      int64_t offset = 0;
      for (size_t l = 0; l < k; ++l)
        if (const ArenaInterval &other = intervals[order[l]]; other.begin < self.end && self.begin < other.end)
          offset = std::max(offset, tops[order[l]]);
      tops[order[k]] = offset + self.bytes;
    }
    best = std::min(best, *std::max_element(tops.begin(), tops.end()));
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

TEST(ArenaPlanner, SmallCasesAreOptimal) {
  uint64_t state = 1;
  auto random = [&](uint64_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int64_t>((state >> 33) % below);
  };
  unsigned searched = 0;
  for (unsigned round = 0; round < 400; ++round) {
    std::vector<ArenaInterval> intervals(7);
    for (ArenaInterval &interval : intervals) {
      interval.begin = random(8);
      interval.end = interval.begin + 1 + random(5);
      interval.bytes = 1 + random(round % 2 ? 6 : 40);
    }
    ArenaPlannerOptions options;
    options.alignment = 1;
    options.maxRounds = 0; // the search has to find it
    ArenaPlacement placement = ArenaPlanner(options).place(intervals);
    expectValid(intervals, placement, 1);
    EXPECT_EQ(placement.peak, placeByBruteForce(intervals)) << round;
    options.searchSteps = 0;
    searched += ArenaPlanner(options).place(intervals).peak > placement.peak;
  }
  EXPECT_GT(searched, 3u) << "the cases are all easy";
}

TEST(ArenaPlanner, SearchBeatsGreedyOrders) {
  // Sizes with an awkward fit: greedy orders leave gaps.
  std::vector<ArenaInterval> intervals = {{0, 2, 3}, {0, 3, 2}, {1, 5, 2}, {2, 6, 3}, {3, 7, 2}, {5, 9, 4}, {6, 9, 3}};
  ArenaPlannerOptions options;
  options.alignment = 1;
  options.maxRounds = 0;
  options.searchSteps = 0;
  int64_t greedy = ArenaPlanner(options).place(intervals).peak;
  options.searchSteps = 100'000;
  EXPECT_LE(ArenaPlanner(options).place(intervals).peak, greedy);
  EXPECT_EQ(ArenaPlanner(options).place(intervals).peak, placeByBruteForce(intervals));
}

TEST(ArenaPlanner, EnoughEndsTheSearch) {
  std::vector<ArenaInterval> intervals;
  for (int64_t i = 0; i < 60; ++i)
    intervals.push_back({i * 7 % 31, i * 7 % 31 + 1 + i * 5 % 13, 64 + i * 97 % 900});
  ArenaPlannerOptions options;
  options.enough = INT64_C(1) << 40;
  ArenaPlacement placement = ArenaPlanner(options).place(intervals);
  expectValid(intervals, placement, 64);
}

TEST(ArenaPlanner, SearchOfManyBuffersEnds) {
  std::vector<ArenaInterval> intervals;
  for (int64_t i = 0; i < 2000; ++i)
    intervals.push_back({i, i + 2 + i * 5 % 13, 64 * (1 + i * 977 % 1009)});
  ArenaPlacement placement = ArenaPlanner().place(intervals);
  expectValid(intervals, placement, 64);
}
