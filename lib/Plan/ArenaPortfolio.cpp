//===- ArenaPortfolio.cpp - restarts of the exact search ---------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ArenaPortfolio.h"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace leaf;

static std::vector<ArenaInterval> select(const std::vector<ArenaInterval> &intervals, std::vector<unsigned> &indices) {
  std::vector<ArenaInterval> selected;
  for (unsigned i = 0; i < intervals.size(); ++i)
    if (intervals[i].bytes > 0) {
      indices.push_back(i);
      selected.push_back(intervals[i]);
    }
  return selected;
}

ArenaPortfolio::ArenaPortfolio(const std::vector<ArenaInterval> &intervals, int64_t alignment)
    : searched(select(intervals, indices)), alignment(alignment), problem(searched),
      sectionFailures(problem.sections.size()), bufferFailures(searched.size()), fullness(searched.size()) {
  double most = 1;
  for (const std::vector<unsigned> &section : problem.sections) {
    double bytes = 0;
    for (unsigned b : section)
      bytes += static_cast<double>(searched[b].bytes);
    for (unsigned b : section)
      fullness[b] = std::max(fullness[b], bytes);
    most = std::max(most, bytes);
  }
  for (double &value : fullness)
    value /= most;
}

double ArenaPortfolio::random() {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return static_cast<double>(state >> 11) / 9007199254740992.0;
}

/// Close to the logarithm to base 2, and the same on every machine.
static double approximateLog(int64_t value) {
  int exponent = 0;
  double mantissa = std::frexp(static_cast<double>(value), &exponent);
  return exponent + 2 * mantissa;
}

/// Per buffer: failures in its worst section, of those in the worst of all.
std::vector<double> ArenaPortfolio::getFailures() const {
  double most = 1e-9;
  for (double count : sectionFailures)
    most = std::max(most, count);
  std::vector<double> failures(searched.size());
  for (unsigned s = 0; s < problem.sections.size(); ++s)
    for (unsigned b : problem.sections[s])
      failures[b] = std::max(failures[b], sectionFailures[s] / most);
  return failures;
}

std::vector<unsigned> ArenaPortfolio::makeRank() {
  double ofSize = random() * 0.7, ofLifetime = random() * 0.7, ofFullness = random() * 50;
  double ofSection = random() * 5, ofBuffer = random() * 5, most = 1e-9;
  for (double count : bufferFailures)
    most = std::max(most, count);
  std::vector<double> failures = getFailures(), keys(searched.size());
  for (unsigned b = 0; b < searched.size(); ++b)
    keys[b] = ofSize * approximateLog(searched[b].bytes) +
              ofLifetime * approximateLog(searched[b].end - searched[b].begin) + ofFullness * fullness[b] +
              ofSection * failures[b] + ofBuffer * bufferFailures[b] / most + 0.3 * random();
  std::vector<unsigned> order(searched.size()), rank(searched.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](unsigned a, unsigned b) { return keys[a] > keys[b]; });
  for (unsigned i = 0; i < order.size(); ++i)
    rank[order[i]] = i;
  return rank;
}

/// Adds the failures of a run; older ones count less and less.
void ArenaPortfolio::remember(const ArenaSearch &search) {
  for (unsigned s = 0; s < sectionFailures.size(); ++s)
    sectionFailures[s] = 0.9 * sectionFailures[s] + search.sectionFailures[s];
  for (unsigned b = 0; b < bufferFailures.size(); ++b)
    bufferFailures[b] = 0.9 * bufferFailures[b] + search.bufferFailures[b];
}

/// Runs until a placement within `capacity` is found and kept in `best`, or there is none, or `steps` are used up.
ArenaSearch::Answer ArenaPortfolio::search(int64_t capacity, int64_t &steps, ArenaPlacement &best) {
  for (unsigned run = 0; steps > 0; ++run) {
    // Most runs are short: three placements a buffer; every eighth one is long.
    int64_t nodes = static_cast<int64_t>(searched.size()) * (run % 8 == 7 ? 30 : 3);
    ArenaSearch search(problem, capacity, makeRank(), steps, nodes);
    ArenaSearch::Answer answer = search.run();
    steps = search.getStepsLeft();
    if (answer == ArenaSearch::Answer::Placed) {
      best.peak = 0;
      for (unsigned b = 0; b < searched.size(); ++b) {
        best.offsets[indices[b]] = search.getOffsets()[b];
        best.peak = std::max(best.peak, search.getOffsets()[b] + searched[b].bytes);
      }
    }
    if (answer != ArenaSearch::Answer::OutOfSteps)
      return answer;
    remember(search);
  }
  return ArenaSearch::Answer::OutOfSteps;
}

void ArenaPortfolio::improve(ArenaPlacement &best, int64_t goal, int64_t steps) {
  // Half of the effort for the goal itself, then a bisection of what is between it and the peak.
  int64_t part = steps / 2;
  if (search(goal, part, best) == ArenaSearch::Answer::Placed)
    return;
  for (steps = part + steps - steps / 2; steps > 0 && best.peak - goal > alignment;) {
    int64_t capacity = goal + (best.peak - goal) / 2 / alignment * alignment;
    int64_t allowed = std::min(steps, std::max<int64_t>(steps / 4, 1000)), left = allowed;
    if (search(capacity, left, best) != ArenaSearch::Answer::Placed)
      goal = capacity;
    steps -= allowed - left;
  }
}
