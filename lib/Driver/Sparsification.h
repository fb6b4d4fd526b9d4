//===- Sparsification.h - weights pruned as asked ----------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_SPARSIFICATION_H
#define LEAFCUTTER_LIB_DRIVER_SPARSIFICATION_H

#include "Dataset.h"
#include "leafcutter/Compress/Sparsity.h"
#include "leafcutter/Driver/Arguments.h"
#include "leafcutter/Target/TargetSpec.h"

namespace leaf {

/// What --sparsify and the options beside it say.
struct SparsitySettings {
  double sparsity = 0; ///< 0: nothing is pruned but what patternPath says
  SparsityPattern pattern;
  bool secondOrder = false;           ///< --method=obs
  bool isGlobal = false;              ///< --sparsity-scope=global: one threshold for all layers
  std::string patternPath;            ///< --sparsity-pattern: masks or densities by weight or node; empty: none
  std::vector<std::string> keepDense; ///< names of nodes

  bool isAsked() const { return sparsity > 0 || !patternPath.empty(); }
};

/// A layer that was pruned.
struct PrunedLayer {
  std::string node;
  double zeros = 0; ///< share of its weights
  double loss = 0;  ///< squared error over the squared result, for the calibration data where there is some
};

std::vector<OptionSpec> getSparsityOptions();
/// Reads them. Fails with a usage error.
llvm::Expected<SparsitySettings> readSparsity(const Arguments &arguments);

/// Prunes the float weights of a normalized module. `data` is needed for the second order, and makes the losses those
/// of the layers' results (null: of their weights). Fails where --sparsity-pattern does not fit the model.
llvm::Error sparsify(mlir::ModuleOp module, const SparsitySettings &settings, const Dataset *data,
                     const TargetSpec &target);

/// What sparsify() did to the layers of `module`, in their order; it outlives the stage compress.
std::vector<PrunedLayer> getPrunedLayers(mlir::ModuleOp module);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_SPARSIFICATION_H
