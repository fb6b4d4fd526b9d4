//===- Grain.cpp - which launches are spread over threads ---------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Grain.h"

#include "Leaf/Leaf.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::codegen;

namespace {
/// Microseconds to hand tiles to threads that look for work and to wait for them.
constexpr double kLaunch = 1;
/// More, where launches before ran on the calling thread: workers may sleep by then.
constexpr double kWake = 20;
/// Bytes per microsecond that come from the cache of another core.
constexpr double kMoved = 12000;
/// Data up to this size is found in a second level cache, at a multiple of the rate of memory.
constexpr double kCached = 1 << 20, kCacheSpeed = 2;

enum State { Serial, Parallel };
constexpr double kNever = 1e30;

/// Microseconds of one launch.
struct Step {
  plan::LaunchOp launch;
  double time[2] = {0, 0}; ///< in each state
  double move = 0;         ///< to get the part of its data that lies in the caches of other cores
  bool single = false;     ///< one tile: the calling thread runs it, in either state
};
} // namespace

/// Bytes of weights, which all cores read alike.
static double weightBytes(plan::LaunchOp launch) {
  double bytes = 0;
  for (Value buffer : launch.getBuffers())
    if (buffer.getDefiningOp<LoadWeightOp>())
      if (auto type = dyn_cast<MemRefType>(buffer.getType()); type && type.hasStaticShape())
        bytes += static_cast<double>(type.getNumElements()) * type.getElementTypeBitWidth() / 8;
  return bytes;
}

static Step makeStep(plan::LaunchOp launch, const KernelGrain &kernel, const GrainRates &rates) {
  Step step{launch};
  step.single = matchPattern(launch.getTiles(), m_One());
  if (!kernel.cost.known) {
    step.time[Serial] = step.single ? 0 : kNever;
    return step;
  }
  const KernelCost &cost = kernel.cost;
  double rate = rates.bytes * (cost.bytes <= kCached ? kCacheSpeed : 1), share = 1.0 / rates.workers;
  double estimate = std::max(cost.operations / rates.operations, cost.bytes / rate);
  step.time[Serial] = estimate;
  step.time[Parallel] = estimate * share + kLaunch;
  step.move = std::max(0.0, cost.bytes - weightBytes(launch)) * (1 - share) / kMoved;
  if (step.single)
    step.time[Parallel] = estimate + 2 * step.move; // there and back
  else if (kernel.measured.value_or(estimate < rates.least))
    step.time[Parallel] = kNever;
  else if (kernel.measured)
    step.time[Serial] = kNever;
  return step;
}

void leaf::codegen::chooseSerialLaunches(ModuleOp module, const llvm::StringMap<KernelGrain> &kernels,
                                         const GrainRates &rates) {
  SmallVector<Step> steps;
  module.walk([&](plan::LaunchOp launch) {
    auto kernel = kernels.find(launch.getCallee());
    if (kernel != kernels.end())
      steps.push_back(makeStep(launch, kernel->second, rates));
  });
  // It begins on the calling thread.
  double sums[2] = {0, kNever};
  SmallVector<std::array<State, 2>> from;
  double before = 0;
  for (const Step &step : steps) {
    // What goes from one launch to the next is no more than what either has.
    double next[2], move = std::min(before, step.move);
    before = step.move;
    std::array<State, 2> best;
    for (State state : {Serial, Parallel}) {
      double stay = sums[state], change = sums[1 - state] + move + (state == Parallel ? kWake : 0);
      best[state] = change < stay ? State(1 - state) : state;
      next[state] = std::min(stay, change) + step.time[state];
    }
    from.push_back(best);
    std::copy(std::begin(next), std::end(next), std::begin(sums));
  }
  State state = sums[Parallel] < sums[Serial] ? Parallel : Serial;
  for (size_t i = steps.size(); i-- > 0; state = from[i][state])
    if (state == Serial && !steps[i].single)
      steps[i].launch->setAttr("plan.serial", UnitAttr::get(module.getContext()));
}
