//===- Compare.cpp - outputs against a reference -----------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Compare.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>
#include <cstring>
#include <limits>

using namespace llvm;

namespace leaf {

template <typename T> static double loadAs(const char *bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return double(value);
}

static double loadHalf(const char *bytes, const fltSemantics &semantics) {
  uint16_t bits;
  std::memcpy(&bits, bytes, sizeof bits);
  APFloat value(semantics, APInt(16, bits));
  bool lossy;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lossy);
  return value.convertToDouble();
}

/// Element `index` as a double; 64-bit integers lose low bits, which is only for display: they are compared as bytes.
static double load(const NpyArray &array, size_t index) {
  const char *bytes = array.bytes.data() + index * getElementBytes(array.elementType);
  StringRef type = array.elementType;
  if (type == "float32")
    return loadAs<float>(bytes);
  if (type == "float64")
    return loadAs<double>(bytes);
  if (type == "float16")
    return loadHalf(bytes, APFloat::IEEEhalf());
  if (type == "bfloat16")
    return loadHalf(bytes, APFloat::BFloat());
  if (type == "int64")
    return loadAs<int64_t>(bytes);
  if (type == "int32")
    return loadAs<int32_t>(bytes);
  if (type == "int16")
    return loadAs<int16_t>(bytes);
  if (type == "int8")
    return loadAs<int8_t>(bytes);
  if (type == "uint64")
    return loadAs<uint64_t>(bytes);
  if (type == "uint32")
    return loadAs<uint32_t>(bytes);
  if (type == "uint16")
    return loadAs<uint16_t>(bytes);
  return loadAs<uint8_t>(bytes);
}

std::vector<double> toDoubles(const NpyArray &array) {
  std::vector<double> values(array.bytes.size() / getElementBytes(array.elementType));
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = load(array, i);
  return values;
}

static std::string describe(const NpyArray &array) {
  std::string text = array.elementType + "[";
  for (auto [i, size] : enumerate(array.shape))
    text += (i ? "," : "") + std::to_string(size);
  return text + "]";
}

Expected<Comparison> compareArrays(const NpyArray &actual, const NpyArray &expected, double tolerance) {
  // Some runtimes give maps, and arrays made of them, in double precision.
  bool wider = actual.elementType == "float32" && expected.elementType == "float64";
  if ((actual.elementType != expected.elementType && !wider) || actual.shape != expected.shape)
    return createStringError("is " + describe(actual) + ", the reference is " + describe(expected));
  constexpr double infinity = std::numeric_limits<double>::infinity();
  bool floats = StringRef(expected.elementType).contains("float");
  double largest = 0;
  Comparison result;
  for (size_t i = 0, e = expected.bytes.size() / getElementBytes(expected.elementType); i < e; ++i) {
    double a = load(actual, i), b = load(expected, i);
    if (std::isfinite(b))
      largest = std::max(largest, std::fabs(b));
    // Equal infinities and NaN on both sides agree; one of them against anything else never does.
    if (a == b || (std::isnan(a) && std::isnan(b)))
      continue;
    result.maxAbs = std::max(result.maxAbs, std::isfinite(a) && std::isfinite(b) ? std::fabs(a - b) : infinity);
  }
  result.maxRel = result.maxAbs == 0 ? 0 : largest == 0 ? infinity : result.maxAbs / largest;
  result.agrees = floats ? result.maxRel <= tolerance : actual.bytes == expected.bytes;
  return result;
}

} // namespace leaf
