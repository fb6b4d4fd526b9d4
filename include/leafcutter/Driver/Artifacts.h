//===- Artifacts.h - the files that leafc compile writes ---------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_DRIVER_ARTIFACTS_H
#define LEAFCUTTER_DRIVER_ARTIFACTS_H

#include "leafcutter/Target/Emit.h"
#include <optional>
#include <string>
#include <vector>

namespace leaf {

enum class Emission { Library, Object, C };

/// Where the weights go.
struct WeightPlacement {
  bool inFile = false; ///< NAME.weights; otherwise the library or C file
  std::string section; ///< of embedded weights; empty: .rodata.leaf, and in C what the compiler takes
};

struct Artifacts {
  std::vector<std::string> paths;   ///< all files, in the order they are listed for the user
  std::optional<ObjectStats> stats; ///< not for C
};

/// Writes NAME.h, example.c, NAME.cmake and the code of all `levels` (usually one) to `folder`, which is made where
/// missing. All files appear together, when complete. Embedded C weights above 16 MB go to NAME_weights.bin and .S;
/// in a file they go to NAME.weights, which leaf_weights.c, beside it, opens.
llvm::Expected<Artifacts> writeArtifacts(llvm::ArrayRef<IsaLevel> levels, Emission emission, llvm::StringRef folder,
                                         const WeightPlacement &placement = {});

} // namespace leaf

#endif // LEAFCUTTER_DRIVER_ARTIFACTS_H
