//===- SchemaBuilder.h - rows of the schema table ----------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_DIALECTS_ONNX_SCHEMAS_SCHEMABUILDER_H
#define LEAF_DIALECTS_ONNX_SCHEMAS_SCHEMABUILDER_H

#include "Schemas.h"

#include "onnx/defs/schema.h"
#include "onnx/defs/shape_inference.h"

namespace leaf::onnx {

/// Collects one schema. Inputs and outputs are added in order; `type` names a constraint: "T" is any float, "I" int32
/// or int64, "M" int32, "B" bytes, or a constraint added by `constraint`.
class SchemaBuilder {
public:
  using Inference = ::onnx::InferenceFunction;

  SchemaBuilder(const char *name, const char *doc, const char *domain = kMicrosoftDomain);

  SchemaBuilder &input(const char *name, const char *type = "T") { return addInput(name, type, Option::Single); }
  SchemaBuilder &optional(const char *name, const char *type = "T") { return addInput(name, type, Option::Optional); }
  SchemaBuilder &variadic(const char *name, const char *type = "T") { return addInput(name, type, Option::Variadic); }
  SchemaBuilder &output(const char *name, const char *type = "T") { return addOutput(name, type, Option::Single); }
  SchemaBuilder &optionalOutput(const char *name, const char *type = "T") {
    return addOutput(name, type, Option::Optional);
  }
  SchemaBuilder &integer(const char *name, int64_t value);
  SchemaBuilder &number(const char *name, float value);
  SchemaBuilder &text(const char *name, const char *value);
  /// Without a default.
  SchemaBuilder &attribute(const char *name, ::onnx::AttributeProto::AttributeType type, bool required = false);
  SchemaBuilder &constraint(const char *type, const std::vector<std::string> &allowed);
  SchemaBuilder &inference(Inference function);
  /// The dialect has an op for it.
  SchemaBuilder &keep();
  /// Puts it into libonnx's registry, at version 1 of its domain.
  void add();

private:
  using Option = ::onnx::OpSchema::FormalParameterOption;
  SchemaBuilder &addInput(const char *name, const char *type, Option option);
  SchemaBuilder &addOutput(const char *name, const char *type, Option option);
  void use(const std::string &type);

  ::onnx::OpSchema schema;
  int inputs = 0, outputs = 0;
  std::vector<std::string> used;
  bool isKept = false;
};

/// Gives the newest version of a standard operator another inference function.
void setInference(const char *name, const char *domain, ::onnx::InferenceFunction function);

/// Type and shape of the first output are those of the first input.
void inferFirst(::onnx::InferenceContext &context);

void addMicrosoftActivations();
void addMicrosoftNormalizations();
void addMicrosoftFusions();
void addMicrosoftAttention();
void addMicrosoftExperts();
void addMicrosoftQuantization();
/// Standard operators.
void addMissingInference();

} // namespace leaf::onnx

#endif // LEAF_DIALECTS_ONNX_SCHEMAS_SCHEMABUILDER_H
