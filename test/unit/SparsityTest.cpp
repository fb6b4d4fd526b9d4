//===- SparsityTest.cpp - pruning of weight matrices ----------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Compress/Sparsity.h"

#include <gtest/gtest.h>
#include <random>

using namespace leaf;

namespace {

/// Inputs that depend on each other, and a matrix of random weights.
struct Problem {
  static constexpr int64_t rows = 16, columns = 40, samples = 300;
  WeightMatrix weight;
  std::vector<std::vector<double>> inputs;
  std::vector<double> hessian;

  Problem() {
    std::mt19937 random(1);
    std::normal_distribution<double> normal;
    weight = {rows, columns, {}};
    for (int64_t i = 0; i < rows * columns; ++i)
      weight.values.push_back(normal(random));
    hessian.resize(columns * columns);
    for (int64_t s = 0; s < samples; ++s) {
      std::vector<double> x(columns);
      double common = normal(random);
      for (int64_t j = 0; j < columns; ++j)
        x[j] = j == 7 ? 0 : common + 0.5 * normal(random) * (1 + j % 3);
      for (int64_t i = 0; i < columns; ++i)
        for (int64_t j = 0; j < columns; ++j)
          hessian[i * columns + j] += x[i] * x[j];
      inputs.push_back(x);
    }
  }

  /// Squared error of the layer's results.
  double error(const WeightMatrix &pruned) const {
    double sum = 0;
    for (const std::vector<double> &x : inputs)
      for (int64_t row = 0; row < rows; ++row) {
        double difference = 0;
        for (int64_t j = 0; j < columns; ++j)
          difference += (pruned.at(row, j) - weight.at(row, j)) * x[j];
        sum += difference * difference;
      }
    return sum;
  }
};

int64_t countZeros(const WeightMatrix &matrix) { return std::count(matrix.values.begin(), matrix.values.end(), 0.0); }

} // namespace

TEST(Sparsity, SecondOrderLosesLessThanMagnitude) {
  Problem problem;
  for (const char *text : {"unstructured", "2:4", "block4x1"})
    for (double share : {0.5, 0.8}) {
      SparsityPattern pattern = *parseSparsityPattern(text);
      WeightMatrix magnitude = problem.weight, second = problem.weight;
      pruneByMagnitude(magnitude, pattern, share);
      ASSERT_TRUE(pruneBySecondOrder(second, problem.hessian, pattern, share));
      EXPECT_LT(problem.error(second), problem.error(magnitude)) << text << ' ' << share;
      EXPECT_GE(countZeros(second), countZeros(magnitude)) << text << ' ' << share;
    }
}

TEST(Sparsity, EachGroupKeepsItsShare) {
  Problem problem;
  WeightMatrix matrix = problem.weight;
  pruneByMagnitude(matrix, *parseSparsityPattern("2:4"), 0.5);
  for (int64_t row = 0; row < matrix.rows; ++row)
    for (int64_t j = 0; j < matrix.columns; j += 4) {
      int64_t kept = 0;
      for (int64_t k = j; k < j + 4; ++k)
        kept += matrix.at(row, k) != 0;
      EXPECT_EQ(kept, 2);
    }
}

TEST(Sparsity, BlocksGoAsOne) {
  Problem problem;
  WeightMatrix matrix = problem.weight;
  pruneByMagnitude(matrix, *parseSparsityPattern("block4x1"), 0.75);
  EXPECT_EQ(countZeros(matrix), matrix.rows * matrix.columns * 3 / 4);
  for (int64_t row = 0; row < matrix.rows; row += 4)
    for (int64_t j = 0; j < matrix.columns; ++j)
      for (int64_t r = row + 1; r < row + 4; ++r)
        EXPECT_EQ(matrix.at(r, j) == 0, matrix.at(row, j) == 0);
}

TEST(Sparsity, PatternsByName) {
  EXPECT_EQ(parseSparsityPattern("4:8")->name(), "4:8");
  EXPECT_EQ(parseSparsityPattern("block8x1")->name(), "block8x1");
  for (const char *text : {"4:2", "0:4", "block1x1", "block4x4", "", "rows", "2:128"})
    EXPECT_FALSE(parseSparsityPattern(text)) << text;
}
