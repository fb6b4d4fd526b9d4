//===- BuildModule.cpp - module, entry function and constants ----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ModuleBuilder.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"
#include "leafcutter/Support/Identifier.h"

#include "llvm/Support/Path.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::importer;
using ::onnx::GraphProto;
using ::onnx::NodeProto;

static void collectUses(const GraphProto &graph, std::set<std::string> &used) {
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
// Constants
//===----------------------------------------------------------------------===//

std::string ModuleBuilder::uniqueSymbol(const std::string &name) {
  std::string base = makeIdentifier(name), symbol = base;
  // The count goes on where it stood: many names may give one identifier.
  for (unsigned &i = suffixes[base]; !symbols.insert(symbol).second;)
    symbol = base + "_" + std::to_string(++i);
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
      if (initializer.data_type() == ::onnx::TensorProto::STRING) {
        scope.values[initializer.name()] = createStrings(initializer, what, locate(initializer.name()));
        continue;
      }
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
  StringRef element = dataType == ::onnx::TensorProto::BOOL     ? StringRef("bool")
                      : dataType == ::onnx::TensorProto::STRING ? StringRef("string")
                                                                : StringRef();
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
    // Strings come as their places; their bytes are an input of their own.
    if (auto strings = dyn_cast<TensorType>(types.back());
        strings && isa<leaf::onnx::StringType>(strings.getElementType()))
      types.back() = strings.clone(builder.getI64Type());
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

/// Puts the places and bytes of each input of strings together.
void ModuleBuilder::joinStringInputs(Scope &scope, const GraphProto &graph) {
  for (const auto &input : graph.input()) {
    if (input.type().tensor_type().elem_type() != ::onnx::TensorProto::STRING)
      continue;
    Value &places = scope.values[input.name()];
    Type type = cast<TensorType>(places.getType()).clone(leaf::onnx::StringType::get(context));
    places = leaf::onnx::StringsOp::create(builder, locate(input.name()), type, places,
                                           scope.values[input.name() + kBytesSuffix]);
  }
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
    auto to = dyn_cast<TensorType>(main.getResultTypes()[result]);
    if (!to || from.getElementType() != to.getElementType() || (to.hasRank() && from.getRank() != to.getRank()))
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
  module->setAttr(attrs::kModel, builder.getStringAttr(makeModelName(name)));
  if (model.opset > 0)
    module->setAttr(kOpsetAttr, builder.getI64IntegerAttr(model.opset));
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
  joinStringInputs(scope, graph);
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
  for (const auto &[key, bound] : options.outputBounds)
    if (!usedBounds.count(key))
      throw ImportError("--bound " + key + "=" + std::to_string(bound) +
                        ": there is no such output of a node; give the names of both as NODE.OUTPUT");
  finishMain(main, graph, scope);
  setAliases(main, graph);
  return owner;
}

OwningOpRef<ModuleOp> importer::buildModule(MLIRContext *context, SourceModel &model, const ImportOptions &options) {
  return ModuleBuilder(context, model, options).run();
}
