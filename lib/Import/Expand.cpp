//===- Expand.cpp - schema functions become their bodies ---------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// libonnx expands whole models, only in the main graph, without schema defaults, and its new nodes have no names. So
// each call is expanded by itself in a small model: subgraphs work, and every node of a body carries the name of the
// node the user knows.
//
//===----------------------------------------------------------------------===//

#include "SourceModel.h"

#include "leafcutter/Transforms/CoreOps.h"
#include "onnx/defs/schema.h"
#include "onnx/inliner/inliner.h"
#include "onnx/shape_inference/implementation.h"

#include <deque>
#include <set>

using namespace leaf;
using namespace leaf::importer;
using ::onnx::GraphProto;
using ::onnx::ModelProto;
using ::onnx::NodeProto;
using ::onnx::OpSchema;
using ::onnx::OpSchemaRegistry;
using ::onnx::TypeProto;

namespace {

/// A body that leads back to itself would never end.
constexpr int kMaxExpansions = 100000;

using Types = std::map<std::string, TypeProto>;

class FunctionExpander {
public:
  explicit FunctionExpander(ModelProto &model) : model(model) {
    for (llvm::StringRef name : getCoreOpNames())
      lowered.insert(name.str());
    for (const auto &import : model.opset_import())
      if (import.domain().empty())
        opset = static_cast<int>(import.version());
  }

  void expandGraph(GraphProto &graph, Types types);

private:
  const OpSchema *findFunction(const NodeProto &node);
  bool expandNode(NodeProto node, Types &types, std::vector<NodeProto> &body);

  ModelProto &model;
  std::set<std::string> lowered;
  int opset = 1;
  int expansions = 0;
};

/// The schema of an operator that is a function and has no lowering of its own.
const OpSchema *FunctionExpander::findFunction(const NodeProto &node) {
  if (!node.domain().empty() || lowered.count(node.op_type()))
    return nullptr;
  const OpSchema *schema = OpSchemaRegistry::Schema(node.op_type(), opset, node.domain());
  return schema && (schema->HasFunction() || schema->HasContextDependentFunction()) ? schema : nullptr;
}

void addDefaults(NodeProto &node, const OpSchema &schema) {
  std::map<std::string, OpSchema::Attribute> attributes(schema.attributes().begin(), schema.attributes().end());
  for (const auto &given : node.attribute())
    attributes.erase(given.name());
  for (const auto &[name, attribute] : attributes)
    if (!attribute.default_value.name().empty())
      *node.add_attribute() = attribute.default_value;
}

/// Gives values of the enclosing graph their new names in a subgraph, which libonnx's renamer does not enter.
void renameCaptures(GraphProto &graph, std::map<std::string, std::string> names) {
  for (const auto &input : graph.input())
    names.erase(input.name());
  for (const auto &tensor : graph.initializer())
    names.erase(tensor.name());
  auto rename = [&](std::string &name) {
    if (auto found = names.find(name); found != names.end())
      name = found->second;
  };
  for (NodeProto &node : *graph.mutable_node()) {
    for (std::string &name : *node.mutable_input())
      rename(name);
    for (auto &attribute : *node.mutable_attribute())
      if (attribute.has_g())
        renameCaptures(*attribute.mutable_g(), names);
    for (const std::string &name : node.output())
      names.erase(name);
  }
  for (auto &output : *graph.mutable_output())
    rename(*output.mutable_name());
}

/// Expands one call into `body` and adds the types of its inner values; false when libonnx has no body for it.
bool FunctionExpander::expandNode(NodeProto node, Types &types, std::vector<NodeProto> &body) {
  const OpSchema *schema = findFunction(node);
  addDefaults(node, *schema);
  ModelProto call;
  call.set_ir_version(model.ir_version());
  *call.mutable_opset_import() = model.opset_import();
  GraphProto &graph = *call.mutable_graph();
  graph.set_name("call");
  std::set<std::string> outer;
  auto declare = [&](::onnx::ValueInfoProto *value, const std::string &name) {
    value->set_name(name);
    if (auto type = types.find(name); type != types.end())
      *value->mutable_type() = type->second;
  };
  for (const std::string &name : node.input())
    if (!name.empty() && outer.insert(name).second)
      declare(graph.add_input(), name);
  for (const std::string &name : node.output())
    if (!name.empty() && outer.insert(name).second)
      declare(graph.add_output(), name);
  // The inliner looks up the type of an absent input too, where it converts a body's version.
  if (llvm::is_contained(node.input(), std::string())) {
    auto &absent = *graph.add_value_info();
    absent.set_name("");
    absent.mutable_type()->mutable_tensor_type()->set_elem_type(::onnx::TensorProto::FLOAT);
  }
  *graph.add_node() = node;
  auto only = ::onnx::inliner::FunctionIdSet::Create({{node.domain(), node.op_type()}});
  ::onnx::inliner::InlineSelectedFunctions(call, *only, OpSchemaRegistry::Instance());
  if (graph.node_size() == 1 && graph.node(0).op_type() == node.op_type())
    return false;

  ::onnx::inliner::Renamer renamer(node.op_type(), model.graph());
  for (const std::string &name : outer)
    renamer.BindName(name, name);
  std::map<std::string, std::string> renamed;
  for (const NodeProto &inner : graph.node())
    for (const std::string &name : inner.output())
      if (!name.empty() && !outer.count(name) && !renamed.count(name)) {
        // The renamer knows the main graph's names; the count keeps the bodies apart.
        std::string unique = name + "_" + std::to_string(expansions);
        while (types.count(unique))
          unique += "_";
        renamer.BindName(name, unique);
        renamed[name] = unique;
      }
  ::onnx::ShapeInferenceOptions options(/*check_type=*/false, /*strict_mode=*/0, /*data_propagation=*/true);
  ::onnx::shape_inference::InferShapes(call, OpSchemaRegistry::Instance(), options);
  for (const auto &value : graph.value_info())
    if (auto name = renamed.find(value.name()); name != renamed.end())
      types[name->second] = value.type();
  for (NodeProto &inner : *graph.mutable_node()) {
    renamer.RenameNode(inner);
    for (auto &attribute : *inner.mutable_attribute())
      if (attribute.has_g())
        renameCaptures(*attribute.mutable_g(), renamed);
    inner.set_name(node.name());
    body.push_back(inner);
  }
  return true;
}

void FunctionExpander::expandGraph(GraphProto &graph, Types types) {
  for (const auto &tensor : graph.initializer()) {
    TypeProto::Tensor &type = *types[tensor.name()].mutable_tensor_type();
    type.set_elem_type(tensor.data_type());
    (void)type.mutable_shape();
    for (int64_t dim : tensor.dims())
      type.mutable_shape()->add_dim()->set_dim_value(dim);
  }
  for (const auto *values : {&graph.input(), &graph.output(), &graph.value_info()})
    for (const auto &value : *values)
      types[value.name()] = value.type();

  std::deque<NodeProto> pending(graph.node().begin(), graph.node().end());
  for (int i = 0; i < graph.node_size(); ++i)
    if (findFunction(graph.node(i)))
      pending[i].set_name(nodeName(graph.node(i), i));
  graph.clear_node();
  while (!pending.empty()) {
    NodeProto node = std::move(pending.front());
    pending.pop_front();
    for (auto &attribute : *node.mutable_attribute())
      if (attribute.has_g())
        expandGraph(*attribute.mutable_g(), types);
    std::vector<NodeProto> body;
    if (findFunction(node) && ++expansions <= kMaxExpansions && expandNode(node, types, body))
      pending.insert(pending.begin(), body.begin(), body.end());
    else
      *graph.add_node() = std::move(node);
  }
}

} // namespace

void importer::expandFunctions(ModelProto &model) { FunctionExpander(model).expandGraph(*model.mutable_graph(), {}); }
