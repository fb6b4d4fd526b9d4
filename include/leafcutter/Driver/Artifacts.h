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
enum class WeightPlacement { Embedded, File };

struct Artifacts {
  std::vector<std::string> paths;   ///< all files, in the order they are listed for the user
  std::optional<ObjectStats> stats; ///< not for C
};

/// Writes NAME.h, example.c, NAME.cmake and the code of `module` (output of `codegen`) to `folder`, which is made where
/// missing. All files appear together, when complete. Embedded C weights above 16 MB go to NAME_weights.bin and .S;
/// with `File` weights go to NAME.weights, which leaf_weights.c, beside it, opens.
llvm::Expected<Artifacts> writeArtifacts(mlir::ModuleOp module, const TargetSpec &target, Emission emission,
                                         llvm::StringRef folder, WeightPlacement placement = WeightPlacement::Embedded);

} // namespace leaf

#endif // LEAFCUTTER_DRIVER_ARTIFACTS_H
