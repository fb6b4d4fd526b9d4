//===- Body.cpp - writes an operator in terms of others ----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Body.h"

#include <algorithm>

using namespace leaf::importer;
using ::onnx::AttributeProto;
using ::onnx::MakeAttribute;
using ::onnx::NodeProto;
using ::onnx::TensorProto;
using ::onnx::TypeProto;

//===----------------------------------------------------------------------===//
// The call
//===----------------------------------------------------------------------===//

void Body::fail(const std::string &why) const { throw ImportError(describeNode(node, 0) + " " + why); }

const TypeProto::Tensor *Body::tensorType(int i) const {
  const TypeProto *type = hasInput(i) ? typeOf(node.input(i)) : nullptr;
  return type && type->has_tensor_type() ? &type->tensor_type() : nullptr;
}

int32_t Body::elementType(int i) const {
  const TypeProto::Tensor *type = tensorType(i);
  if (!type || type->elem_type() == TensorProto::UNDEFINED)
    fail("has input " + std::to_string(i) + " of unknown type");
  return type->elem_type();
}

int Body::rank(int i) const {
  const TypeProto::Tensor *type = tensorType(i);
  if (!type || !type->has_shape())
    fail("has input " + std::to_string(i) +
         " of unknown rank, and is expanded by it; fix the model's dimensions with "
         "--dim NAME=N");
  return type->shape().dim_size();
}

std::optional<int64_t> Body::findDim(int i, int d) const {
  const TypeProto::Tensor *type = tensorType(i);
  if (!type || !type->has_shape())
    return std::nullopt;
  int size = type->shape().dim_size(), at = d < 0 ? d + size : d;
  if (at < 0 || at >= size || !type->shape().dim(at).has_dim_value())
    return std::nullopt;
  return type->shape().dim(at).dim_value();
}

int64_t Body::dim(int i, int d) const {
  std::optional<int64_t> size = findDim(i, d);
  if (!size)
    fail("needs dimension " + std::to_string(d) + " of input " + std::to_string(i) +
         " at compile time; fix it with --dim NAME=N");
  return *size;
}

const AttributeProto *Body::find(const char *name) const {
  for (const AttributeProto &attribute : node.attribute())
    if (attribute.name() == name)
      return &attribute;
  auto formal = schema.attributes().find(name);
  if (formal == schema.attributes().end() || formal->second.default_value.name().empty())
    return nullptr;
  return &formal->second.default_value;
}

int64_t Body::getInt(const char *name) const { return find(name) ? find(name)->i() : 0; }
float Body::getFloat(const char *name) const { return find(name) ? find(name)->f() : 0; }
std::string Body::getString(const char *name) const { return find(name) ? find(name)->s() : std::string(); }

std::vector<int64_t> Body::getInts(const char *name) const {
  const AttributeProto *found = find(name);
  return found ? std::vector<int64_t>(found->ints().begin(), found->ints().end()) : std::vector<int64_t>();
}

std::vector<float> Body::getFloats(const char *name) const {
  const AttributeProto *found = find(name);
  return found ? std::vector<float>(found->floats().begin(), found->floats().end()) : std::vector<float>();
}

std::vector<std::string> Body::getStrings(const char *name) const {
  const AttributeProto *found = find(name);
  return found ? std::vector<std::string>(found->strings().begin(), found->strings().end()) : Names();
}

Body::Attributes Body::copies(std::initializer_list<const char *> names) const {
  Attributes result;
  for (const char *name : names)
    if (const AttributeProto *found = find(name))
      result.push_back(*found);
  return result;
}

//===----------------------------------------------------------------------===//
// New values
//===----------------------------------------------------------------------===//

Body::Names Body::ops(const char *type, int results, Names inputs, Attributes attributes, const char *domain) {
  NodeProto &added = *graph.add_node();
  added.set_op_type(type);
  added.set_domain(domain);
  while (!inputs.empty() && inputs.back().empty())
    inputs.pop_back();
  for (std::string &name : inputs)
    added.add_input(std::move(name));
  Names names;
  for (int i = 0; i < results; ++i) {
    names.push_back(prefix + "body" + std::to_string(created++));
    added.add_output(names.back());
  }
  for (AttributeProto &attribute : attributes)
    *added.add_attribute() = std::move(attribute);
  return names;
}

std::string Body::cast(std::string x, int32_t elementType) {
  return op("Cast", {std::move(x)}, {MakeAttribute("to", static_cast<int64_t>(elementType))});
}

std::string Body::transpose(std::string x, std::vector<int64_t> perm) {
  return op("Transpose", {std::move(x)}, {MakeAttribute("perm", std::move(perm))});
}

std::string Body::slice(std::string x, int64_t axis, int64_t begin, int64_t end) {
  return op("Slice", {std::move(x), ints({begin}), ints({end}), ints({axis})});
}

std::string Body::concat(Names parts, int64_t axis) {
  return parts.size() == 1 ? parts.front() : op("Concat", std::move(parts), {MakeAttribute("axis", axis)});
}

std::string Body::sizeOf(std::string x, int64_t axis) {
  return op("Shape", {std::move(x)}, {MakeAttribute("start", axis), MakeAttribute("end", axis + 1)});
}

std::string Body::reduce(const char *type, std::string x, std::vector<int64_t> axes, bool keep) {
  return op(type, {std::move(x), ints(axes)}, {MakeAttribute("keepdims", static_cast<int64_t>(keep))});
}

std::string Body::constant(TensorProto tensor) {
  return op("Constant", {}, {MakeAttribute("value", std::move(tensor))});
}

std::string Body::scalar(double value, int32_t elementType) {
  TensorProto tensor;
  tensor.set_data_type(elementType);
  switch (elementType) {
  case TensorProto::DOUBLE:
    tensor.add_double_data(value);
    return constant(std::move(tensor));
  case TensorProto::INT64:
    tensor.add_int64_data(static_cast<int64_t>(value));
    return constant(std::move(tensor));
  case TensorProto::INT32:
    tensor.add_int32_data(static_cast<int32_t>(value));
    return constant(std::move(tensor));
  default:
    tensor.set_data_type(TensorProto::FLOAT);
    tensor.add_float_data(static_cast<float>(value));
    std::string number = constant(std::move(tensor));
    return elementType == TensorProto::FLOAT ? number : cast(number, elementType);
  }
}

std::string Body::ints(const std::vector<int64_t> &values) {
  TensorProto tensor;
  tensor.set_data_type(TensorProto::INT64);
  tensor.add_dims(static_cast<int64_t>(values.size()));
  for (int64_t value : values)
    tensor.add_int64_data(value);
  return constant(std::move(tensor));
}

std::string Body::floats(const std::vector<float> &values, std::vector<int64_t> shape) {
  TensorProto tensor;
  tensor.set_data_type(TensorProto::FLOAT);
  int64_t count = 1;
  for (int64_t size : shape) {
    tensor.add_dims(size);
    count *= size;
  }
  if (count != static_cast<int64_t>(values.size()))
    fail("has " + std::to_string(values.size()) + " numbers where it needs " + std::to_string(count));
  for (float value : values)
    tensor.add_float_data(value);
  return constant(std::move(tensor));
}

std::string Body::strings(const std::vector<std::string> &values) {
  TensorProto tensor;
  tensor.set_data_type(TensorProto::STRING);
  tensor.add_dims(static_cast<int64_t>(values.size()));
  for (const std::string &value : values)
    tensor.add_string_data(value);
  return constant(std::move(tensor));
}

void Body::setOutput(int i, std::string value) {
  if (!hasOutput(i))
    return;
  NodeProto &added = *graph.add_node();
  added.set_op_type("Identity");
  added.add_input(std::move(value));
  added.add_output(node.output(i));
}

BodyFn BodyTable::find(const std::string &domain, const std::string &type) {
  static const BodyTable all = [] {
    BodyTable result;
    addActivationBodies(result);
    addFusionBodies(result);
    addNormalizationBodies(result);
    addAttentionBodies(result);
    addExpertBodies(result);
    addQuantizationBodies(result);
    addFeatureBodies(result);
    addLinearBodies(result);
    return result;
  }();
  auto found = all.table.find({domain, type});
  return found == all.table.end() ? nullptr : found->second;
}
