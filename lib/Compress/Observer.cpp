//===- Observer.cpp - ranges of activations from samples -----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Compress/Observer.h"

#include "llvm/ADT/StringSwitch.h"
#include <algorithm>
#include <cmath>

namespace leaf {

/// How many ranges are tried for each end.
static constexpr unsigned kCandidates = 100;

std::optional<RangeMethod> parseRangeMethod(llvm::StringRef name) {
  return llvm::StringSwitch<std::optional<RangeMethod>>(name)
      .Case("min-max", RangeMethod::MinMax)
      .Case("percentile", RangeMethod::Percentile)
      .Case("entropy", RangeMethod::Entropy)
      .Case("mse", RangeMethod::MSE)
      .Default(std::nullopt);
}

/// Doubles the range until `magnitude` is in it; each time two bins become one.
void Observer::grow(double magnitude) {
  if (bins.empty()) {
    bins.assign(kBins, 0);
    limit = std::exp2(std::ceil(std::log2(magnitude)));
  }
  while (limit <= magnitude) {
    std::vector<uint64_t> wider(kBins, 0);
    for (unsigned i = 0; i < kBins; ++i)
      wider[kBins / 4 + i / 2] += bins[i];
    bins = std::move(wider);
    limit *= 2;
  }
}

void Observer::add(llvm::ArrayRef<float> values) {
  for (float value : values) {
    if (!std::isfinite(value)) {
      ++nonFinite;
      continue;
    }
    ++count;
    low = std::min(low, double(value));
    high = std::max(high, double(value));
    if (value == 0) {
      ++zeros;
      continue;
    }
    double magnitude = std::fabs(double(value));
    if (magnitude >= limit)
      grow(magnitude);
    auto bin = int64_t((value + limit) / binWidth());
    ++bins[std::clamp<int64_t>(bin, 0, kBins - 1)];
  }
}

std::pair<double, double> Observer::percentileRange(double percent) const {
  double outside = double(count) * (1 - percent / 100) / 2;
  unsigned first = 0, last = kBins;
  for (double seen = 0; first < kBins / 2 && seen + bins[first] <= outside; ++first)
    seen += bins[first];
  for (double seen = 0; last > kBins / 2 && seen + bins[last - 1] <= outside; --last)
    seen += bins[last - 1];
  return {std::max(low, binStart(first)), std::min(high, binStart(last))};
}

/// Sum of squared errors when [from, to] is quantized: rounding is uniform within a step.
double Observer::clippingError(double from, double to, unsigned levels) const {
  double step = (to - from) / levels, rounding = step * step / 12, sum = 0;
  for (unsigned i = 0; i < kBins; ++i) {
    if (bins[i] == 0)
      continue;
    double value = std::clamp(binStart(i) + binWidth() / 2, low, high);
    double clipped = std::clamp(value, from, to);
    sum += double(bins[i]) * ((value - clipped) * (value - clipped) + rounding);
  }
  return sum;
}

/// The ends are shortened one after the other, each by the share that helps most.
std::pair<double, double> Observer::leastErrorRange(unsigned levels) const {
  double from = std::min(low, 0.0), to = std::max(high, 0.0);
  for (unsigned round = 0; round < 2; ++round)
    for (bool upper : {true, false}) {
      double best = std::numeric_limits<double>::infinity(), &end = upper ? to : from;
      double full = upper ? std::max(high, 0.0) : std::min(low, 0.0), chosen = end;
      for (unsigned i = 1; i <= kCandidates && full != 0; ++i) {
        end = full * i / kCandidates;
        double error = clippingError(from, to, levels);
        if (error <= best) {
          best = error;
          chosen = end;
        }
      }
      end = chosen;
    }
  return {from, to};
}

/// Divergence of bins [first, last), with everything outside in the bins at the ends, from themselves in `levels` + 1
/// steps.
static double divergence(llvm::ArrayRef<uint64_t> bins, unsigned first, unsigned last, unsigned levels) {
  std::vector<double> p(bins.begin() + first, bins.begin() + last);
  for (unsigned i = 0; i < first; ++i)
    p.front() += double(bins[i]);
  for (unsigned i = last; i < bins.size(); ++i)
    p.back() += double(bins[i]);
  double total = 0, inside = 0, result = 0;
  for (unsigned i = 0; i < p.size(); ++i) {
    total += p[i];
    inside += double(bins[first + i]);
  }
  if (inside == 0)
    return std::numeric_limits<double>::infinity();
  unsigned steps = levels + 1;
  for (unsigned s = 0; s < steps; ++s) {
    size_t begin = p.size() * s / steps, end = p.size() * (s + 1) / steps;
    double sum = 0;
    unsigned used = 0;
    for (size_t i = begin; i < end; ++i) {
      sum += double(bins[first + i]);
      used += p[i] > 0;
    }
    for (size_t i = begin; i < end; ++i)
      if (p[i] > 0) {
        // What is empty without the values from outside would diverge without end.
        double q = std::max(sum / used / inside, 1e-12);
        result += p[i] / total * std::log(p[i] / total / q);
      }
  }
  return result;
}

std::pair<double, double> Observer::leastDivergenceRange(unsigned levels) const {
  double from = std::min(low, 0.0), to = std::max(high, 0.0), most = std::max(-from, to);
  double best = std::numeric_limits<double>::infinity();
  std::pair<double, double> chosen = {from, to};
  for (unsigned i = 1; i <= kCandidates; ++i) {
    double end = most * i / kCandidates, a = std::max(from, -end), b = std::min(to, end);
    auto first = unsigned(std::floor((a + limit) / binWidth()));
    auto last = std::min(kBins, unsigned(std::ceil((b + limit) / binWidth())));
    if (last - first <= levels)
      continue;
    double value = divergence(bins, first, last, levels);
    if (value <= best) {
      best = value;
      chosen = {a, b};
    }
  }
  return chosen;
}

std::pair<double, double> Observer::chooseRange(RangeMethod method, double percent, unsigned levels) const {
  if (count == 0)
    return {0, 0};
  std::pair<double, double> range = {low, high};
  // Nothing but zeros, or one bin: there is nothing to choose.
  if (method != RangeMethod::MinMax && !bins.empty())
    range = method == RangeMethod::Percentile ? percentileRange(percent)
            : method == RangeMethod::MSE      ? leastErrorRange(levels)
                                              : leastDivergenceRange(levels);
  return {std::min(range.first, 0.0), std::max(range.second, 0.0)};
}

} // namespace leaf
