//===- TrainingOps.cpp - operators of training as basic ones -----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "TrainingOps.h"

#include "onnx/defs/function.h"

#include "llvm/ADT/StringExtras.h"

using namespace leaf;
using namespace leaf::importer;
using ::onnx::AttributeProto;
using ::onnx::FunctionBuilder;
using ::onnx::FunctionProto;
using ::onnx::NodeProto;

static const AttributeProto *findAttribute(const NodeProto &node, const std::string &name) {
  for (const AttributeProto &attribute : node.attribute())
    if (attribute.name() == name)
      return &attribute;
  return nullptr;
}

bool importer::isTrainingOp(const NodeProto &node) {
  if (node.domain() == kTrainingDomain)
    return node.op_type() == "Adagrad" || node.op_type() == "Adam" || node.op_type() == "Momentum";
  const AttributeProto *training =
      node.op_type() == "BatchNormalization" && node.domain().empty() ? findAttribute(node, "training_mode") : nullptr;
  return training && training->i() != 0;
}

namespace {

/// Writes a body whose text has `@` in the names of values that are there once for each tensor.
class BodyWriter {
public:
  BodyWriter(const NodeProto &node, int opset) : node(node), builder(function) {
    function.set_domain(node.domain());
    function.set_name(node.op_type());
    builder.AddOpset("", opset);
    if (!node.domain().empty())
      builder.AddOpset(node.domain().c_str(), 1);
  }

  void input(const std::string &name) { function.add_input(name); }
  void output(const std::string &name) { function.add_output(name); }

  void add(std::string text, int tensor = 0) {
    std::string suffix = "_" + std::to_string(tensor);
    for (size_t at; (at = text.find('@')) != std::string::npos;)
      text.replace(at, 1, suffix);
    builder.Add(text.c_str());
  }

  /// `name`: a scalar of the type of `like`.
  void number(const std::string &name, float value, const std::string &like) {
    builder.Const(name + "_f32", value);
    add(name + " = CastLike (" + name + "_f32, " + like + ")");
  }
  /// A FLOAT attribute as such a scalar.
  void attribute(const std::string &name, const std::string &like) {
    const AttributeProto *given = findAttribute(node, name);
    number(name, given ? given->f() : 0, like);
  }

  const NodeProto &node;
  FunctionProto function;
  FunctionBuilder builder;
};

} // namespace

/// Inputs and outputs: R, T and several tensors of each kind, in the order of the schema.
static int declareTensors(BodyWriter &w, std::initializer_list<const char *> inputs,
                          std::initializer_list<const char *> outputs) {
  int kinds = static_cast<int>(inputs.size()), given = w.node.input_size() - 2;
  if (given <= 0 || given % kinds != 0 || w.node.output_size() != given / kinds * static_cast<int>(outputs.size()))
    throw ImportError(describeNode(w.node, 0) + " has " + std::to_string(w.node.input_size()) + " inputs and " +
                      std::to_string(w.node.output_size()) + " outputs, which do not fit each other");
  int count = given / kinds;
  w.input("R");
  w.input("T");
  for (const char *kind : inputs)
    for (int i = 0; i < count; ++i)
      w.input(kind + ("_" + std::to_string(i)));
  for (const char *kind : outputs)
    for (int i = 0; i < count; ++i)
      w.output(kind + ("_" + std::to_string(i)));
  return count;
}

static void writeAdagrad(BodyWriter &w) {
  int count = declareTensors(w, {"X", "G", "H"}, {"XN", "HN"});
  w.number("one", 1, "R");
  w.attribute("decay_factor", "R");
  w.add("t = CastLike (T, R)");
  w.add("decay = Mul (t, decay_factor)");
  w.add("divisor = Add (one, decay)");
  w.add("rate = Div (R, divisor)");
  w.attribute("norm_coefficient", "X_0");
  w.attribute("epsilon", "X_0");
  for (int i = 0; i < count; ++i) {
    w.add("norm@ = Mul (norm_coefficient, X@)", i);
    w.add("g@ = Add (norm@, G@)", i);
    w.add("square@ = Mul (g@, g@)", i);
    w.add("HN@ = Add (H@, square@)", i);
    w.add("root@ = Sqrt (HN@)", i);
    w.add("scale@ = Add (root@, epsilon)", i);
    w.add("rate@ = CastLike (rate, X@)", i);
    w.add("scaled@ = Mul (rate@, g@)", i);
    w.add("step@ = Div (scaled@, scale@)", i);
    w.add("XN@ = Sub (X@, step@)", i);
  }
}

static void writeAdam(BodyWriter &w) {
  int count = declareTensors(w, {"X", "G", "V", "H"}, {"XN", "VN", "HN"});
  w.number("one_r", 1, "R");
  w.add("t = CastLike (T, R)");
  w.attribute("alpha", "X_0");
  w.attribute("beta", "X_0");
  w.add("alpha_r = CastLike (alpha, R)");
  w.add("beta_r = CastLike (beta, R)");
  w.add("alpha_t = Pow (alpha_r, t)");
  w.add("beta_t = Pow (beta_r, t)");
  w.add("rest_a = Sub (one_r, alpha_t)");
  w.add("rest_b = Sub (one_r, beta_t)");
  w.add("root = Sqrt (rest_b)");
  w.add("scaled = Mul (R, root)");
  w.add("corrected = Div (scaled, rest_a)");
  w.builder.Const("zero", int64_t(0));
  w.add("later = Greater (T, zero)");
  w.add("rate = Where (later, corrected, R)");
  w.number("one", 1, "X_0");
  w.attribute("norm_coefficient", "X_0");
  w.attribute("norm_coefficient_post", "X_0");
  w.attribute("epsilon", "X_0");
  w.add("other_alpha = Sub (one, alpha)");
  w.add("other_beta = Sub (one, beta)");
  w.add("shrink = Sub (one, norm_coefficient_post)");
  for (int i = 0; i < count; ++i) {
    w.add("norm@ = Mul (norm_coefficient, X@)", i);
    w.add("g@ = Add (norm@, G@)", i);
    w.add("old_v@ = Mul (alpha, V@)", i);
    w.add("new_v@ = Mul (other_alpha, g@)", i);
    w.add("VN@ = Add (old_v@, new_v@)", i);
    w.add("square@ = Mul (g@, g@)", i);
    w.add("old_h@ = Mul (beta, H@)", i);
    w.add("new_h@ = Mul (other_beta, square@)", i);
    w.add("HN@ = Add (old_h@, new_h@)", i);
    w.add("root@ = Sqrt (HN@)", i);
    w.add("scale@ = Add (root@, epsilon)", i);
    w.add("direction@ = Div (VN@, scale@)", i);
    w.add("rate@ = CastLike (rate, X@)", i);
    w.add("step@ = Mul (rate@, direction@)", i);
    w.add("moved@ = Sub (X@, step@)", i);
    w.add("XN@ = Mul (shrink, moved@)", i);
  }
}

static void writeMomentum(BodyWriter &w) {
  int count = declareTensors(w, {"X", "G", "V"}, {"XN", "VN"});
  const AttributeProto *mode = findAttribute(w.node, "mode");
  bool nesterov = mode && mode->s() == "nesterov";
  if (!nesterov && (!mode || mode->s() != "standard"))
    throw ImportError(describeNode(w.node, 0) + " has mode '" + (mode ? mode->s() : "") +
                      "'; there are standard and nesterov");
  w.attribute("alpha", "X_0");
  w.attribute("beta", "X_0");
  w.attribute("norm_coefficient", "X_0");
  w.number("one", 1, "X_0");
  w.builder.Const("zero", int64_t(0));
  w.add("later = Greater (T, zero)");
  w.add("share = Where (later, beta, one)");
  for (int i = 0; i < count; ++i) {
    w.add("norm@ = Mul (norm_coefficient, X@)", i);
    w.add("g@ = Add (norm@, G@)", i);
    w.add("old_v@ = Mul (alpha, V@)", i);
    w.add("new_v@ = Mul (share, g@)", i);
    w.add("VN@ = Add (old_v@, new_v@)", i);
    w.add("rate@ = CastLike (R, X@)", i);
    if (nesterov) {
      w.add("ahead@ = Mul (alpha, VN@)", i);
      w.add("direction@ = Add (g@, ahead@)", i);
      w.add("step@ = Mul (rate@, direction@)", i);
    } else {
      w.add("step@ = Mul (rate@, VN@)", i);
    }
    w.add("XN@ = Sub (X@, step@)", i);
  }
}

/// Normalizes by the batch's own mean and variance, and moves the running ones towards them.
static void writeBatchNormalization(BodyWriter &w, int rank) {
  if (rank < 1)
    throw ImportError(describeNode(w.node, 0) + " has an input of unknown rank");
  for (const char *name : {"X", "scale", "B", "input_mean", "input_var"})
    w.input(name);
  for (const char *name : {"Y", "running_mean", "running_var"})
    if (w.function.output_size() < w.node.output_size())
      w.output(name);
  std::vector<int64_t> axes = {0};
  for (int d = 2; d < rank; ++d)
    axes.push_back(d);
  w.builder.Const("axes", axes);
  w.add("wide_mean = ReduceMean <keepdims = 1> (X, axes)");
  w.add("mean = ReduceMean <keepdims = 0> (X, axes)");
  w.add("difference = Sub (X, wide_mean)");
  w.add("square = Mul (difference, difference)");
  w.add("var = ReduceMean <keepdims = 0> (square, axes)");
  w.builder.Add("Y = BatchNormalization (X, scale, B, mean, var)");
  const AttributeProto *epsilon = findAttribute(w.node, "epsilon");
  w.builder.AddAttributeToNode("epsilon", epsilon ? epsilon->f() : 1e-5f);
  w.attribute("momentum", "input_mean");
  w.number("one", 1, "input_mean");
  w.add("share = Sub (one, momentum)");
  for (const char *name : {"mean", "var"}) {
    std::string text = name;
    w.add("new_" + text + " = CastLike (" + text + ", input_mean)");
    w.add("old_part_" + text + " = Mul (input_" + text + ", momentum)");
    w.add("new_part_" + text + " = Mul (new_" + text + ", share)");
    w.add("running_" + text + " = Add (old_part_" + text + ", new_part_" + text + ")");
  }
}

FunctionProto importer::makeTrainingBody(const NodeProto &node, int rank, int opset) {
  BodyWriter w(node, opset);
  if (node.op_type() == "Adagrad")
    writeAdagrad(w);
  else if (node.op_type() == "Adam")
    writeAdam(w);
  else if (node.op_type() == "Momentum")
    writeMomentum(w);
  else
    writeBatchNormalization(w, rank);
  return std::move(w.function);
}
