//===- BatchedScan.cpp - Scan as opset 8 had it ---------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// In opset 8 a Scan takes batches: the first dimension of each operand counts sequences, the second is scanned. Today's
// operator does the same in two: a Scan over the batch, with no state, whose body is the Scan over one sequence.
// libonnx's converter instead takes the dimension away where it is 1, from the model's inputs too, and fails on others:
// the nodes are hidden from it, in a domain of their own, until the model is of opset 9.
//
//===----------------------------------------------------------------------===//

#include "SourceModel.h"

using namespace leaf;
using namespace leaf::importer;
using ::onnx::AttributeProto;
using ::onnx::GraphProto;
using ::onnx::ModelProto;
using ::onnx::NodeProto;

static AttributeProto &addAttribute(NodeProto &node, const char *name, AttributeProto::AttributeType type) {
  AttributeProto &attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

static const AttributeProto *findAttribute(const NodeProto &node, const char *name) {
  for (const AttributeProto &attribute : node.attribute())
    if (attribute.name() == name)
      return &attribute;
  return nullptr;
}

/// A value of the outer body: the element type is that of the inner one's, the shape follows.
static void declare(::onnx::ValueInfoProto &value, const std::string &name, const ::onnx::ValueInfoProto &like) {
  value.set_name(name);
  value.mutable_type()->mutable_tensor_type()->set_elem_type(like.type().tensor_type().elem_type());
}

static NodeProto wrap(const NodeProto &node, int index) {
  const AttributeProto *body = findAttribute(node, "body"), *scanned = findAttribute(node, "num_scan_inputs"),
                       *directions = findAttribute(node, "directions");
  // The converter may have dropped the name of absent lengths.
  int first = body && body->g().input_size() == node.input_size() ? 0 : 1;
  int operands = node.input_size() - first;
  if (!body || !scanned || operands < 1 || body->g().input_size() != operands ||
      body->g().output_size() < node.output_size())
    throw ImportError(describeNode(node, index) + " does not fit its body");
  if (first == 1 && !node.input(0).empty())
    throw ImportError(describeNode(node, index) +
                      " has sequences of different lengths (sequence_lens of opset 8), which is not supported");
  NodeProto outer, inner;
  for (NodeProto *scan : {&outer, &inner}) {
    scan->set_op_type("Scan");
    scan->set_name(nodeName(node, index));
  }
  addAttribute(outer, "num_scan_inputs", AttributeProto::INT).set_i(operands);
  GraphProto &graph = *addAttribute(outer, "body", AttributeProto::GRAPH).mutable_g();
  graph.set_name("batch");
  std::string prefix = nodeName(node, index) + ".";
  for (int i = 0; i < operands; ++i) {
    outer.add_input(node.input(first + i));
    inner.add_input(prefix + "in" + std::to_string(i));
    declare(*graph.add_input(), inner.input(i), body->g().input(i));
  }
  for (int i = 0; i < node.output_size(); ++i) {
    outer.add_output(node.output(i));
    inner.add_output(prefix + "out" + std::to_string(i));
    declare(*graph.add_output(), inner.output(i), body->g().output(i));
  }
  *inner.add_attribute() = *body;
  *inner.add_attribute() = *scanned;
  if (directions) {
    AttributeProto &attribute = *inner.add_attribute();
    attribute = *directions;
    attribute.set_name("scan_input_directions");
  }
  *graph.add_node() = inner;
  return outer;
}

static constexpr const char *kHiddenDomain = "leafcutter.scan";

static bool wrapAll(GraphProto &graph) {
  bool any = false;
  for (int i = 0; i < graph.node_size(); ++i) {
    NodeProto &node = *graph.mutable_node(i);
    for (AttributeProto &attribute : *node.mutable_attribute())
      if (attribute.has_g())
        any |= wrapAll(*attribute.mutable_g());
    if (node.op_type() == "Scan" && node.domain().empty()) {
      node = wrap(node, i);
      node.set_domain(kHiddenDomain);
      any = true;
    }
  }
  return any;
}

static void showAll(GraphProto &graph) {
  for (NodeProto &node : *graph.mutable_node()) {
    if (node.domain() == kHiddenDomain)
      node.clear_domain();
    for (AttributeProto &attribute : *node.mutable_attribute())
      if (attribute.has_g())
        showAll(*attribute.mutable_g());
  }
}

bool importer::wrapBatchedScans(ModelProto &model) {
  if (!wrapAll(*model.mutable_graph()))
    return false;
  auto &import = *model.add_opset_import();
  import.set_domain(kHiddenDomain);
  import.set_version(1);
  return true;
}

void importer::showBatchedScans(ModelProto &model) {
  showAll(*model.mutable_graph());
  auto &imports = *model.mutable_opset_import();
  imports.erase(std::remove_if(imports.begin(), imports.end(),
                               [](const auto &import) { return import.domain() == kHiddenDomain; }),
                imports.end());
}
