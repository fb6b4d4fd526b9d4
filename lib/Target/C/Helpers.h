//===- Helpers.h - definitions that emitted C uses ---------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_TARGET_C_HELPERS_H
#define LEAFCUTTER_LIB_TARGET_C_HELPERS_H

#include "leafcutter/Target/TargetSpec.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace leaf {

/// A type as helper names spell it: "f32", "i8", "u16", "bf16", "f32x8".
struct CType {
  enum Kind { Float, Signed, Unsigned, BFloat } kind = Float;
  unsigned bits = 32;
  unsigned lanes = 1;

  static std::optional<CType> parse(llvm::StringRef text);
  std::string name() const;   ///< "f32x8"
  std::string c() const;      ///< "leaf_f32x8", "float": the type of a value
  std::string memory() const; ///< "leaf_f32", "int8_t": the type of an element in a buffer
  CType element() const { return {kind, bits, 1}; }
  CType as(Kind other) const { return {other, bits, lanes}; } ///< other kind, same width
  bool isVector() const { return lanes > 1; }
  bool isHalf() const { return kind == BFloat || (kind == Float && bits == 16); }
  unsigned bytes() const { return bits / 8 * lanes; }
};

/// Definitions of all that `code` refers to by names that start with `leaf_`: typedefs, then functions, each after what
/// it uses. Also gathers the headers that they need.
class HelperSet {
public:
  explicit HelperSet(const TargetSpec &target) : target(target) {}

  /// Fails with the name of a helper that is not known (a bug of the conversion), or that the target can't have.
  llvm::Error addUsesOf(llvm::StringRef code);

  const std::vector<std::string> &functions() const { return functionTexts; }
  const std::vector<std::string> &functionNames() const { return names; }
  std::vector<std::string> typedefs() const;
  const std::set<std::string> &headers() const { return headerNames; }
  bool usesVectors() const { return vectors; }

private:
  llvm::Error add(llvm::StringRef name);

  const TargetSpec &target;
  std::set<std::string> seen, headerNames;
  std::set<std::pair<unsigned, std::string>> typedefTexts; ///< scalars first
  std::vector<std::string> functionTexts, names;
  bool vectors = false;
};

/// The definition of helper `name` without its specifiers ("float leaf_fma_f32(...) {...}"), or an empty string for
/// a name that is no helper. May name a header that it needs.
std::string helperDefinition(llvm::StringRef name, const TargetSpec &target, std::string &header);

/// Arguments of __attribute__((target(...))) for functions, e.g. "avx2,fma,f16c"; empty where the baseline will do.
std::string targetAttribute(const TargetSpec &target);

bool isX86(const TargetSpec &target);
bool isAArch64(const TargetSpec &target);
bool isARM32(const TargetSpec &target);

} // namespace leaf

#endif // LEAFCUTTER_LIB_TARGET_C_HELPERS_H
