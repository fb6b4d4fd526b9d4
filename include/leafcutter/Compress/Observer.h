//===- Observer.h - ranges of activations from samples -----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_COMPRESS_OBSERVER_H
#define LEAFCUTTER_COMPRESS_OBSERVER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace leaf {

/// How the range of an activation is chosen from what calibration saw.
enum class RangeMethod {
  MinMax,     ///< all of it
  Percentile, ///< all but the given share of values, at both ends alike
  Entropy, ///< least Kullback-Leibler divergence of the clipped and quantized histogram (Migacz, 8-bit Inference with
           ///< TensorRT, 2017)
  MSE      ///< least mean squared error of clipping and rounding together
};

/// "min-max", "percentile", "entropy" or "mse"; nothing for other words.
std::optional<RangeMethod> parseRangeMethod(llvm::StringRef name);

/// Counts values in 4,096 equal bins over a range that doubles as needed: the memory is bounded, and does not depend on
/// the order of the samples. Minimum and maximum are exact.
class Observer {
public:
  static constexpr unsigned kBins = 4096;

  void add(llvm::ArrayRef<float> values);

  uint64_t getCount() const { return count; }         ///< of finite values
  uint64_t getNonFinite() const { return nonFinite; } ///< NaN and infinities, which are not in the range
  double getLow() const { return low; }
  double getHigh() const { return high; }

  /// Low and high, with zero between them. `percent` is what Percentile keeps (99.99); `levels` are the codes minus one
  /// that there are for the range (255). Nothing has been added: {0, 0}.
  std::pair<double, double> chooseRange(RangeMethod method, double percent = 99.99, unsigned levels = 255) const;

private:
  void grow(double magnitude);
  double binWidth() const { return 2 * limit / kBins; }
  double binStart(unsigned i) const { return -limit + i * binWidth(); }
  std::pair<double, double> percentileRange(double percent) const;
  std::pair<double, double> leastErrorRange(unsigned levels) const;
  std::pair<double, double> leastDivergenceRange(unsigned levels) const;
  double clippingError(double from, double to, unsigned levels) const;

  std::vector<uint64_t> bins; ///< over [-limit, limit); exact zeros, which any range represents, are not in them
  double limit = 0;           ///< a power of two
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  uint64_t count = 0, zeros = 0, nonFinite = 0;
};

} // namespace leaf

#endif // LEAFCUTTER_COMPRESS_OBSERVER_H
