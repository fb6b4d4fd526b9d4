//===- IsaLevels.h - several instruction sets in one library -----*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
// A library may hold the kernels of a model several times, for instruction sets of which each contains the one before
// ("levels", numbered from 0). All share weights and plan; NAME_init asks the machine which one it can run.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_TARGET_ISALEVELS_H
#define LEAFCUTTER_TARGET_ISALEVELS_H

#include "leafcutter/Target/TargetSpec.h"
#include <vector>

namespace leaf {

/// A word that tells what a machine can do, and the bits of it that must be set.
struct IsaWord {
  enum Source {
    CPUID, ///< x86: register `index` (0: eax, ... 3: edx) of cpuid with eax = leaf, ecx = subleaf
    XCR0,  ///< x86: registers that the operating system saves, by xgetbv
    HWCAP  ///< Linux on AArch64: getauxval(leaf)
  };
  Source source = CPUID;
  uint32_t leaf = 0, subleaf = 0;
  unsigned index = 0;
  uint64_t mask = 0;
};

/// All that a machine must have to run code for `target`: each instruction set extension that LLVM may use by itself,
/// and the operating system's support of its registers. AMX counts only with `tiles`, as only intrinsics use it. Words
/// are in a fixed order, each at most once.
std::vector<IsaWord> getIsaWords(const TargetSpec &target, bool tiles = false);

/// The targets of a comma-separated list of names, lowest level first, whatever the order of the list. Fails where
/// there are fewer than two, they are of different machines or not x86-64 or AArch64 Linux, or one does not contain
/// the other.
llvm::Expected<std::vector<TargetSpec>> lookupLevels(llvm::StringRef names);

/// What decisions that all levels share are made for: the widest vectors, and only what each level has.
TargetSpec getSharedTarget(llvm::ArrayRef<TargetSpec> levels);

/// Whether this machine can run code for `target`.
bool canRunOnHost(const TargetSpec &target);

} // namespace leaf

#endif // LEAFCUTTER_TARGET_ISALEVELS_H
