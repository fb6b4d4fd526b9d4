//===- ObserverTest.cpp - ranges of activations --------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Compress/Observer.h"
#include "leafcutter/Compress/Quantization.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace leaf;

/// A bell curve without randomness: quantiles of the normal distribution are close to these.
static std::vector<float> makeBell(unsigned count) {
  std::vector<float> values;
  for (unsigned i = 0; i < count; ++i) {
    double sum = 0;
    for (unsigned k = 0; k < 12; ++k)
      sum += double((i * 2654435761u + k * 40503u * (i + 1)) % 65536) / 65536;
    values.push_back(float(sum - 6));
  }
  return values;
}

TEST(Observer, MinMaxIsExactAndHoldsZero) {
  Observer observer;
  observer.add({0.5f, 3.25f});
  observer.add({1.0f});
  EXPECT_EQ(observer.chooseRange(RangeMethod::MinMax), std::pair(0.0, 3.25));
  observer.add({-2.0f});
  EXPECT_EQ(observer.chooseRange(RangeMethod::MinMax), std::pair(-2.0, 3.25));
}

TEST(Observer, NothingButZeros) {
  Observer observer;
  observer.add({0.0f, 0.0f});
  for (RangeMethod method : {RangeMethod::MinMax, RangeMethod::Percentile, RangeMethod::Entropy, RangeMethod::MSE})
    EXPECT_EQ(observer.chooseRange(method), std::pair(0.0, 0.0));
}

TEST(Observer, CountsWhatIsNotFinite) {
  Observer observer;
  observer.add({NAN, INFINITY, -1.0f});
  EXPECT_EQ(observer.getNonFinite(), 2u);
  EXPECT_EQ(observer.chooseRange(RangeMethod::MinMax), std::pair(-1.0, 0.0));
}

TEST(Observer, OrderDoesNotMatter) {
  std::vector<float> values = makeBell(5000);
  Observer up, down;
  up.add(values);
  std::reverse(values.begin(), values.end());
  down.add(values);
  for (RangeMethod method : {RangeMethod::Percentile, RangeMethod::Entropy, RangeMethod::MSE})
    EXPECT_EQ(up.chooseRange(method, 99), down.chooseRange(method, 99));
}

TEST(Observer, PercentileCutsTails) {
  std::vector<float> values;
  for (int i = -1000; i <= 1000; ++i)
    values.push_back(float(i) / 1000);
  Observer observer;
  observer.add(values);
  auto [low, high] = observer.chooseRange(RangeMethod::Percentile, 90);
  EXPECT_NEAR(low, -0.9, 0.005);
  EXPECT_NEAR(high, 0.9, 0.005);
}

/// One value far out among a hundred thousand costs less clipped than it would cost all others in steps.
TEST(Observer, OneOutlierIsClipped) {
  std::vector<float> values = makeBell(100000);
  values.push_back(100);
  Observer observer;
  observer.add(values);
  EXPECT_LT(observer.chooseRange(RangeMethod::Entropy).second, 60);
  // (100 - c)^2 for the outlier, and a twelfth of the squared step for each of the others: least at 88.
  EXPECT_NEAR(observer.chooseRange(RangeMethod::MSE).second, 88, 2);
  EXPECT_EQ(observer.chooseRange(RangeMethod::MinMax).second, 100);
}

TEST(Observer, TheLeastErrorIsLeast) {
  std::vector<float> values = makeBell(20000);
  values.push_back(30);
  Observer observer;
  observer.add(values);
  auto errorOf = [&](std::pair<double, double> range) {
    QuantizationParameters p = chooseParameters(range.first, range.second, ActivationType::UInt8);
    double sum = 0;
    for (float x : values) {
      double code = std::clamp(std::nearbyint(x / p.scale) + double(p.zero), 0.0, 255.0);
      double back = (code - double(p.zero)) * p.scale;
      sum += (back - x) * (back - x);
    }
    return sum;
  };
  EXPECT_LT(errorOf(observer.chooseRange(RangeMethod::MSE)), errorOf(observer.chooseRange(RangeMethod::MinMax)));
  EXPECT_LT(errorOf(observer.chooseRange(RangeMethod::MSE)),
            1.05 * errorOf(observer.chooseRange(RangeMethod::Percentile, 99.9)));
}

TEST(Parameters, ZeroIsACode) {
  for (ActivationType type : {ActivationType::UInt8, ActivationType::Int8, ActivationType::Int16}) {
    for (auto [low, high] : {std::pair(-1.0, 3.0), {0.0, 6.0}, {-5.0, 0.0}, {2.0, 3.0}, {-1e-38, 1e38}}) {
      QuantizationParameters p = chooseParameters(low, high, type);
      EXPECT_TRUE(std::isfinite(p.scale) && p.scale > 0);
      EXPECT_GE(p.zero, type == ActivationType::UInt8 ? 0 : -128);
      EXPECT_LE(p.zero, type == ActivationType::UInt8 ? 255 : 127);
    }
  }
}

TEST(Parameters, NoExtent) { EXPECT_EQ(chooseParameters(0, 0, ActivationType::UInt8).scale, 1); }
