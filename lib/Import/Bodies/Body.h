//===- Body.h - writes an operator in terms of others ------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Operators of com.microsoft and ai.onnx.ml that are standard operators in other words: what a function body in a
// schema would be, but it may depend on the types of its operands and takes any number of them.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_IMPORT_BODIES_BODY_H
#define LEAF_LIB_IMPORT_BODIES_BODY_H

#include "../SourceModel.h"

#include "onnx/defs/attr_proto_util.h"
#include "onnx/defs/schema.h"

#include <functional>
#include <optional>

namespace leaf::importer {

/// The call that is replaced, and the nodes that replace it. Values are names; "" is an absent one.
class Body {
public:
  using Names = std::vector<std::string>;
  using Attributes = std::vector<::onnx::AttributeProto>;
  using TypeOf = std::function<const ::onnx::TypeProto *(const std::string &)>;

  /// Nodes go to the end of `graph`; `prefix` is in no name of the model.
  Body(const ::onnx::NodeProto &node, const ::onnx::OpSchema &schema, TypeOf typeOf, std::string prefix,
       ::onnx::GraphProto &graph)
      : node(node), schema(schema), typeOf(std::move(typeOf)), prefix(std::move(prefix)), graph(graph) {}

  //===--- the call -------------------------------------------------------===//

  int getNumInputs() const { return node.input_size(); }
  bool hasInput(int i) const { return i < node.input_size() && !node.input(i).empty(); }
  bool hasOutput(int i) const { return i < node.output_size() && !node.output(i).empty(); }
  std::string input(int i) const { return hasInput(i) ? node.input(i) : std::string(); }
  /// Element type of an input.
  int32_t elementType(int i) const;
  int rank(int i) const;
  /// Size of a dimension (negative: from the end), if it is known.
  std::optional<int64_t> findDim(int i, int d) const;
  /// The same where the body cannot be written without it.
  int64_t dim(int i, int d) const;

  const std::string &opType() const { return node.op_type(); }
  bool hasAttr(const char *name) const { return find(name) != nullptr; }
  /// Attributes with the defaults of the schema; empty or zero where it has none.
  int64_t getInt(const char *name) const;
  float getFloat(const char *name) const;
  std::string getString(const char *name) const;
  std::vector<int64_t> getInts(const char *name) const;
  std::vector<float> getFloats(const char *name) const;
  std::vector<std::string> getStrings(const char *name) const;
  /// The attributes of the call that have these names.
  Attributes copies(std::initializer_list<const char *> names) const;

  [[noreturn]] void fail(const std::string &why) const;
  /// Fails where a condition does not hold.
  void require(bool holds, const char *why) const {
    if (!holds)
      fail(why);
  }

  //===--- new values -----------------------------------------------------===//

  std::string op(const char *type, Names inputs, Attributes attributes = {}) {
    return ops(type, 1, std::move(inputs), std::move(attributes)).front();
  }
  /// An operator with several results.
  Names ops(const char *type, int results, Names inputs, Attributes attributes = {}, const char *domain = "");
  std::string add(std::string x, std::string y) { return op("Add", {std::move(x), std::move(y)}); }
  std::string sub(std::string x, std::string y) { return op("Sub", {std::move(x), std::move(y)}); }
  std::string mul(std::string x, std::string y) { return op("Mul", {std::move(x), std::move(y)}); }
  std::string div(std::string x, std::string y) { return op("Div", {std::move(x), std::move(y)}); }
  std::string cast(std::string x, int32_t elementType);
  std::string transpose(std::string x, std::vector<int64_t> perm);
  /// 0 keeps a dimension, -1 takes what is left.
  std::string reshape(std::string x, std::vector<int64_t> shape) { return op("Reshape", {std::move(x), ints(shape)}); }
  std::string unsqueeze(std::string x, std::vector<int64_t> axes) {
    return op("Unsqueeze", {std::move(x), ints(axes)});
  }
  std::string squeeze(std::string x, std::vector<int64_t> axes) { return op("Squeeze", {std::move(x), ints(axes)}); }
  /// Elements begin .. end of one axis.
  std::string slice(std::string x, int64_t axis, int64_t begin, int64_t end);
  std::string concat(Names parts, int64_t axis);
  /// Size of one dimension as a tensor of one element.
  std::string sizeOf(std::string x, int64_t axis);
  std::string reduce(const char *type, std::string x, std::vector<int64_t> axes, bool keep = true);

  /// A scalar constant of that element type.
  std::string scalar(double value, int32_t elementType = ::onnx::TensorProto::FLOAT);
  std::string ints(const std::vector<int64_t> &values);
  std::string floats(const std::vector<float> &values, std::vector<int64_t> shape);
  std::string strings(const std::vector<std::string> &values);

  void setOutput(int i, std::string value);

private:
  const ::onnx::AttributeProto *find(const char *name) const;
  const ::onnx::TypeProto::Tensor *tensorType(int i) const;
  std::string constant(::onnx::TensorProto tensor);

  const ::onnx::NodeProto &node;
  const ::onnx::OpSchema &schema;
  TypeOf typeOf;
  std::string prefix;
  ::onnx::GraphProto &graph;
  int created = 0;
};

using BodyFn = void (*)(Body &);

/// Operator (its domain and type) -> body.
class BodyTable {
public:
  void add(const char *domain, const char *type, BodyFn body) { table[{domain, type}] = body; }
  /// Null where the operator has none.
  static BodyFn find(const std::string &domain, const std::string &type);

private:
  std::map<std::pair<std::string, std::string>, BodyFn> table;
};

void addActivationBodies(BodyTable &table);
void addFusionBodies(BodyTable &table);
void addNormalizationBodies(BodyTable &table);
void addAttentionBodies(BodyTable &table);
void addExpertBodies(BodyTable &table);
void addQuantizationBodies(BodyTable &table);
void addFeatureBodies(BodyTable &table);
void addLinearBodies(BodyTable &table);

} // namespace leaf::importer

#endif // LEAF_LIB_IMPORT_BODIES_BODY_H
