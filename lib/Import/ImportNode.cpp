//===- ImportNode.cpp - ONNX nodes to onnx ops -------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ModuleBuilder.h"

#include "Leaf/OutputNames.h"
#include "ONNX/ONNX.h"
#include "ONNX/Schemas/Schemas.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::importer;
using ::onnx::AttributeProto;
using ::onnx::GraphProto;
using ::onnx::NodeProto;
using ::onnx::OpSchema;
using ::onnx::TypeProto;

/// The newest schema of the operator that is not deprecated: the one the onnx dialect has an op for.
static const OpSchema *findSchema(const NodeProto &node) {
  std::string domain = node.domain() == "ai.onnx" ? "" : node.domain();
  if (leaf::onnx::getDomainPrefix(domain) == "?")
    return nullptr;
  const OpSchema *schema = ::onnx::OpSchemaRegistry::Schema(node.op_type(), domain);
  while (schema && schema->Deprecated() && schema->since_version() > 1)
    schema = ::onnx::OpSchemaRegistry::Schema(node.op_type(), schema->since_version() - 1, domain);
  return schema && !schema->Deprecated() ? schema : nullptr;
}

/// ODS names differ from the schema's where a member of mlir::Op has that name.
static std::string odsName(const std::string &name) { return name == "type" ? "type_attr" : name; }

//===----------------------------------------------------------------------===//
// Types and attributes
//===----------------------------------------------------------------------===//

Type ModuleBuilder::typeOf(const TypeProto &type, const std::string &what) {
  if (type.has_sequence_type())
    return leaf::onnx::SequenceType::get(context, typeOf(type.sequence_type().elem_type(), what));
  if (type.has_optional_type())
    return leaf::onnx::OptionalType::get(context, typeOf(type.optional_type().elem_type(), what));
  if (!type.has_tensor_type())
    throw ImportError(what + " is a map, sparse or opaque value, which is not supported");
  int32_t dataType = type.tensor_type().elem_type();
  bool isString = dataType == ::onnx::TensorProto::STRING;
  Type element = isString ? leaf::onnx::StringType::get(context) : elementType(context, dataType);
  if (!element)
    throw ImportError(what + " has element type " + elementName(dataType) + ", which is not supported");
  if (!type.tensor_type().has_shape())
    return UnrankedTensorType::get(element);
  SmallVector<int64_t> shape, sizes;
  for (const auto &dim : type.tensor_type().shape().dim()) {
    shape.push_back(dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value() : ShapedType::kDynamic);
    if (shape.back() > 0)
      sizes.push_back(shape.back());
  }
  (void)denseBytes(isString ? ::onnx::TensorProto::INT64 : dataType, sizes, what);
  return RankedTensorType::get(shape, element);
}

/// Throws unless the tensor has as many strings as its shape says, of less than 2 GiB in all.
static void checkStrings(const ::onnx::TensorProto &tensor, const std::string &what) {
  std::vector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  size_t bytes = 0;
  for (const std::string &text : tensor.string_data())
    bytes += text.size();
  if (denseBytes(::onnx::TensorProto::INT64, shape, what) != size_t(tensor.string_data_size()) * 8 ||
      bytes > INT32_MAX || tensor.data_location() == ::onnx::TensorProto::EXTERNAL)
    throw ImportError(what + " holds " + std::to_string(tensor.string_data_size()) + " strings of " +
                      std::to_string(bytes) + " bytes, which does not fit its shape, or is too much");
}

Attribute ModuleBuilder::stringAttribute(const ::onnx::TensorProto &tensor, const std::string &what) {
  checkStrings(tensor, what);
  SmallVector<StringRef> texts(tensor.string_data().begin(), tensor.string_data().end());
  SmallVector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  return DenseStringElementsAttr::get(RankedTensorType::get(shape, leaf::onnx::StringType::get(context)), texts);
}

Value ModuleBuilder::createStrings(const ::onnx::TensorProto &tensor, const std::string &what, Location loc) {
  checkStrings(tensor, what);
  ::onnx::TensorProto spans, pool;
  std::string bytes;
  spans.set_name(tensor.name());
  spans.set_data_type(::onnx::TensorProto::INT64);
  *spans.mutable_dims() = tensor.dims();
  for (const std::string &text : tensor.string_data()) {
    spans.add_int64_data(static_cast<int64_t>(bytes.size()) << 32 | static_cast<int64_t>(text.size()));
    bytes += text;
  }
  if (bytes.empty()) // a pool is never empty
    bytes.push_back('\0');
  pool.set_name(tensor.name() + ".bytes");
  pool.set_data_type(::onnx::TensorProto::UINT8);
  pool.add_dims(bytes.size());
  pool.set_raw_data(bytes);
  auto create = [&](::onnx::TensorProto &part) {
    return createConstant(readTensor(std::make_shared<::onnx::TensorProto>(std::move(part)), what), loc);
  };
  Value places = create(spans), content = create(pool);
  Type type = cast<TensorType>(places.getType()).clone(leaf::onnx::StringType::get(context));
  return leaf::onnx::StringsOp::create(builder, loc, type, places, content);
}

Attribute ModuleBuilder::attributeOf(const AttributeProto &attribute, const std::string &what) {
  switch (attribute.type()) {
  case AttributeProto::INT:
    return builder.getI64IntegerAttr(attribute.i());
  case AttributeProto::FLOAT:
    return builder.getF32FloatAttr(attribute.f());
  case AttributeProto::STRING:
    return builder.getStringAttr(attribute.s());
  case AttributeProto::INTS:
    return builder.getDenseI64ArrayAttr(ArrayRef<int64_t>(attribute.ints().data(), attribute.ints_size()));
  case AttributeProto::FLOATS:
    return builder.getDenseF32ArrayAttr(ArrayRef<float>(attribute.floats().data(), attribute.floats_size()));
  case AttributeProto::STRINGS: {
    SmallVector<Attribute> strings;
    for (const std::string &text : attribute.strings())
      strings.push_back(builder.getStringAttr(text));
    return builder.getArrayAttr(strings);
  }
  case AttributeProto::TENSOR:
    if (attribute.t().data_type() == ::onnx::TensorProto::STRING)
      return stringAttribute(attribute.t(), what);
    return denseAttribute(context, readTensor(std::make_shared<::onnx::TensorProto>(attribute.t()), what));
  case AttributeProto::TYPE_PROTO:
    return TypeAttr::get(typeOf(attribute.tp(), what));
  default:
    throw ImportError(what + " has a kind that is not supported");
  }
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

void ModuleBuilder::importOperands(const NodeProto &node, const OpSchema &schema, OperationState &state,
                                   const std::string &what, const Scope &scope) {
  auto find = [&](int i) -> Value {
    if (i >= node.input_size() || node.input(i).empty())
      return noValue();
    if (Value value = scope.find(node.input(i)))
      return value;
    throw ImportError(what + " uses '" + node.input(i) + "', which nothing before it defines");
  };
  int formal = 0;
  for (const auto &parameter : schema.inputs()) {
    if (parameter.GetOption() != OpSchema::Variadic) {
      state.addOperands(find(formal++));
      continue;
    }
    while (formal < node.input_size())
      state.addOperands(find(formal++));
  }
  if (node.input_size() > formal)
    throw ImportError(what + " has " + std::to_string(node.input_size()) + " inputs, at most " +
                      std::to_string(formal) + " are known");
}

/// The element type of a result whose schema allows just one.
static int32_t onlyElementType(const OpSchema::FormalParameter &result) {
  if (result.GetTypes().size() == 1) {
    const TypeProto &type = ::onnx::Utils::DataTypeUtils::ToTypeProto(*result.GetTypes().begin());
    return type.tensor_type().elem_type();
  }
  return ::onnx::TensorProto::UNDEFINED;
}

void ModuleBuilder::importResults(const NodeProto &node, const OpSchema &schema, OperationState &state,
                                  const std::string &what, const Scope &scope) {
  auto add = [&](const OpSchema::FormalParameter &parameter, int i) {
    if (i >= node.output_size() || node.output(i).empty()) {
      state.addTypes(builder.getNoneType());
      return;
    }
    std::string value = what + ": result '" + node.output(i) + "'";
    auto known = scope.types.find(node.output(i));
    if (known != scope.types.end() && known->second->value_case() != TypeProto::VALUE_NOT_SET &&
        !(known->second->has_tensor_type() && known->second->tensor_type().elem_type() == 0)) {
      state.addTypes(typeOf(*known->second, value));
      return;
    }
    for (auto [operand, formal] : llvm::zip(state.operands, schema.inputs()))
      if (formal.GetTypeStr() == parameter.GetTypeStr() && isa<TensorType>(operand.getType())) {
        state.addTypes(UnrankedTensorType::get(cast<TensorType>(operand.getType()).getElementType()));
        return;
      }
    int32_t only = onlyElementType(parameter);
    Type element =
        only == ::onnx::TensorProto::STRING ? Type(leaf::onnx::StringType::get(context)) : elementType(context, only);
    if (!element)
      throw ImportError(value + " has no type: shape inference failed for this node");
    state.addTypes(UnrankedTensorType::get(element));
  };
  int formal = 0;
  for (const auto &parameter : schema.outputs()) {
    if (parameter.GetOption() != OpSchema::Variadic) {
      add(parameter, formal++);
      continue;
    }
    while (formal < node.output_size())
      add(parameter, formal++);
  }
  if (node.output_size() > formal)
    throw ImportError(what + " has " + std::to_string(node.output_size()) + " outputs, at most " +
                      std::to_string(formal) + " are known");
}

void ModuleBuilder::importAttributes(const NodeProto &node, const OpSchema &schema, OperationState &state,
                                     const std::string &what) {
  for (const AttributeProto &attribute : node.attribute()) {
    std::string name = what + ", attribute '" + attribute.name() + "'";
    auto formal = schema.attributes().find(attribute.name());
    if (formal == schema.attributes().end())
      throw ImportError(name + " is unknown in version " + std::to_string(schema.since_version()));
    if (formal->second.type != attribute.type())
      throw ImportError(name + " has the wrong kind");
    if (node.op_type() == "Cast" && attribute.name() == "to" &&
        (attribute.i() == 0 || !::onnx::TensorProto::DataType_IsValid(static_cast<int>(attribute.i()))))
      throw ImportError(name + " is no element type: " + std::to_string(attribute.i()));
    if (!attribute.has_g())
      state.addAttribute(odsName(attribute.name()), attributeOf(attribute, name));
  }
  for (const auto &[name, formal] : schema.attributes()) {
    bool given = llvm::any_of(node.attribute(), [&](const auto &attribute) { return attribute.name() == name; });
    if (formal.required && !given)
      throw ImportError(what + " lacks attribute '" + name + "'");
  }
}

/// --bound NODE.OUTPUT=N, or OUTPUT=N.
void ModuleBuilder::importBounds(const NodeProto &node, const std::string &name, OperationState &state) {
  if (options.outputBounds.empty())
    return;
  SmallVector<int64_t> bounds(state.types.size(), -1);
  bool any = false;
  for (int i = 0; i < node.output_size() && static_cast<size_t>(i) < bounds.size(); ++i)
    for (const std::string &key : {name + "." + node.output(i), node.output(i)})
      if (auto bound = options.outputBounds.find(key); !node.output(i).empty() && bound != options.outputBounds.end()) {
        bounds[i] = bound->second;
        usedBounds.insert(key);
        any = true;
      }
  if (any)
    state.addAttribute(attrs::kResultBounds, builder.getDenseI64ArrayAttr(bounds));
}

/// GRAPH attributes are regions in alphabetical order.
void ModuleBuilder::importRegions(const NodeProto &node, const OpSchema &schema, Operation *op, const Scope &scope) {
  std::map<std::string, const GraphProto *> graphs;
  for (const AttributeProto &attribute : node.attribute())
    if (attribute.has_g())
      graphs[attribute.name()] = &attribute.g();
  unsigned region = 0;
  for (const auto &[name, graph] : graphs) {
    OpBuilder::InsertionGuard guard(builder);
    Block *block = builder.createBlock(&op->getRegion(region++));
    Scope inner;
    inner.parent = &scope;
    for (const auto &input : graph->input()) {
      std::string what = "input '" + input.name() + "' of the subgraph '" + name + "'";
      inner.values[input.name()] = block->addArgument(typeOf(input.type(), what), locate(input.name()));
    }
    importGraph(*graph, inner);
    SmallVector<Value> results;
    for (const auto &output : graph->output()) {
      Value value = inner.find(output.name());
      if (!value)
        throw ImportError("subgraph '" + name + "' yields '" + output.name() + "', which nothing defines");
      results.push_back(value);
    }
    leaf::onnx::YieldOp::create(builder, op->getLoc(), results);
  }
}

void ModuleBuilder::importNode(const NodeProto &node, int index, Scope &scope) {
  std::string what = describeNode(node, index);
  const OpSchema *schema = findSchema(node);
  if (!schema)
    throw ImportError(what + " is no operator of ai.onnx, ai.onnx.ml or com.microsoft");
  if (importConstantNode(node, what, scope))
    return;
  std::vector<std::string> outputs(node.output().begin(), node.output().end());
  OperationState state(makeNodeLocation(context, nodeName(node, index), outputs),
                       "onnx." + leaf::onnx::getDomainPrefix(node.domain()) + node.op_type());
  importOperands(node, *schema, state, what, scope);
  importResults(node, *schema, state, what, scope);
  importAttributes(node, *schema, state, what);
  importBounds(node, nodeName(node, index), state);
  for (const auto &[name, attribute] : schema->attributes())
    if (attribute.type == AttributeProto::GRAPH)
      (void)state.addRegion();
  Operation *op = builder.create(state);
  importRegions(node, *schema, op, scope);
  for (int i = 0; i < node.output_size(); ++i)
    if (!node.output(i).empty())
      scope.values[node.output(i)] = op->getResult(i);
}

/// All forms of Constant become the one with `value`.
bool ModuleBuilder::importConstantNode(const NodeProto &node, const std::string &what, Scope &scope) {
  if (node.op_type() != "Constant" || node.output_size() != 1 || node.attribute_size() != 1)
    return false;
  const AttributeProto &attribute = node.attribute(0);
  ::onnx::TensorProto tensor;
  if (attribute.name() == "value") {
    tensor = attribute.t();
  } else if (attribute.name() == "value_int" || attribute.name() == "value_ints") {
    tensor.set_data_type(::onnx::TensorProto::INT64);
    *tensor.mutable_int64_data() = attribute.ints();
    if (attribute.name() == "value_int")
      tensor.add_int64_data(attribute.i());
    else
      tensor.add_dims(attribute.ints_size());
  } else if (attribute.name() == "value_float" || attribute.name() == "value_floats") {
    tensor.set_data_type(::onnx::TensorProto::FLOAT);
    *tensor.mutable_float_data() = attribute.floats();
    if (attribute.name() == "value_float")
      tensor.add_float_data(attribute.f());
    else
      tensor.add_dims(attribute.floats_size());
  } else if (attribute.name() == "value_string" || attribute.name() == "value_strings") {
    tensor.set_data_type(::onnx::TensorProto::STRING);
    *tensor.mutable_string_data() = attribute.strings();
    if (attribute.name() == "value_string")
      tensor.add_string_data(attribute.s());
    else
      tensor.add_dims(attribute.strings_size());
  } else {
    throw ImportError(what + " has attribute '" + attribute.name() + "', which is not supported");
  }
  tensor.set_name(node.output(0));
  Location loc = locate(node.name().empty() ? node.output(0) : node.name());
  if (tensor.data_type() == ::onnx::TensorProto::STRING) {
    scope.values[node.output(0)] = createStrings(tensor, what, loc);
    return true;
  }
  TensorData data = readTensor(std::make_shared<::onnx::TensorProto>(std::move(tensor)), what);
  scope.values[node.output(0)] = createConstant(data, loc);
  return true;
}
