//===- CallOrder.cpp - orders of calls that need little memory ---------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CallOrder.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <unordered_map>

using namespace leaf;

namespace {
/// What is left to do after some calls.
struct State {
  int64_t peak = 0, live = 0;
  uint64_t hash = 0;                             ///< of the set of calls that are done
  int parent = -1;                               ///< index into the history; -1: nothing was done
  std::vector<unsigned> readers, missing, ready; ///< per node: readers to come, inputs to come; nodes with none
};

/// A call that may come next in a state.
struct Move {
  int64_t peak, live;
  uint64_t hash;
  unsigned state, node;
};
} // namespace

/// About as many moves are looked at in a step.
static constexpr size_t kMovesPerStep = 4096;

static uint64_t hashOf(unsigned node) {
  uint64_t x = node + 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

static State begin(const std::vector<CallNode> &nodes) {
  State state;
  state.readers.resize(nodes.size());
  state.missing.resize(nodes.size());
  for (unsigned i = 0; i < nodes.size(); ++i) {
    state.missing[i] = nodes[i].inputs.size();
    for (unsigned input : nodes[i].inputs)
      ++state.readers[input];
    if (nodes[i].inputs.empty())
      state.ready.push_back(i);
  }
  for (unsigned i = 0; i < nodes.size(); ++i)
    state.readers[i] += nodes[i].kept;
  return state;
}

/// Peak and live bytes after `node` follows.
static std::pair<int64_t, int64_t> weigh(const std::vector<CallNode> &nodes, const State &state, unsigned node) {
  const CallNode &self = nodes[node];
  int64_t freed = 0, shared = 0;
  for (unsigned input : self.inputs)
    if (state.readers[input] == 1)
      freed += nodes[input].bytes;
  for (unsigned input : self.inPlace)
    if (state.readers[input] == 1 && nodes[input].bytes >= self.bytes)
      shared = self.bytes;
  int64_t during = state.live + self.bytes - shared, after = state.live + self.bytes - freed;
  return {std::max(state.peak, during), state.readers[node] ? after : after - self.bytes};
}

static void advance(const std::vector<CallNode> &nodes, const std::vector<std::vector<unsigned>> &readers, State &state,
                    unsigned node) {
  std::tie(state.peak, state.live) = weigh(nodes, state, node);
  state.hash ^= hashOf(node);
  state.ready.erase(std::find(state.ready.begin(), state.ready.end(), node));
  for (unsigned input : nodes[node].inputs)
    --state.readers[input];
  for (unsigned reader : readers[node])
    if (--state.missing[reader] == 0)
      state.ready.push_back(reader);
}

static std::vector<std::vector<unsigned>> getReaders(const std::vector<CallNode> &nodes) {
  std::vector<std::vector<unsigned>> readers(nodes.size());
  for (unsigned i = 0; i < nodes.size(); ++i)
    for (unsigned input : nodes[i].inputs)
      readers[input].push_back(i);
  return readers;
}

int64_t leaf::getPeak(const std::vector<CallNode> &nodes, const std::vector<unsigned> &order) {
  std::vector<std::vector<unsigned>> readers = getReaders(nodes);
  State state = begin(nodes);
  for (unsigned node : order)
    advance(nodes, readers, state, node);
  return state.peak;
}

/// All that may come next, the best first; of several ways to one set the best.
static std::vector<Move> listMoves(const std::vector<CallNode> &nodes, const std::vector<State> &beam) {
  std::vector<Move> moves;
  for (unsigned s = 0; s < beam.size(); ++s)
    for (unsigned node : beam[s].ready) {
      auto [peak, live] = weigh(nodes, beam[s], node);
      moves.push_back({peak, live, beam[s].hash ^ hashOf(node), s, node});
    }
  std::stable_sort(moves.begin(), moves.end(), [](const Move &a, const Move &b) {
    return std::tie(a.peak, a.live, a.node) < std::tie(b.peak, b.live, b.node);
  });
  return moves;
}

std::vector<unsigned> leaf::findOrder(const std::vector<CallNode> &nodes, unsigned width) {
  std::vector<std::vector<unsigned>> readers = getReaders(nodes);
  std::vector<std::pair<int, unsigned>> history; // parent and node of each state that went on
  std::vector<State> beam{begin(nodes)};
  for (size_t done = 0; done < nodes.size(); ++done) {
    // Where many calls can come next, fewer states go on: the effort per step is bounded.
    size_t allowed = std::clamp<size_t>(kMovesPerStep / std::max<size_t>(beam.front().ready.size(), 1), 1, width);
    std::vector<State> next;
    std::unordered_map<uint64_t, unsigned> seen;
    for (const Move &move : listMoves(nodes, beam)) {
      if (next.size() == allowed)
        break;
      if (!seen.try_emplace(move.hash, move.node).second)
        continue;
      State state = beam[move.state];
      advance(nodes, readers, state, move.node);
      history.push_back({state.parent, move.node});
      state.parent = static_cast<int>(history.size()) - 1;
      next.push_back(std::move(state));
    }
    beam = std::move(next);
  }
  std::vector<unsigned> order;
  for (int at = beam.front().parent; at >= 0; at = history[at].first)
    order.push_back(history[at].second);
  std::reverse(order.begin(), order.end());
  return order;
}
