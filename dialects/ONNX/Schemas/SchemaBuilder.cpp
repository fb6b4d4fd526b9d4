//===- SchemaBuilder.cpp - rows of the schema table --------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "SchemaBuilder.h"

#include <algorithm>
#include <mutex>
#include <set>

using namespace leaf::onnx;
using ::onnx::AttributeProto;
using ::onnx::OpSchema;
using ::onnx::OpSchemaRegistry;

SchemaBuilder::SchemaBuilder(const char *name, const char *doc, const char *domain) : schema(name, "Leafcutter", 0) {
  schema.SetDomain(domain).SinceVersion(1).SetDoc(doc);
}

SchemaBuilder &SchemaBuilder::addInput(const char *name, const char *type, Option option) {
  schema.Input(inputs++, name, "", type, option, /*is_homogeneous=*/true, option == OpSchema::Variadic ? 0 : 1);
  use(type);
  return *this;
}

SchemaBuilder &SchemaBuilder::addOutput(const char *name, const char *type, Option option) {
  schema.Output(outputs++, name, "", type, option);
  use(type);
  return *this;
}

SchemaBuilder &SchemaBuilder::integer(const char *name, int64_t value) {
  schema.Attr(name, "", AttributeProto::INT, value);
  return *this;
}

SchemaBuilder &SchemaBuilder::number(const char *name, float value) {
  schema.Attr(name, "", AttributeProto::FLOAT, value);
  return *this;
}

SchemaBuilder &SchemaBuilder::text(const char *name, const char *value) {
  schema.Attr(name, "", AttributeProto::STRING, std::string(value));
  return *this;
}

SchemaBuilder &SchemaBuilder::attribute(const char *name, AttributeProto::AttributeType type, bool required) {
  schema.Attr(name, "", type, required);
  return *this;
}

SchemaBuilder &SchemaBuilder::constraint(const char *type, const std::vector<std::string> &allowed) {
  schema.TypeConstraint(type, allowed, "");
  used.push_back(type);
  return *this;
}

/// Adds the constraints that have a fixed meaning when they are first used.
void SchemaBuilder::use(const std::string &type) {
  static const std::vector<std::pair<std::string, std::vector<std::string>>> fixed = {
      {"T", {"tensor(float)", "tensor(float16)", "tensor(bfloat16)", "tensor(double)"}},
      {"U", {"tensor(float)", "tensor(float16)", "tensor(bfloat16)", "tensor(double)"}},
      {"I", {"tensor(int32)", "tensor(int64)"}},
      {"M", {"tensor(int32)"}},
      {"B", {"tensor(int8)", "tensor(uint8)"}}};
  for (const auto &[name, types] : fixed)
    if (name == type && std::find(used.begin(), used.end(), type) == used.end())
      constraint(name.c_str(), types);
}

SchemaBuilder &SchemaBuilder::inference(Inference function) {
  schema.TypeAndShapeInferenceFunction(std::move(function));
  return *this;
}

SchemaBuilder &SchemaBuilder::keep() {
  isKept = true;
  return *this;
}

/// Operators without an op in the dialect: domain and name.
static std::set<std::pair<std::string, std::string>> &rewritten() {
  static std::set<std::pair<std::string, std::string>> names;
  return names;
}

void SchemaBuilder::add() {
  if (!isKept)
    rewritten().emplace(schema.domain(), schema.Name());
  ::onnx::RegisterSchema(std::move(schema));
}

bool leaf::onnx::isRewritten(const std::string &domain, const std::string &name) {
  return rewritten().count({domain, name}) != 0;
}

void leaf::onnx::setInference(const char *name, const char *domain, ::onnx::InferenceFunction function) {
  const OpSchema *known = OpSchemaRegistry::Schema(name, domain);
  if (!known)
    return;
  OpSchema schema = *known;
  schema.TypeAndShapeInferenceFunction(std::move(function));
  int version = schema.since_version();
  ::onnx::DeregisterSchema(name, version, domain);
  ::onnx::RegisterSchema(std::move(schema));
}

void leaf::onnx::inferFirst(::onnx::InferenceContext &context) { ::onnx::propagateShapeAndTypeFromFirstInput(context); }

void leaf::onnx::registerSchemas() {
  static std::once_flag once;
  std::call_once(once, [] {
    (void)OpSchemaRegistry::Instance();
    OpSchemaRegistry::DomainToVersionRange::Instance().AddDomainToVersion(kMicrosoftDomain, 1, 1);
    addMicrosoftActivations();
    addMicrosoftNormalizations();
    addMicrosoftFusions();
    addMicrosoftAttention();
    addMicrosoftExperts();
    addMicrosoftQuantization();
    addMissingInference();
  });
}
