//===- MixedPrecision.cpp - int8 where accuracy allows it -----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "MixedPrecision.h"

#include "leafcutter/Compress/Layers.h"
#include "leafcutter/Support/AtomicFile.h"
#include "leafcutter/Support/Npz.h"
#include "leafcutter/Transforms/Onnx.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SHA1.h"

using namespace llvm;

namespace leaf {

namespace {

/// Layers by loss, the worst first.
struct RankedLayer {
  size_t index; ///< among the layers of the model
  std::string node;
  double noise;
};

class Search {
public:
  Search(CompressSession &session, const CompressionSettings &settings, const MixedPrecisionOptions &options,
         function_ref<Error(mlir::ModuleOp)> keep)
      : session(session), settings(settings), options(options), keep(keep) {}

  Expected<OwnedModule> run();

private:
  Error rankLayers();
  Error searchCount();
  Error quantizeAgain();
  Expected<double> lossOf(const std::vector<bool> &isFloat);
  Expected<OwnedModule> build(const std::vector<bool> &isFloat);
  std::vector<bool> worst(size_t count) const;
  Error readState();
  Error writeState();
  std::string keyOf(const std::vector<bool> &isFloat) const;

  CompressSession &session;
  const CompressionSettings &settings;
  const MixedPrecisionOptions &options;
  function_ref<Error(mlir::ModuleOp)> keep;
  OwnedModule prepared;
  std::vector<RankedLayer> layers;
  std::optional<Accuracy> reference;
  std::map<std::string, double> known; ///< losses by key
  std::string fingerprint;
  unsigned evaluations = 0;
  std::vector<bool> best; ///< by rank
  double bestLoss = std::numeric_limits<double>::infinity();
};

} // namespace

Error Search::rankLayers() {
  Expected<std::vector<LayerLoss>> losses =
      measureLayerLosses(*prepared, *session.getCalibration(), session.getHost(), settings.calibration);
  if (!losses)
    return losses.takeError();
  std::vector<Layer> all = collectLayers(*prepared);
  SHA1 hash;
  for (const LayerLoss &loss : *losses) {
    size_t index = find_if(all, [&](const Layer &layer) { return layer.op == loss.layer; }) - all.begin();
    layers.push_back({index, nodeName(loss.layer), loss.noise});
    hash.update(layers.back().node + formatv("={0:e6};", loss.noise).str());
  }
  hash.update(std::to_string(session.getEvaluation()->size()));
  fingerprint = toHex(hash.final(), /*LowerCase=*/true);
  stable_sort(layers, [](const RankedLayer &a, const RankedLayer &b) { return a.noise > b.noise; });
  return Error::success();
}

std::vector<bool> Search::worst(size_t count) const {
  std::vector<bool> isFloat(layers.size(), false);
  std::fill_n(isFloat.begin(), std::min(count, layers.size()), true);
  return isFloat;
}

std::string Search::keyOf(const std::vector<bool> &isFloat) const {
  std::string key;
  for (bool bit : isFloat)
    key += bit ? '1' : '0';
  return key;
}

Error Search::readState() {
  if (options.statePath.empty())
    return Error::success();
  ErrorOr<std::unique_ptr<MemoryBuffer>> file = MemoryBuffer::getFile(options.statePath, /*IsText=*/true);
  if (!file)
    return Error::success();
  SmallVector<StringRef> lines;
  (*file)->getBuffer().split(lines, '\n', -1, /*KeepEmpty=*/false);
  if (lines.empty() || lines.front() != "leafc mixed precision\t" + fingerprint)
    return createStringError("'" + options.statePath +
                             "' belongs to another search (model, data or options differ); remove it or name another");
  for (StringRef line : drop_begin(lines)) {
    auto [key, loss] = line.split('\t');
    double value;
    if (key.size() == layers.size() && !loss.getAsDouble(value))
      known[key.str()] = value;
  }
  return Error::success();
}

Error Search::writeState() {
  if (options.statePath.empty())
    return Error::success();
  return writeFileAtomically(options.statePath, [&](raw_pwrite_stream &out) {
    out << "leafc mixed precision\t" << fingerprint << '\n';
    for (const auto &[key, loss] : known)
      out << key << '\t' << formatv("{0:e8}", loss) << '\n';
    return Error::success();
  });
}

Expected<OwnedModule> Search::build(const std::vector<bool> &isFloat) {
  OwnedModule copy(cast<mlir::ModuleOp>(prepared->clone()));
  std::vector<Layer> all = collectLayers(*copy);
  for (auto [layer, stays] : zip_equal(layers, isFloat))
    if (stays)
      keepFloat(all[layer.index].op,
                formatv("accuracy: quantized it has {0:f1} dB of noise", 10 * std::log10(layer.noise)).str());
  if (Error error = runCompressStage(*copy, settings))
    return error;
  return copy;
}

/// The loss in percent; infinite when there are no evaluations left.
Expected<double> Search::lossOf(const std::vector<bool> &isFloat) {
  double loss = std::numeric_limits<double>::infinity();
  bool isNew = !known.count(keyOf(isFloat));
  if (isNew && evaluations >= options.maxEvaluations)
    return loss;
  Expected<OwnedModule> module = build(isFloat);
  if (!module)
    return module.takeError();
  if (isNew) {
    Expected<std::unique_ptr<CompiledGraph>> graph = session.compile(**module, session.getHost());
    Expected<CompiledGraph *> original = session.getReference();
    if (!graph)
      return graph.takeError();
    if (!original)
      return original.takeError();
    Expected<Accuracy> accuracy = evaluate(**graph, **original, *session.getEvaluation());
    if (!accuracy)
      return accuracy.takeError();
    known[keyOf(isFloat)] = accuracy->dropFrom(*reference);
    ++evaluations;
    if (Error error = writeState())
      return std::move(error);
  }
  loss = known[keyOf(isFloat)];
  size_t floats = count(isFloat, true);
  errs() << formatv("mixed precision: {0} of {1} layers float32, loses {2:f3} %\n", floats, layers.size(), loss);
  bool fits = loss <= options.maxDrop, bestFits = bestLoss <= options.maxDrop;
  bool better = best.empty() || (fits ? !bestFits || floats < size_t(count(best, true)) : !bestFits && loss < bestLoss);
  if (!better)
    return loss;
  best = isFloat;
  bestLoss = loss;
  if (Error error = keep(**module))
    return std::move(error);
  return loss;
}

Error searchLeastCount(function_ref<size_t()> countAll, double maxLoss, function_ref<Expected<double>(size_t)> lossOf) {
  size_t low = 0, high = 0; ///< `low` layers are too few
  for (;; high = std::min(std::max<size_t>(1, 2 * high), countAll())) {
    Expected<double> loss = lossOf(high);
    if (!loss)
      return loss.takeError();
    if (*loss <= maxLoss)
      break;
    if (high == countAll())
      return Error::success();
    low = high;
  }
  while (high > low + 1) {
    size_t middle = (low + high) / 2;
    Expected<double> loss = lossOf(middle);
    if (!loss)
      return loss.takeError();
    (*loss <= maxLoss ? high : low) = middle;
  }
  return Error::success();
}

/// The least count of float layers, the worst first, that keeps the loss within bounds.
Error Search::searchCount() {
  return searchLeastCount([&] { return layers.size(); }, options.maxDrop,
                          [&](size_t count) { return lossOf(worst(count)); });
}

Error Search::quantizeAgain() {
  if (bestLoss > options.maxDrop)
    return Error::success();
  for (size_t rank = layers.size(); rank-- > 0 && evaluations < options.maxEvaluations;) {
    if (!best[rank])
      continue;
    std::vector<bool> candidate = best;
    candidate[rank] = false;
    if (Expected<double> loss = lossOf(candidate); !loss)
      return loss.takeError();
  }
  return Error::success();
}

Expected<OwnedModule> Search::run() {
  Expected<OwnedModule> module = session.prepare(settings);
  if (!module)
    return module.takeError();
  prepared = std::move(*module);
  Expected<CompiledGraph *> original = session.getReference();
  if (!original)
    return original.takeError();
  Expected<Accuracy> accuracy = evaluate(**original, **original, *session.getEvaluation());
  if (!accuracy)
    return accuracy.takeError();
  reference = *accuracy;
  for (auto step : {&Search::rankLayers, &Search::readState, &Search::searchCount, &Search::quantizeAgain})
    if (Error error = (this->*step)())
      return std::move(error);
  if (bestLoss > options.maxDrop)
    errs() << formatv("note: no choice within {0} evaluations loses at most {1} %; the best loses {2:f3} %\n",
                      options.maxEvaluations, options.maxDrop, bestLoss);
  return build(best);
}

Expected<OwnedModule> searchMixedPrecision(CompressSession &session, const CompressionSettings &settings,
                                           const MixedPrecisionOptions &options,
                                           function_ref<Error(mlir::ModuleOp)> keep) {
  return Search(session, settings, options, keep).run();
}

} // namespace leaf
