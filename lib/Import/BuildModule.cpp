//===- BuildModule.cpp - a checked ONNX graph to MLIR ------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"
#include "SourceModel.h"
#include "Tensors.h"

#include "leafcutter/Support/Identifier.h"
#include "onnx/defs/schema.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Path.h"

#include <set>

using namespace mlir;
using namespace leaf;
using namespace leaf::importer;
using ::onnx::AttributeProto;
using ::onnx::GraphProto;
using ::onnx::NodeProto;
using ::onnx::OpSchema;
using ::onnx::TypeProto;

namespace {

/// Tensors above this size become weights, others dense attributes.
constexpr size_t kConstantBytes = 256;

/// Values and types visible in a graph; a subgraph sees those of the graphs around it.
struct Scope {
  const Scope *parent = nullptr;
  std::map<std::string, Value> values;
  std::map<std::string, const TypeProto *> types;

  Value find(const std::string &name) const {
    auto entry = values.find(name);
    return entry != values.end() ? entry->second : parent ? parent->find(name) : Value();
  }
};

class ModuleBuilder {
public:
  ModuleBuilder(MLIRContext *context, SourceModel &model, const ImportOptions &options)
      : context(context), model(model), options(options), builder(context) {}

  OwningOpRef<ModuleOp> run();

private:
  // Module and function
  func::FuncOp createMain(const GraphProto &graph);
  void finishMain(func::FuncOp main, const GraphProto &graph, const Scope &scope);
  void setAliases(func::FuncOp main, const GraphProto &graph);
  NamedAttribute dimsAttr(ArrayRef<std::string> names);
  SmallVector<NamedAttribute> valueAttrs(const std::string &name, int32_t dataType, ArrayRef<std::string> dims);
  Value createConstant(const TensorData &tensor, Location loc);
  std::string uniqueSymbol(const std::string &name);

  // Graphs and nodes
  void declareTypes(const GraphProto &graph, Scope &scope);
  void importGraph(const GraphProto &graph, Scope &scope);
  void importNode(const NodeProto &node, int index, Scope &scope);
  bool importConstantNode(const NodeProto &node, const std::string &what, Scope &scope);
  void importOperands(const NodeProto &node, const OpSchema &schema, OperationState &state, const std::string &what,
                      const Scope &scope);
  void importResults(const NodeProto &node, const OpSchema &schema, OperationState &state, const std::string &what,
                     const Scope &scope);
  void importAttributes(const NodeProto &node, const OpSchema &schema, OperationState &state, const std::string &what);
  void importRegions(const NodeProto &node, const OpSchema &schema, Operation *op, const Scope &scope);
  Attribute attributeOf(const AttributeProto &attribute, const std::string &what);
  Type typeOf(const TypeProto &type, const std::string &what);
  Value noValue();
  Location locate(const std::string &name) { return NameLoc::get(builder.getStringAttr(name)); }

  MLIRContext *context;
  SourceModel &model;
  const ImportOptions &options;
  OpBuilder builder;
  ModuleOp module;
  Block *entry = nullptr;
  Value none;
  std::set<std::string> symbols = {"main"};
  std::set<std::string> usedNames;
  std::vector<std::string> errors;
};

/// The newest schema of the operator that is not deprecated: the one the onnx dialect has an op for.
const OpSchema *findSchema(const NodeProto &node) {
  std::string domain = node.domain() == "ai.onnx" ? "" : node.domain();
  if (domain != "" && domain != "ai.onnx.ml")
    return nullptr;
  const OpSchema *schema = ::onnx::OpSchemaRegistry::Schema(node.op_type(), domain);
  while (schema && schema->Deprecated() && schema->since_version() > 1)
    schema = ::onnx::OpSchemaRegistry::Schema(node.op_type(), schema->since_version() - 1, domain);
  return schema && !schema->Deprecated() ? schema : nullptr;
}

/// ODS names differ from the schema's where a member of mlir::Op has that name.
std::string odsName(const std::string &name) { return name == "type" ? "type_attr" : name; }

void collectUses(const GraphProto &graph, std::set<std::string> &used) {
  for (const auto &output : graph.output())
    used.insert(output.name());
  for (const NodeProto &node : graph.node()) {
    used.insert(node.input().begin(), node.input().end());
    for (const auto &attribute : node.attribute())
      if (attribute.has_g())
        collectUses(attribute.g(), used);
  }
}

//===----------------------------------------------------------------------===//
// Types and attributes
//===----------------------------------------------------------------------===//

Type ModuleBuilder::typeOf(const TypeProto &type, const std::string &what) {
  if (!type.has_tensor_type())
    throw ImportError(what + " is a sequence, optional, map or sparse tensor, which is not supported");
  int32_t dataType = type.tensor_type().elem_type();
  Type element = elementType(context, dataType);
  if (!element)
    throw ImportError(what + " has element type " + elementName(dataType) + ", which is not supported");
  if (!type.tensor_type().has_shape())
    return UnrankedTensorType::get(element);
  SmallVector<int64_t> shape;
  for (const auto &dim : type.tensor_type().shape().dim())
    shape.push_back(dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value() : ShapedType::kDynamic);
  return RankedTensorType::get(shape, element);
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
    return denseAttribute(context, readTensor(std::make_shared<::onnx::TensorProto>(attribute.t()), what));
  case AttributeProto::TYPE_PROTO:
    return TypeAttr::get(typeOf(attribute.tp(), what));
  default:
    throw ImportError(what + " has a kind that is not supported");
  }
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

std::string ModuleBuilder::uniqueSymbol(const std::string &name) {
  std::string base = makeIdentifier(name), symbol = base;
  for (int i = 1; !symbols.insert(symbol).second; ++i)
    symbol = base + "_" + std::to_string(i);
  return symbol;
}

Value ModuleBuilder::createConstant(const TensorData &tensor, Location loc) {
  if (tensor.bytes.size() <= kConstantBytes)
    return leaf::onnx::ConstantOp::create(builder, loc, denseAttribute(context, tensor));
  std::string symbol = uniqueSymbol(tensor.name);
  auto value = cast<ElementsAttr>(resourceAttribute(context, symbol, tensor));
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(entry->getParentOp());
    WeightOp::create(builder, loc, builder.getStringAttr(symbol), value, builder.getStringAttr(tensor.name));
  }
  return LoadWeightOp::create(builder, loc, value.getShapedType(), symbol);
}

/// One absent operand serves all ops.
Value ModuleBuilder::noValue() {
  if (none)
    return none;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(entry);
  return none = leaf::onnx::NoValueOp::create(builder, UnknownLoc::get(context), builder.getNoneType());
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
  } else {
    throw ImportError(what + " has attribute '" + attribute.name() + "', which is not supported");
  }
  tensor.set_name(node.output(0));
  TensorData data = readTensor(std::make_shared<::onnx::TensorProto>(std::move(tensor)), what);
  scope.values[node.output(0)] = createConstant(data, locate(node.name().empty() ? node.output(0) : node.name()));
  return true;
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
int32_t onlyElementType(const OpSchema::FormalParameter &result) {
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
    Type element = elementType(context, onlyElementType(parameter));
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
    if (!attribute.has_g())
      state.addAttribute(odsName(attribute.name()), attributeOf(attribute, name));
  }
  for (const auto &[name, formal] : schema.attributes()) {
    bool given = llvm::any_of(node.attribute(), [&](const auto &attribute) { return attribute.name() == name; });
    if (formal.required && !given)
      throw ImportError(what + " lacks attribute '" + name + "'");
  }
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
    throw ImportError(what + " is no operator of ai.onnx or ai.onnx.ml");
  if (importConstantNode(node, what, scope))
    return;
  bool ml = node.domain() == "ai.onnx.ml";
  OperationState state(locate(nodeName(node, index)), std::string("onnx.") + (ml ? "ml." : "") + node.op_type());
  importOperands(node, *schema, state, what, scope);
  importResults(node, *schema, state, what, scope);
  importAttributes(node, *schema, state, what);
  for (const auto &[name, attribute] : schema->attributes())
    if (attribute.type == AttributeProto::GRAPH)
      (void)state.addRegion();
  Operation *op = builder.create(state);
  importRegions(node, *schema, op, scope);
  for (int i = 0; i < node.output_size(); ++i)
    if (!node.output(i).empty())
      scope.values[node.output(i)] = op->getResult(i);
}

void ModuleBuilder::declareTypes(const GraphProto &graph, Scope &scope) {
  for (const auto &value : graph.value_info())
    scope.types[value.name()] = &value.type();
  for (const auto &value : graph.output())
    scope.types[value.name()] = &value.type();
}

void ModuleBuilder::importGraph(const GraphProto &graph, Scope &scope) {
  declareTypes(graph, scope);
  for (const ::onnx::TensorProto &initializer : graph.initializer())
    if (usedNames.count(initializer.name())) {
      std::string what = "initializer '" + initializer.name() + "'";
      TensorData data = readTensor(std::make_shared<::onnx::TensorProto>(initializer), what);
      scope.values[initializer.name()] = createConstant(data, locate(initializer.name()));
    }
  for (int i = 0; i < graph.node_size(); ++i) {
    try {
      importNode(graph.node(i), i, scope);
    } catch (const ImportError &error) {
      errors.push_back(error.what());
      if (errors.size() >= 20)
        throw;
      // Later nodes may use these: one error is enough.
      for (const std::string &name : graph.node(i).output())
        scope.values[name] = noValue();
    }
  }
}

//===----------------------------------------------------------------------===//
// Module and entry function
//===----------------------------------------------------------------------===//

NamedAttribute ModuleBuilder::dimsAttr(ArrayRef<std::string> names) {
  SmallVector<Attribute> attributes;
  for (const std::string &name : names)
    attributes.push_back(builder.getStringAttr(name));
  return builder.getNamedAttr(attrs::kDims, builder.getArrayAttr(attributes));
}

SmallVector<NamedAttribute> ModuleBuilder::valueAttrs(const std::string &name, int32_t dataType,
                                                      ArrayRef<std::string> dims) {
  SmallVector<NamedAttribute> attributes = {builder.getNamedAttr(attrs::kName, builder.getStringAttr(name)),
                                            dimsAttr(dims)};
  StringRef element = dataType == ::onnx::TensorProto::BOOL ? StringRef("bool") : StringRef();
  std::string numpy = elementName(dataType);
  if (!element.empty() || StringRef(numpy).starts_with("uint"))
    attributes.push_back(builder.getNamedAttr(attrs::kElementType, builder.getStringAttr(numpy)));
  return attributes;
}

func::FuncOp ModuleBuilder::createMain(const GraphProto &graph) {
  SmallVector<Type> types;
  SmallVector<Attribute> argumentAttrs;
  for (const auto &input : graph.input()) {
    if (model.isWeight(input.name()))
      continue;
    types.push_back(typeOf(input.type(), "input '" + input.name() + "'"));
    std::vector<std::string> dims;
    for (const auto &dim : input.type().tensor_type().shape().dim())
      dims.push_back(dim.dim_param());
    argumentAttrs.push_back(
        builder.getDictionaryAttr(valueAttrs(input.name(), input.type().tensor_type().elem_type(), dims)));
  }
  auto main = func::FuncOp::create(builder, module.getLoc(), "main", builder.getFunctionType(types, {}));
  main.setArgAttrsAttr(builder.getArrayAttr(argumentAttrs));
  return main;
}

void ModuleBuilder::finishMain(func::FuncOp main, const GraphProto &graph, const Scope &scope) {
  SmallVector<Value> results;
  SmallVector<Type> types;
  SmallVector<Attribute> resultAttrs;
  for (auto [output, declared] : llvm::zip(graph.output(), model.outputDims)) {
    Value value = scope.find(output.name());
    if (!value)
      throw ImportError("output '" + output.name() + "' is computed by no node");
    results.push_back(value);
    types.push_back(value.getType());
    std::vector<std::string> dims;
    if (auto type = dyn_cast<RankedTensorType>(value.getType())) {
      dims.assign(declared.begin(), declared.end());
      dims.resize(type.getRank());
      for (int64_t i = 0; i < type.getRank(); ++i)
        if (!type.isDynamicDim(i))
          dims[i].clear();
        else if (dims[i].empty() && i < output.type().tensor_type().shape().dim_size())
          dims[i] = output.type().tensor_type().shape().dim(i).dim_param();
    }
    resultAttrs.push_back(
        builder.getDictionaryAttr(valueAttrs(output.name(), output.type().tensor_type().elem_type(), dims)));
  }
  func::ReturnOp::create(builder, main.getLoc(), results);
  main.setFunctionType(builder.getFunctionType(main.getArgumentTypes(), types));
  main.setResAttrsAttr(builder.getArrayAttr(resultAttrs));
}

void ModuleBuilder::setAliases(func::FuncOp main, const GraphProto &graph) {
  for (const auto &[past, present] : options.aliases) {
    std::string option = "--alias " + past + "=" + present;
    int argument = -1;
    for (unsigned i = 0; i < main.getNumArguments(); ++i)
      if (main.getArgAttrOfType<StringAttr>(i, attrs::kName).getValue() == past)
        argument = i;
    if (argument < 0)
      throw ImportError(option + ": there is no input '" + past + "'");
    int result = -1;
    for (unsigned i = 0; i < main.getNumResults(); ++i)
      if (main.getResultAttrOfType<StringAttr>(i, attrs::kName).getValue() == present)
        result = i;
    if (result < 0)
      throw ImportError(option + ": there is no output '" + present + "'");
    auto from = cast<TensorType>(main.getArgumentTypes()[argument]);
    auto to = cast<TensorType>(main.getResultTypes()[result]);
    if (from.getElementType() != to.getElementType() || (to.hasRank() && from.getRank() != to.getRank()))
      throw ImportError(option + ": element type and rank of the two differ");
    main.setArgAttr(argument, attrs::kAlias, builder.getStringAttr(present));
  }
}

OwningOpRef<ModuleOp> ModuleBuilder::run() {
  context->loadDialect<func::FuncDialect, LeafDialect, leaf::onnx::ONNXDialect>();
  const GraphProto &graph = model.proto.graph();
  OwningOpRef<ModuleOp> owner(ModuleOp::create(NameLoc::get(builder.getStringAttr(model.path))));
  module = *owner;
  std::string name = options.name.empty() ? llvm::sys::path::stem(model.path).str() : options.name;
  module->setAttr(attrs::kModel, builder.getStringAttr(makeIdentifier(name)));
  SmallVector<NamedAttribute> bounds;
  for (const auto &[dim, bound] : options.bounds)
    bounds.push_back(builder.getNamedAttr(dim, builder.getI64IntegerAttr(bound)));
  if (!bounds.empty())
    module->setAttr(attrs::kBounds, builder.getDictionaryAttr(bounds));

  builder.setInsertionPointToEnd(module.getBody());
  func::FuncOp main = createMain(graph);
  entry = main.addEntryBlock();
  builder.setInsertionPointToEnd(entry);
  collectUses(graph, usedNames);
  Scope scope;
  unsigned argument = 0;
  for (const auto &input : graph.input())
    if (!model.isWeight(input.name()))
      scope.values[input.name()] = main.getArgument(argument++);
  for (const TensorData &weight : model.weights)
    if (usedNames.count(weight.name))
      scope.values[weight.name] = createConstant(weight, locate(weight.name));
  importGraph(graph, scope);
  if (!errors.empty()) {
    std::string all;
    for (const std::string &error : errors)
      all += (all.empty() ? "" : "\n") + error;
    throw ImportError(all);
  }
  finishMain(main, graph, scope);
  setAliases(main, graph);
  return owner;
}

} // namespace

OwningOpRef<ModuleOp> importer::buildModule(MLIRContext *context, SourceModel &model, const ImportOptions &options) {
  return ModuleBuilder(context, model, options).run();
}
