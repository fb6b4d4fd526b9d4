//===- ArenaPlannerTest.cpp - placement of buffers ---------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Plan/ArenaPlanner.h"

#include "gtest/gtest.h"
#include <filesystem>
#include <fstream>
#include <sstream>

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
  ArenaPlacement placement = ArenaPlanner(64).place(chain);
  expectValid(chain, placement, 64);
  EXPECT_EQ(placement.peak, 128 + 256);
  EXPECT_EQ(placement.lowerBound, 128 + 256);
}

TEST(ArenaPlanner, EmptyLifetimeTakesNoRoom) {
  std::vector<ArenaInterval> intervals = {{5, 5, 1 << 20}, {0, 10, 64}};
  ArenaPlacement placement = ArenaPlanner(64).place(intervals);
  EXPECT_EQ(placement.peak, 64);
}

TEST(ArenaPlanner, SameInputSameOffsets) {
  std::vector<ArenaInterval> intervals;
  for (int64_t i = 0; i < 60; ++i)
    intervals.push_back({i * 7 % 31, i * 7 % 31 + 1 + i * 5 % 13, 64 + i * 97 % 900});
  ArenaPlacement first = ArenaPlanner(64).place(intervals), second = ArenaPlanner(64).place(intervals);
  expectValid(intervals, first, 64);
  EXPECT_EQ(first.offsets, second.offsets);
}

/// MiniMalloc's challenging cases: id,lower,upper,size a line.
static std::vector<ArenaInterval> readCase(const std::filesystem::path &path) {
  std::vector<ArenaInterval> intervals;
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::istringstream cells(line);
    std::string id, begin, end, bytes;
    std::getline(cells, id, ',') && std::getline(cells, begin, ',') && std::getline(cells, end, ',');
    std::getline(cells, bytes);
    intervals.push_back({std::stoll(begin), std::stoll(end), std::stoll(bytes)});
  }
  return intervals;
}

TEST(ArenaPlanner, ChallengingCases) {
  const char *shared = std::getenv("LEAF_SHARED");
  std::filesystem::path folder = std::filesystem::path(shared ? shared : LEAF_SHARED_DIR) / "planner";
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << folder << " is missing";
  double total = 0, count = 0;
  for (char name = 'A'; name <= 'K'; ++name) {
    std::vector<ArenaInterval> intervals = readCase(folder / (std::string(1, name) + ".1048576.csv"));
    ArenaPlacement placement = ArenaPlanner(1).place(intervals);
    expectValid(intervals, placement, 1);
    double ratio = static_cast<double>(placement.peak) / static_cast<double>(placement.lowerBound);
    std::printf("%c: %.3f of the lower bound\n", name, ratio);
    EXPECT_LT(ratio, 1.42) << name;
    total += ratio;
    count += 1;
  }
  std::printf("mean %.3f\n", total / count);
}
