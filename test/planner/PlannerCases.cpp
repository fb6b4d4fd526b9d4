//===- PlannerCases.cpp - places hard cases within a capacity ----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
//   PlannerCases STEPS CASE.CAPACITY.csv…    one buffer a line: id,begin,end,bytes
//
// Prints peak, lower bound and seconds of each; PASS where the peak is within the capacity and the time within 60 s.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Plan/ArenaPlanner.h"

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using namespace leaf;

static constexpr double kMaxSeconds = 60;

static std::vector<ArenaInterval> readCase(const std::filesystem::path &path) {
  std::vector<ArenaInterval> intervals;
  std::ifstream file(path);
  std::string line;
  std::getline(file, line); // names of the columns
  while (std::getline(file, line)) {
    ArenaInterval interval;
    if (std::sscanf(line.c_str(), "%*[^,],%" SCNd64 ",%" SCNd64 ",%" SCNd64, &interval.begin, &interval.end,
                    &interval.bytes) == 3)
      intervals.push_back(interval);
  }
  return intervals;
}

/// True when no two buffers overlap that are live at one time, and all end below the peak.
static bool isValid(const std::vector<ArenaInterval> &intervals, const ArenaPlacement &placement) {
  for (size_t i = 0; i < intervals.size(); ++i) {
    const ArenaInterval &a = intervals[i];
    int64_t at = placement.offsets[i];
    if (at < 0 || at + a.bytes > placement.peak)
      return false;
    for (size_t j = 0; j < i; ++j) {
      const ArenaInterval &b = intervals[j];
      int64_t other = placement.offsets[j];
      if (a.begin < b.end && b.begin < a.end && at < other + b.bytes && other < at + a.bytes)
        return false;
    }
  }
  return true;
}

static bool runCase(const std::filesystem::path &path, int64_t steps) {
  std::vector<ArenaInterval> intervals = readCase(path);
  ArenaPlannerOptions options;
  options.alignment = 1;
  options.searchSteps = steps;
  options.enough = std::atoll(path.stem().extension().string().c_str() + 1);
  auto start = std::chrono::steady_clock::now();
  ArenaPlacement placement = ArenaPlanner(options).place(intervals);
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  bool valid = isValid(intervals, placement);
  bool passed = valid && !intervals.empty() && placement.peak <= options.enough && seconds <= kMaxSeconds;
  std::printf("%s: %s: %zu buffers, peak %" PRId64 " of %" PRId64 ", lower bound %" PRId64 ", %.1f s%s\n",
              passed ? "PASS" : "FAIL", path.filename().c_str(), intervals.size(), placement.peak, options.enough,
              placement.lowerBound, seconds, valid ? "" : ", buffers overlap");
  std::fflush(stdout);
  return passed;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: PlannerCases STEPS CASE.CAPACITY.csv...\n");
    return 2;
  }
  bool passed = true;
  for (int i = 2; i < argc; ++i)
    passed = runCase(argv[i], std::atoll(argv[1])) && passed;
  return passed ? 0 : 1;
}
