//===- ExpertBodies.cpp - mixtures of experts of com.microsoft ----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Every expert computes every row here, and its weight is zero where the router did not choose it.
//
//===----------------------------------------------------------------------===//

#include "Body.h"

using namespace leaf::importer;
using ::onnx::MakeAttribute;
using ::onnx::TensorProto;

namespace {
class Experts {
public:
  explicit Experts(Body &body) : body(body), type(body.elementType(Input)) {}
  void expand();

private:
  enum Operand {
    Input,
    Router,
    Weights1,
    Bias1,
    Weights2,
    Bias2,
    Weights3,
    Bias3,
    RouterWeights,
  };
  std::string route();
  std::string layer(std::string x, int weights, int bias, int64_t inputs, bool isWide);
  std::string activate(std::string x);
  std::string gate(std::string gate, std::string linear);
  std::string swiGLU(std::string x, std::string rows, int64_t width);

  Body &body;
  int32_t type;
};
} // namespace

/// Weights [experts, rows, 1]: of the k largest probabilities, zero elsewhere.
std::string Experts::route() {
  int64_t k = body.getInt("k"), experts = body.dim(Router, 1);
  body.require(k >= 1 && k <= experts, "chooses more experts than there are");
  body.require(body.getInt("use_sparse_mixer") == 0, "has use_sparse_mixer, which is not supported");
  body.require(!body.hasInput(RouterWeights), "has weights apart from the router's choice, which is not supported");
  auto axis = MakeAttribute("axis", static_cast<int64_t>(-1));
  std::string probabilities = body.op("Softmax", {body.input(Router)}, {axis});
  Body::Names best = body.ops("TopK", 2, {probabilities, body.ints({k})}, {axis});
  std::string chosen = best[0];
  if (body.getInt("normalize_routing_weights") != 0)
    chosen = body.div(chosen, body.reduce("ReduceSum", chosen, {1}));
  std::string none = body.mul(probabilities, body.scalar(0, type));
  std::string weights =
      body.op("ScatterElements", {none, best[1], chosen}, {MakeAttribute("axis", static_cast<int64_t>(1))});
  return body.unsqueeze(body.transpose(weights, {1, 0}), {2});
}

/// x of [rows, inputs] or [experts, rows, inputs] through one layer of each expert. Weights are [experts, outputs,
/// inputs], or, in older models, [experts, inputs, outputs]; where both fit it is the former.
std::string Experts::layer(std::string x, int weights, int bias, int64_t inputs, bool isWide) {
  std::string matrix = body.input(weights);
  if (body.dim(weights, 2) == inputs)
    matrix = body.transpose(matrix, {0, 2, 1});
  else
    body.require(body.dim(weights, 1) == inputs, "has weights of experts that do not fit its input");
  std::string y = body.op("MatMul", {isWide ? body.unsqueeze(std::move(x), {0}) : std::move(x), matrix});
  return body.hasInput(bias) ? body.add(y, body.unsqueeze(body.input(bias), {1})) : y;
}

/// gate * sigmoid(alpha * gate) * (linear + beta), both limited where the model says so.
std::string Experts::gate(std::string gate, std::string linear) {
  if (body.hasAttr("swiglu_limit")) {
    float limit = body.getFloat("swiglu_limit");
    std::string most = body.scalar(limit, type);
    gate = body.op("Clip", {gate, "", most});
    linear = body.op("Clip", {linear, body.scalar(-limit, type), most});
  }
  std::string shifted = body.add(std::move(linear), body.scalar(body.getFloat("activation_beta"), type));
  return body.mul(body.op("Swish", {std::move(gate)}, {MakeAttribute("alpha", body.getFloat("activation_alpha"))}),
                  shifted);
}

/// Gate and linear part lie in the first layer's rows in turns (swiglu_fusion 1), one behind the other (2), or the
/// linear part is a layer of its own (0).
std::string Experts::swiGLU(std::string x, std::string rows, int64_t width) {
  int64_t fusion = body.getInt("swiglu_fusion"), inner = body.dim(Weights2, 1) * body.dim(Weights2, 2) / width;
  if (fusion == 2)
    return gate(body.slice(x, 2, 0, inner), body.slice(x, 2, inner, 2 * inner));
  if (fusion == 1) {
    auto part = [&](int64_t begin) {
      return body.op("Slice", {x, body.ints({begin}), body.ints({2 * inner}), body.ints({2}), body.ints({2})});
    };
    return gate(part(0), part(1));
  }
  body.require(body.hasInput(Weights3), "has swiglu without the third layer that holds its linear part");
  return gate(std::move(x), layer(std::move(rows), Weights3, Bias3, width, /*isWide=*/true));
}

std::string Experts::activate(std::string x) {
  std::string name = body.getString("activation_type");
  if (name == "relu")
    return body.op("Relu", {std::move(x)});
  if (name == "gelu")
    return body.op("Gelu", {std::move(x)}, {MakeAttribute("approximate", std::string("tanh"))});
  if (name == "silu")
    return body.op("Swish", {std::move(x)});
  if (name == "identity")
    return x;
  body.fail("has the unknown activation '" + name + "'");
}

void Experts::expand() {
  int64_t width = body.dim(Input, -1);
  body.require(width > 0, "has rows without elements");
  int64_t inner = body.dim(Weights2, 1) * body.dim(Weights2, 2) / width;
  std::string rows = body.reshape(body.input(Input), {-1, width});
  std::string hidden = layer(rows, Weights1, Bias1, width, /*isWide=*/true);
  if (body.getString("activation_type") == "swiglu") {
    hidden = swiGLU(hidden, rows, width);
  } else {
    hidden = activate(hidden);
    if (body.hasInput(Weights3))
      hidden = body.mul(hidden, layer(rows, Weights3, Bias3, width, /*isWide=*/true));
  }
  std::string results = layer(hidden, Weights2, Bias2, inner, /*isWide=*/false);
  std::string sum = body.reduce("ReduceSum", body.mul(results, route()), {0}, /*keep=*/false);
  body.setOutput(0, body.op("Reshape", {sum, body.op("Shape", {body.input(Input)})}));
}

void leaf::importer::addExpertBodies(BodyTable &table) {
  table.add("com.microsoft", "MoE", [](Body &body) { Experts(body).expand(); });
}
