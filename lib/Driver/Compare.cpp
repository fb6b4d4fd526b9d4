//===- Compare.cpp - outputs against a reference -----------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Compare.h"

#include "leafcutter/Support/StringArrays.h"

#include "leafcutter/Support/ElementTypes.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>
#include <cstring>
#include <limits>

using namespace llvm;

namespace leaf {

/// Element `index` as a double; 64-bit integers lose low bits, which is only for display: they are compared as bytes.
static double load(const NpyArray &array, const ElementType &type, size_t index) {
  uint64_t word = 0;
  std::memcpy(&word, array.bytes.data() + index * type.bytes, type.bytes);
  return type.toDouble(word);
}

std::vector<double> toDoubles(const NpyArray &array) {
  const ElementType *type = findElementType(array.elementType);
  std::vector<double> values(type ? array.bytes.size() / type->bytes : 0);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = load(array, *type, i);
  return values;
}

static std::string describe(const NpyArray &array) {
  std::string text = array.elementType + "[";
  for (auto [i, size] : enumerate(array.shape))
    text += (i ? "," : "") + std::to_string(size);
  return text + "]";
}

Expected<Comparison> compareArrays(const NpyArray &actual, const NpyArray &expected, double tolerance) {
  if (isStringArray(actual) && isStringArray(expected)) {
    if (actual.shape != expected.shape)
      return createStringError("is " + describe(actual) + ", the reference is " + describe(expected));
    Comparison result;
    result.agrees = getStrings(actual) == getStrings(expected);
    result.maxAbs = result.maxRel = result.agrees ? 0 : std::numeric_limits<double>::infinity();
    return result;
  }
  // Some runtimes give maps, and arrays made of them, in double precision.
  bool wider = actual.elementType == "float32" && expected.elementType == "float64";
  const ElementType *type = findElementType(actual.elementType), *expectedType = findElementType(expected.elementType);
  if (!expectedType && getElementBytes(expected.elementType) == type->bytes && !type->isOfNumpy())
    return compareArrays(actual, {actual.elementType, expected.shape, expected.bytes}, tolerance);
  if ((actual.elementType != expected.elementType && !wider) || actual.shape != expected.shape)
    return createStringError("is " + describe(actual) + ", the reference is " + describe(expected));
  constexpr double infinity = std::numeric_limits<double>::infinity();
  bool floats = expectedType->kind == ElementType::Float;
  double largest = 0;
  Comparison result;
  for (size_t i = 0, e = expected.bytes.size() / expectedType->bytes; i < e; ++i) {
    double a = load(actual, *type, i), b = load(expected, *expectedType, i);
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
