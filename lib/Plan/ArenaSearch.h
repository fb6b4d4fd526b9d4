//===- ArenaSearch.h - exact placement within a capacity ---------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_PLAN_ARENASEARCH_H
#define LEAFCUTTER_LIB_PLAN_ARENASEARCH_H

#include "leafcutter/Plan/ArenaPlanner.h"

namespace leaf {

/// Intervals as a search sees them. Time is cut into sections: the maximal sets of buffers that are live together, in
/// order of time. Two buffers meet where their ranges of sections do.
struct ArenaProblem {
  struct Buffer {
    int64_t bytes;
    unsigned first, last; ///< sections, both included
  };
  std::vector<Buffer> buffers;
  std::vector<std::vector<unsigned>> sections;  ///< buffers that are live in each
  std::vector<std::vector<unsigned>> neighbors; ///< buffers that meet each

  /// All intervals must have bytes and a lifetime.
  explicit ArenaProblem(const std::vector<ArenaInterval> &intervals);
};

/// Depth-first search for offsets within a capacity: the algorithm of M. Moffitt, "MiniMalloc: A Lightweight Memory
/// Allocator for Hardware-Accelerated Machine Learning", ASPLOS 2023, with backjumping.
///
/// Buffers are placed in order of rising offsets, each as low as those below let it; the one of lowest `rank` is tried
/// first where several can be lowest. Any solution can be compacted into one that this order finds. A buffer that was
/// tried in vain at its lowest offset is delayed: in a compacted solution another one, not yet placed, takes part of
/// the room it left (its pocket), and it lies on top of such a one. Sections whose buffers don't fit above their
/// lowest offsets end a branch, parts of the time line that no buffer connects any more are solved one by one.
///
/// Each lowest offset comes with the placements that it follows from (as a bit set); from them a failure gets those
/// it follows from, and the search goes back to the last of these instead of the last of all.
class ArenaSearch {
public:
  enum class Answer { Placed, Impossible, OutOfSteps };

  /// The search ends after about `steps` looks at a buffer, or `maxNodes` placements.
  ArenaSearch(const ArenaProblem &problem, int64_t capacity, std::vector<unsigned> rank, int64_t steps,
              int64_t maxNodes);

  Answer run();

  /// After Placed: bytes, per buffer.
  const std::vector<int64_t> &getOffsets() const { return low; }
  int64_t getStepsLeft() const { return steps; }

  /// How often the search failed in each section, and at each buffer: where later ones should begin.
  std::vector<double> sectionFailures, bufferFailures;

private:
  enum class Change { Low, Floor, Pocket, Delay, Place };
  struct Undo {
    Change change;
    unsigned index;
    int64_t old;
  };
  using Bits = std::vector<uint64_t>;

  Answer solveParts(unsigned first, unsigned last);
  Answer solve(unsigned first, unsigned last);
  unsigned findLowest(unsigned first, unsigned last);
  bool place(unsigned buffer);
  bool delay(unsigned buffer);
  bool settle();
  bool settleSection(unsigned section);
  bool raiseNotLowest(unsigned section);
  bool settleDelayed(unsigned buffer, bool &changed);
  bool raise(unsigned buffer, int64_t offset);
  bool failSection(unsigned section, unsigned begin);
  bool coversNeighbors(unsigned buffer) const;
  void explainCovered(unsigned buffer);
  void touch(unsigned section);
  void undo(size_t mark);

  void saveBits(const Bits &bits, unsigned buffer);
  void restoreBits(Bits &bits, unsigned buffer);
  void join(Bits &to, const Bits &from, unsigned buffer) const;
  static void setBit(Bits &bits, unsigned i) { bits[i / 64] |= uint64_t(1) << (i % 64); }
  static void clearBit(Bits &bits, unsigned i) { bits[i / 64] &= ~(uint64_t(1) << (i % 64)); }
  static bool hasBit(const Bits &bits, unsigned i) { return bits[i / 64] >> (i % 64) & 1; }

  const ArenaProblem &problem;
  int64_t capacity;
  std::vector<unsigned> rank;
  int64_t steps, nodesLeft;
  unsigned words; ///< of a bit set over all buffers

  std::vector<int64_t> floor;        ///< per section: the lowest offset of what is not placed in it
  std::vector<int64_t> rest;         ///< per section: bytes of what is not placed
  std::vector<unsigned> across;      ///< per section: buffers not placed that go on in the next one
  std::vector<int64_t> low;          ///< per buffer: its offset, or the lowest that it can have
  std::vector<int64_t> pocket;       ///< per delayed buffer: end of the room that it left; -1: is not delayed
  std::vector<unsigned char> placed; ///< per buffer
  Bits why;                          ///< `words` per buffer: the placements that `low` follows from
  Bits whyDelayed;                   ///< `words` per buffer: those that the delay follows from
  Bits conflict;                     ///< after a failure: placements that cannot be together
  Bits reason;                       ///< of the next raise
  std::vector<unsigned> delayed;     ///< in order of time; also ones that are no longer
  std::vector<Undo> trail;
  Bits savedBits; ///< of the trail's entries, `words` each
  std::vector<unsigned> dirty;
  std::vector<unsigned char> isDirty;
  std::vector<std::pair<int64_t, unsigned>> sorted; ///< lowest offsets and buffers of a section
};

} // namespace leaf

#endif // LEAFCUTTER_LIB_PLAN_ARENASEARCH_H
