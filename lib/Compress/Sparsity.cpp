//===- Sparsity.cpp - which weights become zero ---------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Compress/Sparsity.h"

#include "leafcutter/Transforms/Onnx.h"

#include <cmath>
#include <numeric>

using namespace mlir;

namespace leaf {

/// Columns that second-order pruning chooses among at a time.
static constexpr int64_t kColumnsAtOnce = 128;
/// Share of the mean diagonal that is added to a hessian, so that it can be inverted.
static constexpr double kDamping = 0.01;

std::string SparsityPattern::name() const {
  return kind == Unstructured ? "unstructured"
         : kind == Channel    ? "channel"
         : kind == NOfM       ? std::to_string(kept) + ":" + std::to_string(group)
                              : "block" + std::to_string(group) + "x1";
}

std::optional<SparsityPattern> parseSparsityPattern(StringRef text) {
  SparsityPattern pattern;
  if (text == "unstructured")
    return pattern;
  if (text == "channel") {
    pattern.kind = SparsityPattern::Channel;
    return pattern;
  }
  if (text.consume_front("block")) {
    pattern.kind = SparsityPattern::Block;
    if (!text.consume_back("x1") || text.getAsInteger(10, pattern.group) || pattern.group < 2 || pattern.group > 64)
      return std::nullopt;
    return pattern;
  }
  pattern.kind = SparsityPattern::NOfM;
  auto [kept, group] = text.split(':');
  if (kept.getAsInteger(10, pattern.kept) || group.getAsInteger(10, pattern.group) || pattern.kept < 1 ||
      pattern.kept >= pattern.group || pattern.group > 64)
    return std::nullopt;
  return pattern;
}

//===----------------------------------------------------------------------===//
// Weights as matrices
//===----------------------------------------------------------------------===//

/// Calls `visit` with position in the weight, row and column. Columns: kernel positions outside, input channels inside.
static void forEachElement(const Layer &layer, ArrayRef<int64_t> shape,
                           llvm::function_ref<void(int64_t, int64_t, int64_t)> visit) {
  int64_t inputs = shape[layer.inputAxis], total = 1, rank = shape.size();
  for (int64_t size : shape)
    total *= size;
  SmallVector<int64_t> index(rank, 0);
  for (int64_t i = 0; i < total; ++i) {
    int64_t rest = i, outside = 0;
    for (int64_t axis = rank - 1; axis >= 0; --axis) {
      index[axis] = rest % shape[axis];
      rest /= shape[axis];
    }
    for (int64_t axis = 0; axis < rank; ++axis)
      if (axis != layer.channelAxis && axis != layer.inputAxis)
        outside = outside * shape[axis] + index[axis];
    visit(i, index[layer.channelAxis], outside * inputs + index[layer.inputAxis]);
  }
}

WeightMatrix toMatrix(const Layer &layer, const HostTensor &weight) {
  WeightMatrix matrix;
  matrix.rows = weight.shape()[layer.channelAxis];
  matrix.columns = weight.size() / std::max<int64_t>(matrix.rows, 1);
  matrix.values.resize(weight.size());
  forEachElement(layer, weight.shape(),
                 [&](int64_t i, int64_t row, int64_t column) { matrix.at(row, column) = weight.getFloat(i); });
  return matrix;
}

HostTensor fromMatrix(const Layer &layer, const WeightMatrix &matrix, RankedTensorType type) {
  HostTensor weight = HostTensor::make(type);
  forEachElement(layer, type.getShape(),
                 [&](int64_t i, int64_t row, int64_t column) { weight.setFloat(i, matrix.at(row, column)); });
  return weight;
}

//===----------------------------------------------------------------------===//
// Choosing by scores
//===----------------------------------------------------------------------===//

/// Units that are kept or dropped as one: lists of positions in the matrix, with the sum of their scores.
static std::vector<std::pair<double, std::vector<int64_t>>>
collectUnits(const WeightMatrix &matrix, ArrayRef<double> scores, int64_t height, int64_t first, int64_t last) {
  std::vector<std::pair<double, std::vector<int64_t>>> units;
  for (int64_t row = 0; row < matrix.rows; row += height)
    for (int64_t column = first; column < last; ++column) {
      auto &unit = units.emplace_back();
      for (int64_t r = row; r < std::min(row + height, matrix.rows); ++r) {
        unit.second.push_back(r * matrix.columns + column);
        unit.first += scores[unit.second.back()];
      }
    }
  return units;
}

/// Which positions of columns [first, last) go; by all rows together, or for N:M by each group of a row.
static std::vector<int64_t> choosePruned(const WeightMatrix &matrix, ArrayRef<double> scores,
                                         const SparsityPattern &pattern, double sparsity, int64_t first, int64_t last) {
  std::vector<int64_t> pruned;
  if (pattern.kind == SparsityPattern::NOfM) {
    for (int64_t row = 0; row < matrix.rows; ++row)
      for (int64_t begin = first; begin < last; begin += pattern.group) {
        int64_t size = std::min(pattern.group, last - begin);
        std::vector<int64_t> order(size);
        std::iota(order.begin(), order.end(), row * matrix.columns + begin);
        std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return scores[a] < scores[b]; });
        // A group that is cut off at the end keeps its share, rounded up.
        int64_t kept = (pattern.kept * size + pattern.group - 1) / pattern.group;
        pruned.insert(pruned.end(), order.begin(), order.end() - kept);
      }
    return pruned;
  }
  int64_t height = pattern.kind == SparsityPattern::Block ? pattern.group : 1;
  auto units = collectUnits(matrix, scores, height, first, last);
  std::stable_sort(units.begin(), units.end(), [](const auto &a, const auto &b) { return a.first < b.first; });
  auto count = size_t(std::llround(sparsity * double(units.size())));
  for (const auto &[score, positions] : ArrayRef(units).take_front(count))
    pruned.insert(pruned.end(), positions.begin(), positions.end());
  return pruned;
}

void pruneByScore(WeightMatrix &matrix, ArrayRef<double> scores, const SparsityPattern &pattern, double sparsity) {
  for (int64_t position : choosePruned(matrix, scores, pattern, sparsity, 0, matrix.columns))
    matrix.values[position] = 0;
}

double relativeLoss(const WeightMatrix &before, const WeightMatrix &after, ArrayRef<double> hessian) {
  int64_t n = before.columns;
  double lost = 0, all = 0;
  std::vector<double> difference(n);
  for (int64_t row = 0; row < before.rows; ++row) {
    for (int64_t j = 0; j < n; ++j)
      difference[j] = before.at(row, j) - after.at(row, j);
    for (int64_t i = 0; i < n; ++i) {
      if (hessian.empty()) {
        lost += difference[i] * difference[i];
        all += before.at(row, i) * before.at(row, i);
        continue;
      }
      double left = 0, right = 0;
      for (int64_t j = 0; j < n; ++j) {
        left += hessian[i * n + j] * difference[j];
        right += hessian[i * n + j] * before.at(row, j);
      }
      lost += difference[i] * left;
      all += before.at(row, i) * right;
    }
  }
  return all > 0 ? lost / all : 0;
}

std::vector<double> sharesByThreshold(ArrayRef<WeightMatrix> matrices, const SparsityPattern &pattern,
                                      double sparsity) {
  int64_t height = pattern.kind == SparsityPattern::Block ? pattern.group : 1;
  std::vector<std::vector<double>> scores;
  std::vector<double> all;
  for (const WeightMatrix &matrix : matrices) {
    std::vector<double> squares;
    for (double value : matrix.values)
      squares.push_back(value * value);
    scores.emplace_back();
    for (const auto &[score, positions] : collectUnits(matrix, squares, height, 0, matrix.columns))
      scores.back().push_back(score / double(positions.size()));
    all.insert(all.end(), scores.back().begin(), scores.back().end());
  }
  std::vector<double> shares;
  auto count = std::min<size_t>(size_t(std::llround(sparsity * double(all.size()))), all.size());
  if (count == 0)
    return std::vector<double>(matrices.size(), 0);
  std::nth_element(all.begin(), all.begin() + (count - 1), all.end());
  double threshold = all[count - 1];
  for (const std::vector<double> &own : scores)
    shares.push_back(double(llvm::count_if(own, [&](double score) { return score <= threshold; })) /
                     double(std::max<size_t>(own.size(), 1)));
  return shares;
}

void pruneByMagnitude(WeightMatrix &matrix, const SparsityPattern &pattern, double sparsity) {
  std::vector<double> scores;
  for (double value : matrix.values)
    scores.push_back(value * value);
  pruneByScore(matrix, scores, pattern, sparsity);
}

//===----------------------------------------------------------------------===//
// Second order
//===----------------------------------------------------------------------===//

/// Lower Cholesky factor in place (the upper triangle becomes zero); false where `a` is not positive definite.
static bool factorize(std::vector<double> &a, int64_t n) {
  for (int64_t j = 0; j < n; ++j) {
    double diagonal = a[j * n + j];
    for (int64_t k = 0; k < j; ++k)
      diagonal -= a[j * n + k] * a[j * n + k];
    if (!(diagonal > 0) || !std::isfinite(diagonal))
      return false;
    a[j * n + j] = std::sqrt(diagonal);
    for (int64_t i = j + 1; i < n; ++i) {
      double sum = a[i * n + j];
      for (int64_t k = 0; k < j; ++k)
        sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = sum / a[j * n + j];
      a[j * n + i] = 0;
    }
  }
  return true;
}

/// The inverse of a matrix given by its lower Cholesky factor.
static std::vector<double> invert(const std::vector<double> &l, int64_t n) {
  std::vector<double> inverse(n * n, 0), lower(n * n, 0);
  // Rows of L^-1, then L^-T L^-1.
  for (int64_t j = 0; j < n; ++j) {
    lower[j * n + j] = 1 / l[j * n + j];
    for (int64_t i = j + 1; i < n; ++i) {
      double sum = 0;
      for (int64_t k = j; k < i; ++k)
        sum -= l[i * n + k] * lower[k * n + j];
      lower[i * n + j] = sum / l[i * n + i];
    }
  }
  for (int64_t k = 0; k < n; ++k)
    for (int64_t i = 0; i <= k; ++i)
      for (int64_t j = 0; j <= k; ++j)
        inverse[i * n + j] += lower[k * n + i] * lower[k * n + j];
  return inverse;
}

/// The upper Cholesky factor U of the hessian's inverse (U^T U); row j is what column j's error asks of those after it.
/// Empty where it cannot be inverted.
static std::vector<double> inverseFactor(std::vector<double> hessian, int64_t n) {
  if (!factorize(hessian, n))
    return {};
  std::vector<double> inverse = invert(hessian, n);
  if (!factorize(inverse, n))
    return {};
  std::vector<double> upper(n * n, 0);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j <= i; ++j)
      upper[j * n + i] = inverse[i * n + j];
  return upper;
}

/// Columns without any input count as of no use; the diagonal gets its damping.
static void prepareHessian(WeightMatrix &matrix, std::vector<double> &hessian) {
  int64_t n = matrix.columns;
  double mean = 0;
  for (int64_t j = 0; j < n; ++j)
    mean += hessian[j * n + j] / double(n);
  for (int64_t j = 0; j < n; ++j) {
    if (hessian[j * n + j] == 0) {
      hessian[j * n + j] = 1;
      for (int64_t row = 0; row < matrix.rows; ++row)
        matrix.at(row, j) = 0;
    }
    hessian[j * n + j] += mean > 0 ? kDamping * mean : 1;
  }
}

bool pruneBySecondOrder(WeightMatrix &matrix, std::vector<double> hessian, const SparsityPattern &pattern,
                        double sparsity) {
  int64_t n = matrix.columns;
  prepareHessian(matrix, hessian);
  std::vector<double> upper = inverseFactor(std::move(hessian), n);
  if (upper.empty())
    return false;
  int64_t step = pattern.kind == SparsityPattern::NOfM ? pattern.group : kColumnsAtOnce;
  for (int64_t first = 0; first < n; first += step) {
    int64_t last = std::min(first + step, n);
    std::vector<double> scores(matrix.values.size(), 0);
    for (int64_t row = 0; row < matrix.rows; ++row)
      for (int64_t j = first; j < last; ++j) {
        double scaled = matrix.at(row, j) / upper[j * n + j];
        scores[row * n + j] = scaled * scaled;
      }
    std::vector<bool> goes(matrix.values.size(), false);
    for (int64_t position : choosePruned(matrix, scores, pattern, sparsity, first, last))
      goes[position] = true;
    for (int64_t j = first; j < last; ++j)
      for (int64_t row = 0; row < matrix.rows; ++row) {
        if (!goes[row * n + j])
          continue;
        double error = matrix.at(row, j) / upper[j * n + j];
        for (int64_t k = j + 1; k < n; ++k)
          matrix.at(row, k) -= error * upper[j * n + k];
        matrix.at(row, j) = 0;
      }
  }
  return true;
}

} // namespace leaf
