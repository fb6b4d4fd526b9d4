//===- GraphWriter.cpp - onnx ops to a GraphProto -----------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "GraphWriter.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"
#include "leafcutter/Transforms/Onnx.h"
#include "leafcutter/Transforms/OnnxProto.h"
#include "onnx/defs/schema.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::exporter;
using ::onnx::GraphProto;
using ::onnx::NodeProto;
using ::onnx::OpSchema;

static const OpSchema &schemaOf(Operation *op) {
  auto [domain, name] = leaf::onnx::getOperatorName(op);
  const OpSchema *schema = ::onnx::OpSchemaRegistry::Schema(name.str(), domain.str());
  while (schema && schema->Deprecated() && schema->since_version() > 1)
    schema = ::onnx::OpSchemaRegistry::Schema(name.str(), schema->since_version() - 1, domain.str());
  if (!schema)
    throw ExportError("node '" + nodeName(op) + "' (" + op->getName().getStringRef().str() +
                      ") is no operator of ONNX");
  return *schema;
}

void exporter::fillValueInfo(::onnx::ValueInfoProto &info, const std::string &name, Type type, ArrayAttr dims) {
  info.set_name(name);
  auto tensor = dyn_cast<TensorType>(type);
  int32_t element = tensor ? onnxElementType(tensor.getElementType()) : 0;
  if (element == 0)
    throw ExportError("'" + name + "' has a type that ONNX has no word for");
  auto &proto = *info.mutable_type()->mutable_tensor_type();
  proto.set_elem_type(element);
  if (!tensor.hasRank())
    return;
  proto.mutable_shape();
  for (auto [d, size] : llvm::enumerate(tensor.getShape())) {
    auto &dim = *proto.mutable_shape()->add_dim();
    if (!ShapedType::isDynamic(size))
      dim.set_dim_value(size);
    else if (dims && d < dims.size() && isa<StringAttr>(dims[d]))
      dim.set_dim_param(cast<StringAttr>(dims[d]).str());
  }
}

std::string GraphWriter::unique(std::set<std::string> &taken, const std::string &wanted) {
  std::string name = wanted;
  for (unsigned &i = suffixes[wanted]; !taken.insert(name).second;)
    name = wanted + "_" + std::to_string(++i);
  return name;
}

std::string GraphWriter::addConstant(Value value) {
  Operation *op = value.getDefiningOp();
  std::optional<HostTensor> tensor = getHostConstant(value);
  if (!tensor)
    throw ExportError("constant '" + nodeName(op) + "' has no data (a dump without its .weights file?)");
  std::string wanted = nodeName(op);
  if (auto load = dyn_cast<LoadWeightOp>(op)) {
    auto known = weightNames.find(load.getWeight().str());
    if (known != weightNames.end())
      return known->second;
    WeightOp weight = load.resolve();
    wanted = weight.getOnnxName() ? weight.getOnnxName()->str() : weight.getSymName().str();
  }
  std::string name = unique(valueNames, wanted);
  if (auto load = dyn_cast<LoadWeightOp>(op))
    weightNames[load.getWeight().str()] = name;
  initializers.push_back({name, *tensor});
  return name;
}

std::string GraphWriter::nameOf(Value value) {
  if (isNoValue(value) || isa<NoneType>(value.getType()))
    return "";
  auto known = names.find(value);
  if (known != names.end())
    return known->second;
  if (!isConstantValue(value))
    throw ExportError("a value is used before it is computed");
  std::string name = addConstant(value);
  names[value] = name;
  return name;
}

void GraphWriter::addIdentity(GraphProto &graph, const std::string &from, const std::string &to) {
  NodeProto &node = *graph.add_node();
  node.set_op_type("Identity");
  node.set_name(unique(nodeNames, to + "_identity"));
  node.add_input(from);
  node.add_output(to);
}

void GraphWriter::writeRegion(GraphProto &body, Region &region, const std::string &hint) {
  Block &block = region.front();
  body.set_name(hint);
  for (BlockArgument argument : block.getArguments()) {
    std::string name = unique(valueNames, nodeName(region.getParentOp()) + "_" + hint + "_in");
    names[argument] = name;
    fillValueInfo(*body.add_input(), name, argument.getType(), {});
  }
  writeBlock(body, block);
  // A graph may only give what its own nodes compute, each once.
  for (Value value : block.getTerminator()->getOperands()) {
    std::string name = unique(valueNames, nodeName(region.getParentOp()) + "_" + hint + "_out");
    addIdentity(body, nameOf(value), name);
    fillValueInfo(*body.add_output(), name, value.getType(), {});
  }
}

void GraphWriter::writeAttributes(NodeProto &node, Operation *op) {
  std::map<std::string, bool> formal; // sorted: regions are in that order
  for (const auto &[name, attribute] : schemaOf(op).attributes())
    formal[name] = attribute.type == ::onnx::AttributeProto::GRAPH;
  unsigned region = 0;
  for (const auto &[name, isGraph] : formal) {
    if (isGraph && region < op->getNumRegions()) {
      ::onnx::AttributeProto &attribute = *node.add_attribute();
      attribute.set_name(name);
      attribute.set_type(::onnx::AttributeProto::GRAPH);
      writeRegion(*attribute.mutable_g(), op->getRegion(region++), name);
      continue;
    }
    Attribute attr = op->getAttr(name);
    attr = attr ? attr : op->getAttr(name + "_attr");
    if (attr && !fillAttributeProto(*node.add_attribute(), name, attr))
      throw ExportError("attribute '" + name + "' of node '" + nodeName(op) + "' cannot be written");
  }
}

void GraphWriter::writeNode(GraphProto &graph, Operation *op) {
  if (!isOnnx(op))
    throw ExportError("op '" + op->getName().getStringRef().str() + "' is no ONNX operator: export a module of the " +
                      "stages import to compress");
  if (op->hasAttr(leaf::onnx::kChannelsLast))
    throw ExportError("node '" + nodeName(op) + "' is channels last, which ONNX has no word for");
  auto [domain, name] = leaf::onnx::getOperatorName(op);
  int64_t &version = domains[domain.str()];
  version = std::max<int64_t>(version, schemaOf(op).since_version());
  NodeProto node;
  node.set_op_type(name.str());
  node.set_domain(domain.str());
  node.set_name(unique(nodeNames, nodeName(op)));
  for (Value operand : op->getOperands())
    node.add_input(nameOf(operand));
  writeAttributes(node, op);
  for (OpResult result : op->getResults()) {
    if (isa<NoneType>(result.getType())) {
      node.add_output("");
      continue;
    }
    auto named = names.find(result);
    if (named == names.end()) {
      std::string suffix = op->getNumResults() == 1 ? "_output" : "_output_" + std::to_string(result.getResultNumber());
      named = names.try_emplace(result, unique(valueNames, node.name() + suffix)).first;
    }
    node.add_output(named->second);
  }
  auto dropAbsent = [](auto &list) {
    while (!list.empty() && list[list.size() - 1].empty())
      list.RemoveLast();
  };
  dropAbsent(*node.mutable_input());
  dropAbsent(*node.mutable_output());
  graph.add_node()->Swap(&node);
}

void GraphWriter::writeBlock(GraphProto &graph, Block &block) {
  for (Operation &op : block.without_terminator())
    if (!isConstantValue(op.getNumResults() ? op.getResult(0) : Value()) && !isOnnx(&op, "NoValue"))
      writeNode(graph, &op);
}

/// Inputs and outputs have their names before anything else may take them.
void GraphWriter::nameInterface(func::FuncOp main) {
  for (BlockArgument argument : main.getArguments()) {
    auto name = main.getArgAttrOfType<StringAttr>(argument.getArgNumber(), attrs::kName);
    names[argument] = unique(valueNames, name ? name.str() : "input_" + std::to_string(argument.getArgNumber()));
  }
  for (OpOperand &output : main.front().getTerminator()->getOpOperands()) {
    auto name = main.getResultAttrOfType<StringAttr>(output.getOperandNumber(), attrs::kName);
    std::string text = name ? name.str() : "output_" + std::to_string(output.getOperandNumber());
    valueNames.insert(text);
    Operation *producer = output.get().getDefiningOp();
    if (producer && !isConstantValue(output.get()))
      names.try_emplace(output.get(), text);
  }
}

void GraphWriter::addInput(GraphProto &graph, func::FuncOp main, unsigned index) {
  fillValueInfo(*graph.add_input(), names[main.getArgument(index)], main.getArgumentTypes()[index],
                main.getArgAttrOfType<ArrayAttr>(index, attrs::kDims));
}

void GraphWriter::addOutputs(GraphProto &graph, func::FuncOp main) {
  for (OpOperand &output : main.front().getTerminator()->getOpOperands()) {
    unsigned index = output.getOperandNumber();
    auto attr = main.getResultAttrOfType<StringAttr>(index, attrs::kName);
    std::string name = attr ? attr.str() : "output_" + std::to_string(index);
    // The same value, an input or a constant may leave the model under several names.
    if (std::string from = nameOf(output.get()); from != name)
      addIdentity(graph, from, name);
    fillValueInfo(*graph.add_output(), name, main.getResultTypes()[index],
                  main.getResultAttrOfType<ArrayAttr>(index, attrs::kDims));
  }
}

void GraphWriter::write(GraphProto &graph) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal())
    throw ExportError("the module has no entry function");
  auto model = module->getAttrOfType<StringAttr>(attrs::kModel);
  graph.set_name(model ? model.str() : "model");
  nameInterface(main);
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    addInput(graph, main, i);
  writeBlock(graph, main.front());
  addOutputs(graph, main);
}
