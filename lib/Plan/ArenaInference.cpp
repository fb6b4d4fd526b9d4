//===- ArenaInference.cpp - what placements say about the rest ---------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ArenaSearch.h"

#include <algorithm>

using namespace leaf;

void ArenaSearch::saveBits(const Bits &bits, unsigned buffer) {
  auto begin = bits.begin() + size_t(buffer) * words;
  savedBits.insert(savedBits.end(), begin, begin + words);
}

void ArenaSearch::restoreBits(Bits &bits, unsigned buffer) {
  std::copy(savedBits.end() - words, savedBits.end(), bits.begin() + size_t(buffer) * words);
  savedBits.resize(savedBits.size() - words);
}

void ArenaSearch::join(Bits &to, const Bits &from, unsigned buffer) const {
  for (unsigned k = 0; k < words; ++k)
    to[k] |= from[size_t(buffer) * words + k];
}

void ArenaSearch::touch(unsigned section) {
  if (isDirty[section])
    return;
  isDirty[section] = true;
  dirty.push_back(section);
}

/// Raises the lowest offset of a buffer because of `reason`.
bool ArenaSearch::raise(unsigned buffer, int64_t offset) {
  const ArenaProblem::Buffer &self = problem.buffers[buffer];
  if (offset + self.bytes > capacity) {
    conflict = reason;
    bufferFailures[buffer] += 1;
    return false;
  }
  trail.push_back({Change::Low, buffer, low[buffer]});
  saveBits(why, buffer);
  low[buffer] = offset;
  std::copy(reason.begin(), reason.end(), why.begin() + size_t(buffer) * words);
  for (unsigned s = self.first; s <= self.last; ++s)
    touch(s);
  return true;
}

/// Draws all conclusions from what changed. On failure `conflict` says why.
bool ArenaSearch::settle() {
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < dirty.size(); ++i) {
      isDirty[dirty[i]] = false;
      if (rest[dirty[i]] != 0 && !settleSection(dirty[i]))
        return false;
    }
    dirty.clear();
    for (unsigned buffer : delayed)
      if (pocket[buffer] >= 0 && !placed[buffer] && !settleDelayed(buffer, changed))
        return false;
  }
  return true;
}

/// The floor of a section, and whether for each offset what lies above it fits.
bool ArenaSearch::settleSection(unsigned section) {
  steps -= problem.sections[section].size();
  sorted.clear();
  for (unsigned b : problem.sections[section])
    if (!placed[b])
      sorted.push_back({low[b], b});
  std::sort(sorted.begin(), sorted.end());
  int64_t top = 0;
  unsigned begin = 0;
  for (unsigned i = 0; i < sorted.size(); ++i) {
    if (sorted[i].first > top) {
      top = sorted[i].first;
      begin = i;
    }
    top += problem.buffers[sorted[i].second].bytes;
  }
  if (top > capacity)
    return failSection(section, begin);
  if (sorted.front().first > floor[section]) {
    trail.push_back({Change::Floor, section, floor[section]});
    floor[section] = sorted.front().first;
  }
  return raiseNotLowest(section);
}

/// `sorted` from `begin` on does not fit above the offset of the first of them; leaves out what it fails without.
bool ArenaSearch::failSection(unsigned section, unsigned begin) {
  sectionFailures[section] += 1;
  int64_t excess = sorted[begin].first - capacity;
  for (unsigned i = begin; i < sorted.size(); ++i)
    excess += problem.buffers[sorted[i].second].bytes;
  std::fill(conflict.begin(), conflict.end(), 0);
  for (unsigned i = sorted.size(); i-- > begin;) {
    auto [offset, buffer] = sorted[i];
    int64_t bytes = problem.buffers[buffer].bytes;
    if (bytes < excess)
      excess -= bytes;
    else
      join(conflict, why, buffer);
  }
  return false;
}

/// What would leave no room for the others if it were the lowest of its section lies on one of them.
bool ArenaSearch::raiseNotLowest(unsigned section) {
  int64_t least = INT64_MAX, second = INT64_MAX;
  bool any = false;
  for (auto [offset, buffer] : sorted) {
    int64_t top = offset + problem.buffers[buffer].bytes;
    second = std::min(second, std::max(least, top));
    least = std::min(least, top);
    any |= offset + rest[section] > capacity;
  }
  if (!any)
    return true;
  for (auto [offset, buffer] : sorted) {
    if (offset + rest[section] <= capacity)
      continue;
    int64_t support = offset + problem.buffers[buffer].bytes == least ? second : least;
    if (support <= low[buffer])
      continue;
    std::fill(reason.begin(), reason.end(), 0);
    join(reason, why, buffer);
    for (auto [_, other] : sorted)
      if (problem.buffers[other].bytes < support)
        join(reason, why, other);
    if (!raise(buffer, support))
      return false;
  }
  return true;
}

/// A delayed buffer lies on one that takes part of its pocket.
bool ArenaSearch::settleDelayed(unsigned buffer, bool &changed) {
  steps -= problem.neighbors[buffer].size();
  int64_t support = INT64_MAX;
  for (unsigned other : problem.neighbors[buffer])
    if (!placed[other] && low[other] < pocket[buffer])
      support = std::min(support, low[other] + problem.buffers[other].bytes);
  if (support <= low[buffer])
    return true;
  std::fill(reason.begin(), reason.end(), 0);
  join(reason, whyDelayed, buffer);
  for (unsigned other : problem.neighbors[buffer])
    if (!placed[other] && (low[other] >= pocket[buffer] || problem.buffers[other].bytes < support))
      join(reason, why, other);
  if (support == INT64_MAX) {
    conflict = reason;
    bufferFailures[buffer] += 1;
    return false;
  }
  changed = true;
  return raise(buffer, support);
}
