//===- CallOrder.h - orders of calls that need little memory -----*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_PLAN_CALLORDER_H
#define LEAFCUTTER_LIB_PLAN_CALLORDER_H

#include <cstdint>
#include <vector>

namespace leaf {

/// A call: it makes one buffer, which lives until the last call that reads it.
struct CallNode {
  int64_t bytes = 0;             ///< of its buffer; 0 for one outside of the arena
  std::vector<unsigned> inputs;  ///< calls whose buffers it reads, each once, in rising order
  std::vector<unsigned> inPlace; ///< those of them whose buffer it may take over
  bool kept = false;             ///< lives to the end
};

/// Most bytes that are live in a call, of calls in that order (a permutation that respects the inputs).
int64_t getPeak(const std::vector<CallNode> &nodes, const std::vector<unsigned> &order);

/// An order with a low peak: a beam search over sets of calls that are done, of which the `width` ones with the lowest
/// peak so far, then the fewest live bytes, go on (a bounded form of the dynamic program of Ahn et al., "Ordering
/// Chaos: Memory-Aware Scheduling of Irregularly Wired Neural Networks for Edge Devices", MLSys 2020). Exact where
/// there are no more sets than that. `nodes` must be in an order that respects the inputs.
std::vector<unsigned> findOrder(const std::vector<CallNode> &nodes, unsigned width);

} // namespace leaf

#endif // LEAFCUTTER_LIB_PLAN_CALLORDER_H
