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

#include "Bodies/Body.h"
#include "SourceModel.h"
#include "TrainingOps.h"

#include "ONNX/Schemas/Schemas.h"
#include "leafcutter/Transforms/CoreOps.h"
#include "onnx/defs/schema.h"
#include "onnx/inliner/inliner.h"
#include "onnx/shape_inference/implementation.h"

#include <algorithm>
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

/// Types of a graph's values; those of the graphs around it are reached through `outer`.
struct Types {
  const Types *outer = nullptr;
  std::map<std::string, TypeProto> own;

  const TypeProto *find(const std::string &name) const {
    auto type = own.find(name);
    return type != own.end() ? &type->second : outer ? outer->find(name) : nullptr;
  }
};

/// Whether a value of the graph, or of one inside of it, has `text` in its name.
bool isUsed(const GraphProto &graph, const std::string &text) {
  auto holds = [&](const std::string &name) { return name.find(text) != std::string::npos; };
  for (const auto *values : {&graph.input(), &graph.output()})
    for (const auto &value : *values)
      if (holds(value.name()))
        return true;
  for (const auto &tensor : graph.initializer())
    if (holds(tensor.name()))
      return true;
  for (const NodeProto &node : graph.node()) {
    if (std::any_of(node.output().begin(), node.output().end(), holds))
      return true;
    for (const auto &attribute : node.attribute())
      if (attribute.has_g() && isUsed(attribute.g(), text))
        return true;
  }
  return false;
}

class FunctionExpander {
public:
  explicit FunctionExpander(ModelProto &model) : model(model) {
    for (int i = 0; isUsed(model.graph(), prefix); ++i)
      prefix = "leaf" + std::to_string(i) + "_";
    for (llvm::StringRef name : getCoreOpNames())
      lowered.insert(name.str());
    for (const auto &import : model.opset_import())
      opsets[import.domain()] = static_cast<int>(import.version());
  }

  void expandGraph(GraphProto &graph, const Types *outer);

private:
  const OpSchema *findFunction(const NodeProto &node);
  bool inlineBody(const NodeProto &node, const OpSchema &schema, const Types &types, ModelProto &call);
  bool expandNode(NodeProto node, Types &types, std::vector<NodeProto> &body);

  ModelProto &model;
  /// In no name of the model's values, but in those of expanded bodies.
  std::string prefix = "leaf_";
  std::set<std::string> lowered;
  std::map<std::string, int> opsets; ///< by domain
  int expansions = 0;
};

/// The schema of an operator that has a body, libonnx's or ours, and no lowering of its own.
const OpSchema *FunctionExpander::findFunction(const NodeProto &node) {
  bool isTraining = isTrainingOp(node);
  if (!isTraining && lowered.count(leaf::onnx::getDomainPrefix(node.domain()) + node.op_type()))
    return nullptr;
  auto version = opsets.find(node.domain());
  if (version == opsets.end())
    return nullptr;
  const OpSchema *schema = OpSchemaRegistry::Schema(node.op_type(), version->second, node.domain());
  if (!schema || isTraining || BodyTable::find(node.domain(), node.op_type()))
    return schema;
  return schema->HasFunction() || schema->HasContextDependentFunction() ? schema : nullptr;
}

void addDefaults(NodeProto &node, const OpSchema &schema) {
  std::map<std::string, OpSchema::Attribute> attributes(schema.attributes().begin(), schema.attributes().end());
  for (const auto &given : node.attribute())
    attributes.erase(given.name());
  for (const auto &[name, attribute] : attributes)
    if (!attribute.default_value.name().empty())
      *node.add_attribute() = attribute.default_value;
}

/// Replaces the only node of `call` by its body; false when libonnx has none for it.
bool FunctionExpander::inlineBody(const NodeProto &node, const OpSchema &schema, const Types &types, ModelProto &call) {
  GraphProto &graph = *call.mutable_graph();
  if (BodyFn expand = BodyTable::find(node.domain(), node.op_type())) {
    auto typeOf = [&](const std::string &name) { return types.find(name); };
    Body body(node, schema, typeOf, prefix, graph);
    expand(body);
    return true;
  }
  *graph.add_node() = node;
  if (isTrainingOp(node)) {
    const TypeProto *type = types.find(node.input(0));
    bool ranked = type && type->tensor_type().has_shape();
    *call.add_functions() = makeTrainingBody(node, ranked ? type->tensor_type().shape().dim_size() : -1, opsets[""]);
    // The body of BatchNormalization has one for inference.
    for (std::string *name : {call.mutable_functions(0)->mutable_name(), graph.mutable_node(0)->mutable_op_type()})
      *name += "Training";
    ::onnx::inliner::InlineLocalFunctions(call, /*convert_version=*/false);
  } else {
    auto only = ::onnx::inliner::FunctionIdSet::Create({{node.domain(), node.op_type()}});
    ::onnx::inliner::InlineSelectedFunctions(call, *only, OpSchemaRegistry::Instance());
  }
  return graph.node_size() != 1 || graph.node(0).op_type() != node.op_type();
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
    if (const TypeProto *type = types.find(name))
      *value->mutable_type() = *type;
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
  if (!inlineBody(node, *schema, types, call))
    return false;
  // Names in subgraphs of the body get it as a suffix from the renamer.
  std::string unique = prefix + std::to_string(expansions) + "_";
  ::onnx::inliner::Renamer renamer(unique, GraphProto());
  for (const std::string &name : outer)
    renamer.BindName(name, name);
  std::map<std::string, std::string> renamed;
  for (const NodeProto &inner : graph.node())
    for (const std::string &name : inner.output())
      if (!name.empty() && !outer.count(name) && !renamed.count(name)) {
        renamed[name] = unique + name;
        renamer.BindName(name, renamed[name]);
      }
  ::onnx::ShapeInferenceOptions options(/*check_type=*/false, /*strict_mode=*/0, /*data_propagation=*/false);
  ::onnx::shape_inference::InferShapes(call, OpSchemaRegistry::Instance(), options);
  for (const auto &value : graph.value_info())
    if (auto name = renamed.find(value.name()); name != renamed.end())
      types.own[name->second] = value.type();
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

void FunctionExpander::expandGraph(GraphProto &graph, const Types *outer) {
  Types types{outer, {}};
  for (const auto &tensor : graph.initializer()) {
    TypeProto::Tensor &type = *types.own[tensor.name()].mutable_tensor_type();
    type.set_elem_type(tensor.data_type());
    (void)type.mutable_shape();
    for (int64_t dim : tensor.dims())
      type.mutable_shape()->add_dim()->set_dim_value(dim);
  }
  for (const auto *values : {&graph.input(), &graph.output(), &graph.value_info()})
    for (const auto &value : *values)
      types.own[value.name()] = value.type();

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
        expandGraph(*attribute.mutable_g(), &types);
    std::vector<NodeProto> body;
    if (findFunction(node) && ++expansions <= kMaxExpansions && expandNode(node, types, body))
      pending.insert(pending.begin(), body.begin(), body.end());
    else
      *graph.add_node() = std::move(node);
  }
}

} // namespace

void importer::renameCaptures(GraphProto &graph, std::map<std::string, std::string> names) {
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

void importer::expandFunctions(ModelProto &model) {
  FunctionExpander(model).expandGraph(*model.mutable_graph(), nullptr);
}
