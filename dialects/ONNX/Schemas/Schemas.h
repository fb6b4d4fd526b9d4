//===- Schemas.h - operator schemas that libonnx lacks -----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// com.microsoft, the domain of ONNX Runtime's contributed operators, and shape inference of standard operators where
// libonnx has none or a wrong one. One table for the generator of the dialect, the importer's checks and all shape
// inference: it goes into libonnx's own registry. Only libonnx is included here.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_DIALECTS_ONNX_SCHEMAS_SCHEMAS_H
#define LEAF_DIALECTS_ONNX_SCHEMAS_SCHEMAS_H

#include <string>

namespace leaf::onnx {

inline constexpr const char *kMLDomain = "ai.onnx.ml";
inline constexpr const char *kMicrosoftDomain = "com.microsoft";

/// What stands before the operator's name in this dialect: "" for ai.onnx, "ml." and "ms." for the others; "?" for a
/// domain that the dialect has no operators of.
inline std::string getDomainPrefix(const std::string &domain) {
  return domain.empty() ? "" : domain == kMLDomain ? "ml." : domain == kMicrosoftDomain ? "ms." : "?";
}

/// Whether the operator is written in others whenever a model is imported (lib/Import/Bodies), so that the dialect
/// needs no op for it. Holds for schemas of ours unless they say otherwise.
bool isRewritten(const std::string &domain, const std::string &name);

/// Adds the table to libonnx's registry, once; whoever asks the registry calls this before.
void registerSchemas();

} // namespace leaf::onnx

#endif // LEAF_DIALECTS_ONNX_SCHEMAS_SCHEMAS_H
