//===- Evaluation.cpp - how good and how fast a compressed model is ------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Evaluation.h"

#include "Compare.h"

#include <cmath>

using namespace llvm;

namespace leaf {

namespace {

/// Sums of one float output.
struct OutputSums {
  double dot = 0, model = 0, reference = 0; ///< products
  double difference = 0, magnitude = 0;     ///< absolute, summed
  double maxDifference = 0, maxMagnitude = 0;
};

struct LabelSums {
  uint64_t count = 0, right = 0, rightOfFive = 0;
  double crossEntropy = 0;
};

} // namespace

double Accuracy::dropFrom(const Accuracy &reference) const {
  if (!finite)
    return std::numeric_limits<double>::infinity();
  if (perplexity && reference.perplexity)
    return (*perplexity / *reference.perplexity - 1) * 100;
  if (top1 && reference.top1)
    return (*reference.top1 - *top1) * 100;
  return (reference.cosine - cosine) * 100;
}

static void compareOutput(ArrayRef<double> model, ArrayRef<double> reference, OutputSums &sums, bool &finite) {
  for (auto [x, y] : zip_equal(model, reference)) {
    if (!std::isfinite(y))
      continue;
    if (!std::isfinite(x)) {
      finite = false;
      continue;
    }
    sums.dot += x * y;
    sums.model += x * x;
    sums.reference += y * y;
    sums.difference += std::fabs(x - y);
    sums.magnitude += std::fabs(y);
    sums.maxDifference = std::max(sums.maxDifference, std::fabs(x - y));
    sums.maxMagnitude = std::max(sums.maxMagnitude, std::fabs(y));
  }
}

/// Logits, or probabilities already (rows that are positive and sum to 1).
static double crossEntropyOf(ArrayRef<double> row, int64_t label) {
  double sum = 0, most = *std::max_element(row.begin(), row.end()), least = *std::min_element(row.begin(), row.end());
  for (double value : row)
    sum += value;
  if (least >= 0 && std::fabs(sum - 1) < 1e-2)
    return -std::log(std::max(row[label], 1e-12));
  double partition = 0;
  for (double value : row)
    partition += std::exp(value - most);
  return most + std::log(partition) - row[label];
}

static Error compareLabels(const NpyArray &output, ArrayRef<int64_t> labels, LabelSums &sums) {
  std::vector<double> values = toDoubles(output);
  if (labels.empty() || values.size() % labels.size() != 0 || values.size() / labels.size() < 2)
    return createStringError("the first output has " + Twine(values.size()) + " values for " + Twine(labels.size()) +
                             " labels: that is no score for each class");
  int64_t classes = values.size() / labels.size();
  for (auto [i, label] : enumerate(labels)) {
    if (label < 0)
      continue;
    if (label >= classes)
      return createStringError("label " + Twine(label) + " is none of the " + Twine(classes) + " classes");
    ArrayRef<double> row = ArrayRef(values).slice(i * classes, classes);
    // Ties count as the first class would: what stands before with the same score is better.
    int64_t better = 0;
    for (auto [c, value] : enumerate(row))
      better += value > row[label] || (value == row[label] && int64_t(c) < label) || std::isnan(row[label]);
    ++sums.count;
    sums.right += better == 0;
    sums.rightOfFive += better < 5;
    sums.crossEntropy += crossEntropyOf(row, label);
  }
  return Error::success();
}

static void finish(const LabelSums &labels, bool isSequence, size_t classes, Accuracy &accuracy) {
  if (labels.count == 0)
    return;
  accuracy.top1 = double(labels.right) / double(labels.count);
  if (classes > 5)
    accuracy.top5 = double(labels.rightOfFive) / double(labels.count);
  if (isSequence)
    accuracy.perplexity = std::exp(labels.crossEntropy / double(labels.count));
}

Expected<Accuracy> evaluate(CompiledGraph &model, CompiledGraph &reference, const Dataset &data) {
  Accuracy accuracy;
  LabelSums labels;
  std::vector<OutputSums> outputs(model.getInterface().outputs.size());
  size_t classes = 0;
  for (size_t sample = 0; sample < data.size(); ++sample) {
    NpzFile inputs = data.getSample(sample);
    Expected<NpzFile> actual = model.run(inputs);
    if (!actual)
      return actual.takeError();
    Expected<NpzFile> expected = &model == &reference ? *actual : reference.run(inputs);
    if (!expected)
      return expected.takeError();
    for (auto [i, sums] : enumerate(outputs))
      if (StringRef((*expected)[i].second.elementType).contains("float") &&
          (*actual)[i].second.shape == (*expected)[i].second.shape)
        compareOutput(toDoubles((*actual)[i].second), toDoubles((*expected)[i].second), sums, accuracy.finite);
    if (!data.hasLabels())
      continue;
    if (Error error = compareLabels(actual->front().second, data.getLabels(sample), labels))
      return error;
    classes = actual->front().second.shape.empty() ? 0 : actual->front().second.shape.back();
  }
  for (const OutputSums &sums : outputs) {
    if (sums.model > 0 && sums.reference > 0)
      accuracy.cosine = std::min(accuracy.cosine, sums.dot / std::sqrt(sums.model * sums.reference));
    if (sums.maxMagnitude > 0) {
      accuracy.maxError = std::max(accuracy.maxError, sums.maxDifference / sums.maxMagnitude);
      accuracy.meanError = std::max(accuracy.meanError, sums.difference / sums.magnitude);
    }
  }
  if (data.hasLabels())
    finish(labels, data.getLabelsPerRow() > 1, classes, accuracy);
  return accuracy;
}

} // namespace leaf
