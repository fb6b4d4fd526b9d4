//===- SparsitySearch.cpp - pruned where accuracy allows it ----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "SparsitySearch.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace leaf {

namespace {

class Search {
public:
  Search(CompressSession &session, const CompressionSettings &settings, const MixedPrecisionOptions &options,
         function_ref<Error(mlir::ModuleOp)> keep)
      : session(session), settings(settings), options(options), keep(keep) {}

  Expected<OwnedModule> run();

private:
  Expected<OwnedModule> build(size_t numDense);
  /// The loss in percent with the `numDense` most sensitive layers dense; infinite when no evaluation is left.
  Expected<double> lossOf(size_t numDense);
  Error searchCount();

  CompressSession &session;
  const CompressionSettings &settings;
  const MixedPrecisionOptions &options;
  function_ref<Error(mlir::ModuleOp)> keep;
  std::vector<PrunedLayer> layers; ///< the most sensitive first
  std::optional<Accuracy> reference;
  unsigned evaluations = 0;
  std::optional<size_t> best;
  double bestLoss = std::numeric_limits<double>::infinity();
};

} // namespace

Expected<OwnedModule> Search::build(size_t numDense) {
  CompressionSettings own = settings;
  for (const PrunedLayer &layer : ArrayRef(layers).take_front(numDense))
    own.sparsity.keepDense.push_back(layer.node);
  return session.compress(own);
}

Expected<double> Search::lossOf(size_t numDense) {
  if (evaluations++ >= options.maxEvaluations)
    return std::numeric_limits<double>::infinity();
  Expected<OwnedModule> module = build(numDense);
  if (!module)
    return module.takeError();
  if (layers.empty()) {
    layers = getPrunedLayers(**module);
    stable_sort(layers, [](const PrunedLayer &a, const PrunedLayer &b) { return a.loss > b.loss; });
  }
  Expected<std::unique_ptr<CompiledGraph>> graph = session.compile(**module, session.getHost());
  Expected<CompiledGraph *> original = session.getReference();
  if (!graph)
    return graph.takeError();
  if (!original)
    return original.takeError();
  Expected<Accuracy> accuracy = evaluate(**graph, **original, *session.getEvaluation());
  if (!accuracy)
    return accuracy.takeError();
  double loss = accuracy->dropFrom(*reference);
  errs() << formatv("sparsity: {0} of {1} layers dense, loses {2:f3} %\n", numDense, layers.size(), loss);
  bool fits = loss <= options.maxDrop, bestFits = bestLoss <= options.maxDrop;
  if (best && !(fits ? !bestFits || numDense < *best : !bestFits && loss < bestLoss))
    return loss;
  best = numDense;
  bestLoss = loss;
  if (Error error = keep(**module))
    return std::move(error);
  return loss;
}

/// The least number of dense layers that keeps the loss within bounds. The first loss brings the layers.
Error Search::searchCount() {
  return searchLeastCount([&] { return layers.size(); }, options.maxDrop, [&](size_t count) { return lossOf(count); });
}

Expected<OwnedModule> Search::run() {
  Expected<CompiledGraph *> original = session.getReference();
  if (!original)
    return original.takeError();
  Expected<Accuracy> accuracy = evaluate(**original, **original, *session.getEvaluation());
  if (!accuracy)
    return accuracy.takeError();
  reference = *accuracy;
  if (Error error = searchCount())
    return std::move(error);
  if (bestLoss > options.maxDrop)
    errs() << formatv("note: no choice within {0} evaluations loses at most {1} %; the best loses {2:f3} %\n",
                      options.maxEvaluations, options.maxDrop, bestLoss);
  return build(best.value_or(0));
}

Expected<OwnedModule> searchSparsity(CompressSession &session, const CompressionSettings &settings,
                                     const MixedPrecisionOptions &options, function_ref<Error(mlir::ModuleOp)> keep) {
  return Search(session, settings, options, keep).run();
}

} // namespace leaf
