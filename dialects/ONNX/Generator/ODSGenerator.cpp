//===- ODSGenerator.cpp - prints ODS from libonnx's operator schemas ---------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Runs at build time and prints ONNXOps.td: one op per operator of ai.onnx, ai.onnx.ml and com.microsoft (whose schemas
// are in ../Schemas) that import does not write in others, at the newest version that is not deprecated, sorted by name
// so that the output is the same on every run.
//
//===----------------------------------------------------------------------===//

#include "ONNX/Schemas/Schemas.h"
#include "onnx/defs/schema.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

using onnx::AttributeProto;
using onnx::OpSchema;

namespace {

/// Names whose accessor (getType, ...) mlir::Op already has.
const std::set<std::string> reservedNames = {"type", "operand", "operands", "result",  "results", "name",      "loc",
                                             "attr", "attrs",   "region",   "regions", "context", "properties"};

/// Operators that carry out their regions and nothing else.
const std::set<std::string> controlFlow = {"If", "Loop", "Scan", "SequenceMap"};

std::string sanitize(const std::string &name) { return reservedNames.count(name) ? name + "_attr" : name; }

/// Text inside `[{ }]` ends at the first `}]`.
std::string block(std::string text) {
  for (size_t at = 0; (at = text.find("}]", at)) != std::string::npos; at += 3)
    text.replace(at, 2, "} ]");
  return "[{" + text + "}]";
}

/// A tablegen string that holds a C++ string literal.
std::string quoted(const std::string &text) { return "\\\"" + text + "\\\""; }

std::string firstSentence(const char *doc) {
  std::string text(doc ? doc : ""), out;
  for (char c : text) {
    if (c == '\n' || c == '\r' || c == ' ') {
      if (!out.empty() && out.back() == '.')
        break;
      if (!out.empty() && out.back() != ' ')
        out += ' ';
    } else if (c == '"' || c == '\\') {
      out += '\'';
    } else {
      out += c;
    }
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == '.'))
    out.pop_back();
  return out.size() > 160 ? out.substr(0, 157) + "..." : out;
}

/// Sequence, optional and map typed values have no builtin type.
bool holdsOnlyTensors(const OpSchema::FormalParameter &value) {
  return std::all_of(value.GetTypes().begin(), value.GetTypes().end(),
                     [](const std::string *type) { return type->rfind("tensor(", 0) == 0; });
}

std::string valueConstraint(const OpSchema::FormalParameter &value, bool isResult) {
  std::string type = holdsOnlyTensors(value) ? "AnyTensor" : "AnyType";
  // Most operators leave a result absent by an empty name, also where the schema says it is Single.
  if (type == "AnyTensor" && (value.GetOption() == OpSchema::Optional || isResult))
    type = "ONNX_MaybeTensor";
  return value.GetOption() == OpSchema::Variadic ? "Variadic<" + type + ">" : type;
}

std::string attributeType(const OpSchema::Attribute &attribute) {
  switch (attribute.type) {
  case AttributeProto::INT:
    return "ONNX_IntAttr";
  case AttributeProto::FLOAT:
    return "ONNX_FloatAttr";
  case AttributeProto::STRING:
    return "StrAttr";
  case AttributeProto::INTS:
    return "DenseI64ArrayAttr";
  case AttributeProto::FLOATS:
    return "DenseF32ArrayAttr";
  case AttributeProto::STRINGS:
    return "StrArrayAttr";
  case AttributeProto::TENSOR:
    return "ElementsAttr";
  case AttributeProto::TYPE_PROTO:
    return "TypeAttr";
  default:
    return "AnyAttr";
  }
}

template <typename Range, typename Print> std::string list(const Range &range, Print print) {
  std::string out = "{";
  for (const auto &element : range)
    out += (out.size() > 1 ? ", " : "") + print(element);
  return out + "}";
}

std::string floatLiteral(float value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.9gf", value);
  std::string out(text);
  return out.find_first_of(".en") == std::string::npos ? out.insert(out.size() - 1, ".0") : out;
}

/// The default as a C++ expression inside a tablegen string; empty when there is none that ODS can hold.
std::string defaultValue(const AttributeProto &value) {
  switch (value.type()) {
  case AttributeProto::INT:
    return value.i() == INT64_MIN ? "INT64_MIN" : std::to_string(value.i());
  case AttributeProto::FLOAT:
    return floatLiteral(value.f());
  case AttributeProto::STRING:
    return quoted(value.s());
  case AttributeProto::INTS:
    return list(value.ints(), [](int64_t i) { return std::to_string(i); });
  case AttributeProto::FLOATS:
    return list(value.floats(), floatLiteral);
  case AttributeProto::STRINGS:
    return list(value.strings(), quoted);
  default:
    return "";
  }
}

std::string attributeConstraint(const OpSchema::Attribute &attribute) {
  std::string type = attributeType(attribute), value = defaultValue(attribute.default_value);
  if (attribute.required)
    return type;
  return value.empty() ? "OptionalAttr<" + type + ">" : "DefaultValuedAttr<" + type + ", \"" + value + "\">";
}

std::string traits(const OpSchema &schema) {
  if (schema.Name() == "Constant")
    return "[Pure, ConstantLike]";
  if (controlFlow.count(schema.Name()))
    return "[RecursiveMemoryEffects, RecursivelySpeculatable, SingleBlock]";
  bool random = schema.GetNodeDeterminism() == OpSchema::NodeDeterminism::NonDeterministic;
  return random ? "[]" : "[Pure]";
}

std::string join(const std::vector<std::string> &parts, const char *separator = ",\n                       ") {
  std::string out;
  for (const std::string &part : parts)
    out += (out.empty() ? "" : separator) + part;
  return out;
}

//===----------------------------------------------------------------------===//
// Builders
//===----------------------------------------------------------------------===//

/// How a builder takes an attribute, and how it becomes one.
struct BuilderAttribute {
  std::string type, conversion, defaultValue;
};

BuilderAttribute builderAttribute(const OpSchema::Attribute &attribute, const std::string &name) {
  static const std::map<int, std::pair<std::string, std::string>> unwrapped = {
      {AttributeProto::INT, {"int64_t", "$_builder.getI64IntegerAttr(%)"}},
      {AttributeProto::FLOAT, {"float", "$_builder.getF32FloatAttr(%)"}},
      {AttributeProto::STRING, {"::llvm::StringRef", "$_builder.getStringAttr(%)"}},
      {AttributeProto::INTS, {"::llvm::ArrayRef<int64_t>", "$_builder.getDenseI64ArrayAttr(%)"}},
      {AttributeProto::FLOATS, {"::llvm::ArrayRef<float>", "$_builder.getDenseF32ArrayAttr(%)"}}};
  static const std::map<int, std::string> wrapped = {
      {AttributeProto::INT, "::mlir::IntegerAttr"},          {AttributeProto::FLOAT, "::mlir::FloatAttr"},
      {AttributeProto::STRING, "::mlir::StringAttr"},        {AttributeProto::INTS, "::mlir::DenseI64ArrayAttr"},
      {AttributeProto::FLOATS, "::mlir::DenseF32ArrayAttr"}, {AttributeProto::STRINGS, "::mlir::ArrayAttr"},
      {AttributeProto::TENSOR, "::mlir::ElementsAttr"},      {AttributeProto::TYPE_PROTO, "::mlir::TypeAttr"}};
  std::string value = attribute.required ? "" : ::defaultValue(attribute.default_value);
  auto plain = unwrapped.find(attribute.type);
  if (plain != unwrapped.end() && (attribute.required || (!value.empty() && value[0] != '{'))) {
    std::string conversion = plain->second.second;
    return {plain->second.first, conversion.replace(conversion.find('%'), 1, name), value};
  }
  auto type = wrapped.find(attribute.type);
  return {type == wrapped.end() ? "::mlir::Attribute" : type->second, name, attribute.required ? "" : "{}"};
}

/// Default builders are most of ODS's code. Two are enough: one of ranges, and one of results, operands and plain C++
/// values in schema order, whose trailing attributes have defaults.
void printBuilders(std::ostream &os, const OpSchema &schema,
                   const std::map<std::string, OpSchema::Attribute> &attributes, size_t numRegions) {
  std::vector<std::string> parameters, settings;
  auto add = [](const OpSchema::FormalParameter &value, const char *single, const char *range,
                std::vector<std::string> &parameters, const char *list, std::vector<std::string> &settings) {
    bool variadic = value.GetOption() == OpSchema::Variadic;
    std::string name = sanitize(value.GetName());
    parameters.push_back(std::string("\"") + (variadic ? range : single) + "\":$" + name);
    settings.push_back(std::string("$_state.") + list + "(" + name + ");");
  };
  for (const auto &output : schema.outputs())
    add(output, "::mlir::Type", "::mlir::TypeRange", parameters, "addTypes", settings);
  for (const auto &input : schema.inputs())
    add(input, "::mlir::Value", "::mlir::ValueRange", parameters, "addOperands", settings);
  std::vector<std::string> trailing;
  bool canDefault = true;
  for (auto entry = attributes.rbegin(); entry != attributes.rend(); ++entry) {
    if (entry->second.type == AttributeProto::GRAPH)
      continue;
    std::string name = sanitize(entry->first);
    BuilderAttribute attribute = builderAttribute(entry->second, name);
    canDefault &= !attribute.defaultValue.empty();
    trailing.push_back(canDefault ? "CArg<\"" + attribute.type + "\", \"" + attribute.defaultValue + "\">:$" + name
                                  : "\"" + attribute.type + "\":$" + name);
    settings.push_back("::leaf::onnx::detail::setAttribute($_state, \"" + name + "\", " + attribute.conversion + ");");
  }
  parameters.insert(parameters.end(), trailing.rbegin(), trailing.rend());
  std::string regions;
  for (size_t i = 0; i < numRegions; ++i)
    regions += " (void)$_state.addRegion();";
  os << "  let builders = [OpBuilder<(ins \"::mlir::TypeRange\":$types, \"::mlir::ValueRange\":$values,\n"
     << "      CArg<\"::llvm::ArrayRef<::mlir::NamedAttribute>\", \"{}\">:$attributes),\n"
     << "      [{ ::leaf::onnx::detail::build($_state, types, values, attributes);" << regions << " }]>";
  os << ",\n    OpBuilder<(ins " << join(parameters, ", ") << "),\n      [{ " << join(settings, " ") << regions
     << " }]>";
  if (schema.Name() == "Constant")
    os << ",\n    OpBuilder<(ins \"::mlir::ElementsAttr\":$value),\n"
       << "      [{ $_state.addTypes(value.getShapedType()); $_state.addAttribute(\"value\", value); }]>";
  os << "];\n";
}

void printOp(std::ostream &os, const OpSchema &schema) {
  std::string prefix = leaf::onnx::getDomainPrefix(schema.domain());
  const char *className = prefix == "ml." ? "ML" : prefix == "ms." ? "MS" : "";
  // unordered_map: sort.
  std::map<std::string, OpSchema::Attribute> attributes(schema.attributes().begin(), schema.attributes().end());
  std::vector<std::string> arguments, results, regions;
  for (const auto &input : schema.inputs())
    arguments.push_back(valueConstraint(input, /*isResult=*/false) + ":$" + sanitize(input.GetName()));
  for (const auto &[name, attribute] : attributes) {
    if (attribute.type == AttributeProto::GRAPH)
      regions.push_back("SizedRegion<1>:$" + sanitize(name));
    else
      arguments.push_back(attributeConstraint(attribute) + ":$" + sanitize(name));
  }
  for (const auto &output : schema.outputs())
    results.push_back(valueConstraint(output, /*isResult=*/true) + ":$" + sanitize(output.GetName()));

  os << "def ONNX_" << className << schema.Name() << "Op : ONNX_Op<\"" << prefix << schema.Name() << "\", "
     << traits(schema) << "> {\n"
     << "  let summary = \"" << firstSentence(schema.doc()) << "\";\n"
     << "  let description = "
     << block(std::string("\nSince version ") + std::to_string(schema.since_version()) + ".\n\n" +
              (schema.doc() ? schema.doc() : "") + "\n  ")
     << ";\n"
     << "  let arguments = (ins " << join(arguments) << ");\n"
     << "  let results = (outs " << join(results) << ");\n";
  if (!regions.empty())
    os << "  let regions = (region " << join(regions) << ");\n";
  os << "  let assemblyFormat = \"`(` operands `)` " << (regions.empty() ? "" : "regions ")
     << "attr-dict `:` functional-type(operands, results)\";\n";
  os << "  let skipDefaultBuilders = 1;\n";
  printBuilders(os, schema, attributes, regions.size());
  if (schema.Name() == "Constant")
    os << "  let hasFolder = 1;\n";
  os << "}\n\n";
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::cerr << "usage: leaf-onnx-ods OUTPUT.td\n";
    return 1;
  }
  leaf::onnx::registerSchemas();
  std::map<std::pair<std::string, std::string>, OpSchema> newest;
  for (const OpSchema &schema : onnx::OpSchemaRegistry::get_all_schemas_with_history()) {
    if (leaf::onnx::getDomainPrefix(schema.domain()) == "?" || schema.Deprecated() ||
        leaf::onnx::isRewritten(schema.domain(), schema.Name()))
      continue;
    auto [entry, inserted] = newest.try_emplace({schema.domain(), schema.Name()}, schema);
    if (!inserted && entry->second.since_version() < schema.since_version())
      entry->second = schema;
  }
  std::ostringstream os;
  os << "// Generated from libonnx's schemas by dialects/ONNX/Generator/ODSGenerator.cpp.\n\n"
     << "include \"ONNX/ONNXBase.td\"\n\n";
  for (const auto &[key, schema] : newest)
    printOp(os, schema);
  std::ofstream out(argv[1]);
  out << os.str();
  out.close();
  return out ? 0 : 1;
}
