//===- Gradient.cpp - derivatives as ordinary operators ----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Gradient (ai.onnx.preview.training) names a value y of the graph and values xs, zs that it depends on, and takes
// other tensors in their place. It becomes the part of the graph between them, once more, and reverse-mode
// differentiation of that part: the derivative of each value is the sum over its uses of what the use's rule says.
//
//===----------------------------------------------------------------------===//

#include "TrainingOps.h"

#include "onnx/defs/attr_proto_util.h"

#include <set>

using namespace leaf;
using namespace leaf::importer;
using ::onnx::GraphProto;
using ::onnx::MakeAttribute;
using ::onnx::ModelProto;
using ::onnx::NodeProto;
using ::onnx::TensorProto;
using ::onnx::TypeProto;

namespace {

using Names = std::vector<std::string>;

/// The nodes in place of one Gradient.
class GradientBuilder {
public:
  GradientBuilder(const NodeProto &node, const GraphProto &graph, const std::map<std::string, TypeProto> &types)
      : node(node), graph(graph), types(types), prefix(node.output(0) + "/gradient_") {}

  std::vector<NodeProto> build();

private:
  [[noreturn]] void fail(const std::string &why) const {
    throw ImportError("node '" + (node.name().empty() ? node.output(0) : node.name()) + "' (Gradient) " + why);
  }
  const ::onnx::AttributeProto *find(const std::string &name) const {
    for (const auto &attribute : node.attribute())
      if (attribute.name() == name)
        return &attribute;
    return nullptr;
  }

  std::vector<const NodeProto *> collect(const std::string &y) const;
  void copy(const NodeProto &original);
  void differentiate(const NodeProto &original);
  void addTo(const std::string &original, std::string derivative, const std::string &like);

  std::string op(const char *type, Names inputs, std::vector<::onnx::AttributeProto> attributes = {}) {
    NodeProto &made = nodes.emplace_back();
    made.set_op_type(type);
    made.set_name(node.name());
    for (std::string &input : inputs)
      made.add_input(std::move(input));
    for (auto &attribute : attributes)
      *made.add_attribute() = std::move(attribute);
    made.add_output(prefix + std::to_string(created++));
    return made.output(0);
  }
  std::string number(float value, const std::string &like) {
    TensorProto tensor;
    tensor.set_data_type(TensorProto::FLOAT);
    tensor.add_float_data(value);
    return op("CastLike", {op("Constant", {}, {MakeAttribute("value", tensor)}), like});
  }
  const TypeProto::Tensor &typeOf(const std::string &name) const {
    auto type = types.find(name);
    if (type == types.end() || !type->second.tensor_type().has_shape())
      fail("goes through '" + name + "', whose shape is not known");
    return type->second.tensor_type();
  }
  std::string reduceTo(const std::string &derivative, const std::string &from, const std::string &to);
  const std::string &moved(const std::string &name) const {
    auto found = names.find(name);
    return found == names.end() ? name : found->second;
  }

  const NodeProto &node;
  const GraphProto &graph;
  const std::map<std::string, TypeProto> &types;
  std::string prefix;
  int created = 0;
  std::map<std::string, std::string> names;       ///< what a value of the graph is in the copy
  std::map<std::string, std::string> derivatives; ///< of y by a value of the graph
  std::vector<NodeProto> nodes;
};

} // namespace

/// Nodes between the given values and y, in the graph's order.
std::vector<const NodeProto *> GradientBuilder::collect(const std::string &y) const {
  std::set<std::string> needed = {y}, dependent;
  for (const auto &[name, copy] : names)
    dependent.insert(name);
  std::vector<const NodeProto *> between;
  for (const NodeProto &candidate : graph.node()) {
    bool depends = std::any_of(candidate.input().begin(), candidate.input().end(),
                               [&](const std::string &name) { return dependent.count(name) != 0; });
    bool isGiven = std::any_of(candidate.output().begin(), candidate.output().end(),
                               [&](const std::string &name) { return names.count(name) != 0; });
    if (!depends || isGiven || &candidate == &node)
      continue;
    dependent.insert(candidate.output().begin(), candidate.output().end());
    between.push_back(&candidate);
  }
  std::vector<const NodeProto *> used;
  for (auto candidate = between.rbegin(); candidate != between.rend(); ++candidate) {
    const auto &outputs = (*candidate)->output();
    if (std::none_of(outputs.begin(), outputs.end(), [&](const std::string &name) { return needed.count(name) != 0; }))
      continue;
    needed.insert((*candidate)->input().begin(), (*candidate)->input().end());
    used.insert(used.begin(), *candidate);
  }
  return used;
}

void GradientBuilder::copy(const NodeProto &original) {
  NodeProto &made = nodes.emplace_back(original);
  made.set_name(node.name());
  for (std::string &input : *made.mutable_input())
    input = moved(input);
  for (std::string &output : *made.mutable_output())
    if (!output.empty())
      output = names[output] = prefix + std::to_string(created++);
}

/// Sums over the dimensions along which an operand of shape `to` was repeated for a result of shape `from`.
std::string GradientBuilder::reduceTo(const std::string &derivative, const std::string &from, const std::string &to) {
  const auto &result = typeOf(from).shape(), &operand = typeOf(to).shape();
  int extra = result.dim_size() - operand.dim_size();
  std::vector<int64_t> axes;
  for (int d = 0; d < result.dim_size(); ++d) {
    if (!result.dim(d).has_dim_value() || (d >= extra && !operand.dim(d - extra).has_dim_value()))
      fail("goes through '" + from + "', whose shape is open");
    if (d < extra || operand.dim(d - extra).dim_value() != result.dim(d).dim_value())
      axes.push_back(d);
  }
  if (axes.empty())
    return derivative;
  TensorProto tensor;
  tensor.set_data_type(TensorProto::INT64);
  tensor.add_dims(static_cast<int64_t>(axes.size()));
  for (int64_t axis : axes)
    tensor.add_int64_data(axis);
  std::string sum = op("ReduceSum", {derivative, op("Constant", {}, {MakeAttribute("value", tensor)})});
  return op("Reshape", {sum, op("Shape", {moved(to)})});
}

void GradientBuilder::addTo(const std::string &original, std::string derivative, const std::string &result) {
  derivative = reduceTo(derivative, result, original);
  std::string &sum = derivatives[original];
  sum = sum.empty() ? derivative : op("Add", {sum, derivative});
}

/// Adds what the node's result contributes to the derivatives of its operands.
void GradientBuilder::differentiate(const NodeProto &original) {
  const std::string &type = original.op_type(), &result = original.output(0);
  auto found = derivatives.find(result);
  if (found == derivatives.end())
    return;
  std::string d = found->second, y = moved(result);
  auto x = [&](int i) { return moved(original.input(i)); };
  auto add = [&](int i, std::string derivative) { addTo(original.input(i), std::move(derivative), result); };
  if (type == "Identity") {
    add(0, d);
  } else if (type == "Add" || type == "Sub") {
    add(0, d);
    add(1, type == "Add" ? d : op("Neg", {d}));
  } else if (type == "Mul") {
    add(0, op("Mul", {d, x(1)}));
    add(1, op("Mul", {d, x(0)}));
  } else if (type == "Div") {
    std::string quotient = op("Div", {d, x(1)});
    add(0, quotient);
    add(1, op("Neg", {op("Mul", {quotient, y})}));
  } else if (type == "Neg") {
    add(0, op("Neg", {d}));
  } else if (type == "Exp") {
    add(0, op("Mul", {d, y}));
  } else if (type == "Log") {
    add(0, op("Div", {d, x(0)}));
  } else if (type == "Sqrt") {
    add(0, op("Div", {d, op("Add", {y, y})}));
  } else if (type == "Tanh") {
    add(0, op("Mul", {d, op("Sub", {number(1, y), op("Mul", {y, y})})}));
  } else if (type == "Sigmoid") {
    add(0, op("Mul", {d, op("Mul", {y, op("Sub", {number(1, y), y})})}));
  } else if (type == "Relu") {
    add(0, op("Where", {op("Greater", {x(0), number(0, y)}), d, number(0, y)}));
  } else {
    fail("goes through operator " + type + ", whose derivative is not known; there are those of Identity, Add, Sub, " +
         "Mul, Div, Neg, Exp, Log, Sqrt, Tanh, Sigmoid and Relu");
  }
}

std::vector<NodeProto> GradientBuilder::build() {
  const auto *xs = find("xs"), *zs = find("zs"), *y = find("y");
  if (!xs || !y || node.output_size() != xs->strings_size() ||
      node.input_size() != xs->strings_size() + (zs ? zs->strings_size() : 0))
    fail("has operands that do not fit its attributes xs, zs and y");
  for (int i = 0; i < node.input_size(); ++i)
    names[i < xs->strings_size() ? xs->strings(i) : zs->strings(i - xs->strings_size())] = node.input(i);
  std::vector<const NodeProto *> between = collect(y->s());
  for (const NodeProto *original : between)
    copy(*original);
  derivatives[y->s()] = op("Expand", {number(1, moved(y->s())), op("Shape", {moved(y->s())})});
  for (auto original = between.rbegin(); original != between.rend(); ++original)
    differentiate(**original);
  for (int i = 0; i < node.output_size(); ++i) {
    auto derivative = derivatives.find(xs->strings(i));
    std::string value =
        derivative != derivatives.end() ? derivative->second : op("Mul", {node.input(i), number(0, node.input(i))});
    op("Identity", {value});
    nodes.back().set_output(0, node.output(i));
  }
  return std::move(nodes);
}

void importer::expandGradients(ModelProto &model) {
  GraphProto &graph = *model.mutable_graph();
  std::map<std::string, TypeProto> types;
  for (const auto *values : {&graph.input(), &graph.output(), &graph.value_info()})
    for (const auto &value : *values)
      types[value.name()] = value.type();
  for (const auto &tensor : graph.initializer()) {
    auto *shape = types[tensor.name()].mutable_tensor_type()->mutable_shape();
    for (int64_t dim : tensor.dims())
      shape->add_dim()->set_dim_value(dim);
  }
  google::protobuf::RepeatedPtrField<NodeProto> expanded;
  bool any = false;
  for (const NodeProto &node : graph.node()) {
    if (node.op_type() != "Gradient" || node.domain() != kTrainingDomain) {
      *expanded.Add() = node;
      continue;
    }
    any = true;
    for (NodeProto &made : GradientBuilder(node, graph, types).build())
      expanded.Add()->Swap(&made);
  }
  if (any)
    graph.mutable_node()->Swap(&expanded);
}
