//===- Grain.h - which launches are spread over threads ----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_CODEGEN_GRAIN_H
#define LEAF_LIB_CODEGEN_GRAIN_H

#include "KernelCost.h"
#include "llvm/ADT/StringMap.h"

namespace leaf::codegen {

/// What decides about one kernel.
struct KernelGrain {
  KernelCost cost;
  std::optional<bool> measured; ///< true: never spread, false: always
};

/// Rates of one thread, for estimates.
struct GrainRates {
  double operations, bytes; ///< per microsecond
  double least = 0;         ///< microseconds below which a kernel is not spread
  unsigned workers = 1;
};

/// Marks launches `plan.serial` that run on the calling thread.
///
/// A launch on several threads costs about a microsecond. What weighs more: a kernel that is spread over cores leaves
/// its results in their caches, and one on the calling thread that reads them (or the other way around) has to get the
/// others' part first, at a fraction of the speed of its own cache. So launches are not decided on one by one: of all
/// ways to run the sequence, the one with the least sum of time and of such moves is taken (Viterbi's algorithm over
/// two states).
void chooseSerialLaunches(mlir::ModuleOp module, const llvm::StringMap<KernelGrain> &kernels, const GrainRates &rates);

} // namespace leaf::codegen

#endif // LEAF_LIB_CODEGEN_GRAIN_H
