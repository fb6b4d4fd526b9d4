//===- ContainerInputs.cpp - sequence and optional inputs as tensors ------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// A node of SequenceConstruct or Optional puts the tensors together again, so that all that follows sees the model's
// own values; normalize takes them apart for good.
//
//===----------------------------------------------------------------------===//

#include "SourceModel.h"

using namespace leaf;
using namespace leaf::importer;
using ::onnx::GraphProto;
using ::onnx::NodeProto;
using ::onnx::TypeProto;
using ::onnx::ValueInfoProto;

namespace {

class InputExpander {
public:
  InputExpander(SourceModel &model, const ImportOptions &options)
      : options(options), graph(*model.proto.mutable_graph()) {}

  void run();

private:
  void expand(const ValueInfoProto &input);
  void expandSequence(const std::string &name, const TypeProto &element, int64_t length, const std::string &result);
  void expandOptional(const ValueInfoProto &input);
  void addTensor(const std::string &name, const TypeProto &type);
  NodeProto &addNode(const char *op, const std::string &result);
  int64_t countGiven(const std::string &name) const;
  int64_t getLength(const std::string &name, bool isSequence, bool isOptional);
  std::string rename(const std::string &name);

  const ImportOptions &options;
  GraphProto &graph;
  std::vector<NodeProto> nodes;
  std::vector<ValueInfoProto> inputs;
  std::set<std::string> expanded;
};

} // namespace

static std::string elementOf(const std::string &name, int64_t i) { return name + "[" + std::to_string(i) + "]"; }

/// Arrays NAME[0], NAME[1], ... that are given.
int64_t InputExpander::countGiven(const std::string &name) const {
  int64_t count = 0;
  while (options.inputShapes.count(elementOf(name, count)))
    ++count;
  return count;
}

int64_t InputExpander::getLength(const std::string &name, bool isSequence, bool isOptional) {
  if (auto given = options.lengths.find(name); given != options.lengths.end()) {
    if (given->second > 1 && !isSequence)
      throw ImportError("--length " + name + "=" + std::to_string(given->second) +
                        ": an optional tensor is there (1) or not (0)");
    return given->second;
  }
  if (options.lengthsFromShapes)
    return isSequence ? countGiven(name) : static_cast<int64_t>(options.inputShapes.count(name));
  throw ImportError("input '" + name + "' is " +
                    (isSequence ? "a sequence: give its number of elements with --length " + name + "=N"
                                : "optional: say with --length " + name + "=1 that it is given, with =0 that not") +
                    (isSequence && isOptional ? " (0: there is none)" : ""));
}

void InputExpander::addTensor(const std::string &name, const TypeProto &type) {
  if (!type.has_tensor_type())
    throw ImportError("input '" + name + "' is a sequence of something else than tensors, which is not supported");
  ValueInfoProto input;
  input.set_name(name);
  *input.mutable_type() = type;
  // Each element has sizes of its own: names that they would share are dropped.
  if (type.tensor_type().has_shape())
    for (auto &dim : *input.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim())
      if (dim.has_dim_param())
        dim.clear_dim_param();
  inputs.push_back(std::move(input));
}

NodeProto &InputExpander::addNode(const char *op, const std::string &result) {
  NodeProto &node = nodes.emplace_back();
  node.set_name(result);
  node.set_op_type(op);
  node.add_output(result);
  return node;
}

void InputExpander::expandSequence(const std::string &name, const TypeProto &element, int64_t length,
                                   const std::string &result) {
  NodeProto &node = addNode(length ? "SequenceConstruct" : "SequenceEmpty", result);
  for (int64_t i = 0; i < length; ++i) {
    node.add_input(elementOf(name, i));
    addTensor(elementOf(name, i), element);
  }
  if (length)
    return;
  ::onnx::AttributeProto &type = *node.add_attribute();
  type.set_name("dtype");
  type.set_type(::onnx::AttributeProto::INT);
  type.set_i(element.tensor_type().elem_type());
}

/// Gives the value `name` another name wherever it is used, so that an input can have its own.
std::string InputExpander::rename(const std::string &name) {
  std::string other = name + ".optional";
  renameCaptures(graph, {{name, other}});
  return other;
}

void InputExpander::expandOptional(const ValueInfoProto &input) {
  const TypeProto &content = input.type().optional_type().elem_type();
  const std::string &name = input.name();
  bool isSequence = content.has_sequence_type();
  int64_t length = getLength(name, isSequence, /*isOptional=*/true);
  std::string value;
  if (length && isSequence)
    expandSequence(name, content.sequence_type().elem_type(), length, value = name + ".sequence");
  else if (length)
    addTensor(value = name, content);
  NodeProto &node = addNode("Optional", length && !isSequence ? rename(name) : name);
  if (length) {
    node.add_input(value);
    return;
  }
  ::onnx::AttributeProto &type = *node.add_attribute();
  type.set_name("type");
  type.set_type(::onnx::AttributeProto::TYPE_PROTO);
  *type.mutable_tp() = content;
}

void InputExpander::expand(const ValueInfoProto &input) {
  if (input.type().has_sequence_type()) {
    int64_t length = getLength(input.name(), /*isSequence=*/true, /*isOptional=*/false);
    expandSequence(input.name(), input.type().sequence_type().elem_type(), length, input.name());
  } else if (input.type().has_optional_type()) {
    expandOptional(input);
  } else {
    inputs.push_back(input);
    return;
  }
  expanded.insert(input.name());
}

void InputExpander::run() {
  std::vector<ValueInfoProto> declared(graph.input().begin(), graph.input().end());
  graph.clear_input();
  for (const ValueInfoProto &input : declared)
    expand(input);
  for (const auto &[name, length] : options.lengths)
    if (!expanded.count(name))
      throw ImportError("--length " + name + "=" + std::to_string(length) +
                        ": no input of that name is a sequence or optional");
  nodes.insert(nodes.end(), graph.node().begin(), graph.node().end());
  graph.mutable_node()->Assign(nodes.begin(), nodes.end());
  graph.mutable_input()->Assign(inputs.begin(), inputs.end());
}

void importer::expandContainerInputs(SourceModel &model, const ImportOptions &options) {
  InputExpander(model, options).run();
}

void importer::addStringPools(SourceModel &model) {
  GraphProto &graph = *model.proto.mutable_graph();
  for (int i = 0, e = graph.input_size(); i < e; ++i) {
    std::string name = graph.input(i).name() + kBytesSuffix;
    if (graph.input(i).type().tensor_type().elem_type() != ::onnx::TensorProto::STRING)
      continue;
    ValueInfoProto &pool = *graph.add_input();
    pool.set_name(name);
    pool.mutable_type()->mutable_tensor_type()->set_elem_type(::onnx::TensorProto::UINT8);
    pool.mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_param(name);
  }
}
