//===- MixedPrecision.h - int8 where accuracy allows it ----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_MIXEDPRECISION_H
#define LEAFCUTTER_LIB_DRIVER_MIXEDPRECISION_H

#include "CompressSession.h"

namespace leaf {

struct MixedPrecisionOptions {
  double maxDrop = 0.5; ///< percent: points of top-1, percent of perplexity, or of cosine without labels
  unsigned maxEvaluations = 16;
  std::string statePath; ///< evaluations are kept there and not repeated; empty: nowhere
};

/// Leaves as few layers in float32 as keep the loss within bounds. All layers' losses are measured in one run; the k
/// worst stay float, where k is found by doubling and halving on measured accuracy, and then single ones are quantized
/// again, the most harmless first, while evaluations are left. Returns the compressed module; `keep` sees each better
/// one as it is found. Memory: two compiled models at a time.
llvm::Expected<OwnedModule> searchMixedPrecision(CompressSession &session, const CompressionSettings &settings,
                                                 const MixedPrecisionOptions &options,
                                                 llvm::function_ref<llvm::Error(mlir::ModuleOp)> keep);

/// Looks for the least count of layers that stay as they were with which the loss (percent) is at most `maxLoss`: by
/// doubling up to `countAll`, which is asked after the first loss is known, then by halving. `lossOf` remembers what it
/// saw.
llvm::Error searchLeastCount(llvm::function_ref<size_t()> countAll, double maxLoss,
                             llvm::function_ref<llvm::Expected<double>(size_t)> lossOf);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_MIXEDPRECISION_H
