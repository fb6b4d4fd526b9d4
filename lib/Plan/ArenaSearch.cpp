//===- ArenaSearch.cpp - exact placement within a capacity -------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ArenaSearch.h"

#include <algorithm>

using namespace leaf;

ArenaProblem::ArenaProblem(const std::vector<ArenaInterval> &intervals) {
  // A maximal set is live between a begin and the next end with no begin in between.
  std::vector<std::pair<int64_t, bool>> events;
  for (const ArenaInterval &interval : intervals) {
    events.push_back({interval.begin, true});
    events.push_back({interval.end, false});
  }
  std::sort(events.begin(), events.end());
  std::vector<int64_t> times;
  for (size_t i = 0; i + 1 < events.size(); ++i)
    if (events[i].second && !events[i + 1].second)
      times.push_back(events[i].first);
  sections.resize(times.size());
  auto find = [&](int64_t time) {
    return static_cast<unsigned>(std::lower_bound(times.begin(), times.end(), time) - times.begin());
  };
  for (const ArenaInterval &interval : intervals) {
    Buffer buffer{interval.bytes, find(interval.begin), find(interval.end) - 1};
    for (unsigned s = buffer.first; s <= buffer.last; ++s)
      sections[s].push_back(buffers.size());
    buffers.push_back(buffer);
  }
  neighbors.resize(buffers.size());
  for (unsigned i = 0; i < buffers.size(); ++i)
    for (unsigned j = 0; j < i; ++j)
      if (buffers[i].first <= buffers[j].last && buffers[j].first <= buffers[i].last) {
        neighbors[i].push_back(j);
        neighbors[j].push_back(i);
      }
}

ArenaSearch::ArenaSearch(const ArenaProblem &problem, int64_t capacity, std::vector<unsigned> rank, int64_t steps,
                         int64_t maxNodes)
    : sectionFailures(problem.sections.size()), bufferFailures(problem.buffers.size()), problem(problem),
      capacity(capacity), rank(std::move(rank)), steps(steps), nodesLeft(maxNodes),
      words((problem.buffers.size() + 63) / 64), floor(problem.sections.size()), rest(problem.sections.size()),
      across(problem.sections.size()), low(problem.buffers.size()), pocket(problem.buffers.size(), -1),
      placed(problem.buffers.size()), why(problem.buffers.size() * words), whyDelayed(problem.buffers.size() * words),
      conflict(words), reason(words), isDirty(problem.sections.size()) {
  for (const ArenaProblem::Buffer &buffer : problem.buffers)
    for (unsigned s = buffer.first; s <= buffer.last; ++s) {
      rest[s] += buffer.bytes;
      across[s] += s < buffer.last;
    }
}

ArenaSearch::Answer ArenaSearch::run() {
  if (problem.sections.empty())
    return Answer::Placed;
  for (unsigned s = 0; s < problem.sections.size(); ++s)
    touch(s);
  return settle() ? solveParts(0, problem.sections.size() - 1) : Answer::Impossible;
}

/// Solves the runs of sections that no buffer connects; the tightest first, as it fails first.
ArenaSearch::Answer ArenaSearch::solveParts(unsigned first, unsigned last) {
  struct Part {
    int64_t slack;
    unsigned first, last;
  };
  std::vector<Part> parts;
  for (unsigned s = first; s <= last; ++s) {
    if (rest[s] == 0)
      continue;
    Part part{capacity, s, s};
    for (;; ++s) {
      part.slack = std::min(part.slack, capacity - floor[s] - rest[s]);
      if (s == last || across[s] == 0)
        break;
    }
    part.last = s;
    parts.push_back(part);
  }
  std::stable_sort(parts.begin(), parts.end(), [](const Part &a, const Part &b) { return a.slack < b.slack; });
  for (const Part &part : parts)
    if (Answer answer = solve(part.first, part.last); answer != Answer::Placed)
      return answer;
  return Answer::Placed;
}

/// The buffer to be placed next: of those with the lowest offset the first by rank.
unsigned ArenaSearch::findLowest(unsigned first, unsigned last) {
  int64_t offset = INT64_MAX;
  for (unsigned s = first; s <= last; ++s)
    if (rest[s])
      offset = std::min(offset, floor[s]);
  steps -= last - first + 1;
  unsigned best = UINT32_MAX;
  for (unsigned s = first; s <= last; ++s) {
    if (rest[s] == 0 || floor[s] != offset)
      continue;
    for (unsigned b : problem.sections[s])
      if (!placed[b] && low[b] == offset && (best == UINT32_MAX || rank[b] < rank[best]))
        best = b;
  }
  return best;
}

/// Places all that is left in a run of sections. After Impossible, `conflict` says why.
ArenaSearch::Answer ArenaSearch::solve(unsigned first, unsigned last) {
  while (true) {
    unsigned buffer = findLowest(first, last);
    size_t mark = trail.size();
    if (place(buffer))
      if (Answer answer = solveParts(first, last); answer != Answer::Impossible)
        return answer;
    undo(mark);
    if (steps <= 0 || nodesLeft <= 0)
      return Answer::OutOfSteps;
    if (!hasBit(conflict, buffer))
      return Answer::Impossible;
    if (coversNeighbors(buffer)) {
      explainCovered(buffer);
      return Answer::Impossible;
    }
    if (!delay(buffer))
      return Answer::Impossible;
  }
}

/// Puts a buffer at its lowest offset: all that meet it go above it.
bool ArenaSearch::place(unsigned buffer) {
  --nodesLeft;
  const ArenaProblem::Buffer &self = problem.buffers[buffer];
  placed[buffer] = true;
  trail.push_back({Change::Place, buffer, 0});
  for (unsigned s = self.first; s <= self.last; ++s) {
    rest[s] -= self.bytes;
    across[s] -= s < self.last;
    touch(s);
  }
  int64_t offset = low[buffer], top = offset + self.bytes;
  steps -= problem.neighbors[buffer].size();
  for (unsigned other : problem.neighbors[buffer]) {
    if (placed[other])
      continue;
    if (pocket[other] >= 0) {
      trail.push_back({Change::Pocket, other, pocket[other]});
      pocket[other] = -1;
    }
    if (low[other] >= top)
      continue;
    std::fill(reason.begin(), reason.end(), 0);
    join(reason, why, buffer);
    setBit(reason, buffer);
    if (problem.buffers[other].bytes <= offset) // it would fit below, were it not known to be higher
      join(reason, why, other);
    if (!raise(other, top))
      return false;
  }
  return settle();
}

/// Excludes a buffer from its lowest offset; `conflict` says why it cannot be there.
bool ArenaSearch::delay(unsigned buffer) {
  trail.push_back({Change::Pocket, buffer, pocket[buffer]});
  pocket[buffer] = low[buffer] + problem.buffers[buffer].bytes;
  trail.push_back({Change::Delay, buffer, 0});
  saveBits(whyDelayed, buffer);
  delayed.push_back(buffer);
  clearBit(conflict, buffer);
  join(conflict, why, buffer);
  for (unsigned other : problem.neighbors[buffer])
    if (placed[other]) { // those that are placed do not hold it up
      join(conflict, why, other);
      setBit(conflict, other);
    }
  std::copy(conflict.begin(), conflict.end(), whyDelayed.begin() + size_t(buffer) * words);
  return settle();
}

/// True when all that is left and meets the buffer lies inside of its lifetime: in any solution it can change places
/// with what is below it, so that nothing is gained by delaying it.
bool ArenaSearch::coversNeighbors(unsigned buffer) const {
  const ArenaProblem::Buffer &self = problem.buffers[buffer];
  return std::all_of(problem.neighbors[buffer].begin(), problem.neighbors[buffer].end(), [&](unsigned other) {
    return placed[other] || (problem.buffers[other].first >= self.first && problem.buffers[other].last <= self.last);
  });
}

void ArenaSearch::explainCovered(unsigned buffer) {
  clearBit(conflict, buffer);
  join(conflict, why, buffer);
  for (unsigned other : problem.neighbors[buffer]) {
    join(conflict, why, other);
    if (placed[other])
      setBit(conflict, other);
  }
}

void ArenaSearch::undo(size_t mark) {
  for (; trail.size() > mark; trail.pop_back()) {
    auto [change, index, old] = trail.back();
    switch (change) {
    case Change::Low:
      low[index] = old;
      restoreBits(why, index);
      break;
    case Change::Floor:
      floor[index] = old;
      break;
    case Change::Pocket:
      pocket[index] = old;
      break;
    case Change::Delay:
      delayed.pop_back();
      restoreBits(whyDelayed, index);
      break;
    case Change::Place: {
      const ArenaProblem::Buffer &self = problem.buffers[index];
      placed[index] = false;
      for (unsigned s = self.first; s <= self.last; ++s) {
        rest[s] += self.bytes;
        across[s] += s < self.last;
      }
      break;
    }
    }
  }
  for (unsigned s : dirty)
    isDirty[s] = false;
  dirty.clear();
}
