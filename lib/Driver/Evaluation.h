//===- Evaluation.h - how good and how fast a compressed model is -*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_EVALUATION_H
#define LEAFCUTTER_LIB_DRIVER_EVALUATION_H

#include "CompiledGraph.h"

namespace leaf {

/// What one model does on the evaluation data. Errors are against the float model.
struct Accuracy {
  std::optional<double> top1, top5; ///< share of right classes of the first output
  std::optional<double> perplexity; ///< exp of the mean cross-entropy, where positions of a sequence have labels
  double cosine = 1;                ///< least over the float outputs, each over all samples
  double maxError = 0;              ///< largest difference over the float output's largest magnitude
  double meanError = 0;             ///< mean difference over the float output's mean magnitude
  bool finite = true;               ///< false: the model gives NaN or infinities where the float one does not

  /// What --max-drop is about: the loss against `reference` in percent: points of top-1, percent of perplexity, or,
  /// without labels, percent of cosine.
  double dropFrom(const Accuracy &reference) const;
};

/// A row of the table.
struct Evaluated {
  std::string kind;
  uint64_t weightBytes = 0, arenaBytes = 0;
  std::optional<Accuracy> accuracy;
  std::optional<double> nanoseconds;
  bool estimated = false; ///< nanoseconds are those of a cost model
};

/// Runs `model` and `reference` on all samples, side by side; both were compiled for this machine. `reference` may be
/// `model`. Fails where labels do not fit the first output.
llvm::Expected<Accuracy> evaluate(CompiledGraph &model, CompiledGraph &reference, const Dataset &data);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_EVALUATION_H
