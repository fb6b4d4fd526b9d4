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
#include "PackedWeights.h"

using namespace leaf::importer;
using ::onnx::MakeAttribute;
using ::onnx::TensorProto;

namespace {
/// One layer of every expert: positions of its operands; -1 where the operator has none.
struct Layer {
  int weights, bias, scales = -1, zeros = -1;
  int64_t bits = 0; ///< of packed weights
};

class Experts {
public:
  explicit Experts(Body &body) : body(body), type(body.elementType(Input)), isPacked(body.opType() == "QMoE") {
    if (isPacked) {
      first = {2, 4, 3, 11, getBits("fc1_expert_weight_bits")};
      second = {5, 7, 6, 12, getBits("fc2_expert_weight_bits")};
      third = {8, 10, 9, 13, getBits("fc3_expert_weight_bits")};
      routerWeights = 14;
    }
  }
  void expand();

private:
  enum Operand { Input, Router };
  int64_t getBits(const char *layer) const {
    int64_t own = body.getInt(layer), bits = own ? own : body.getInt("expert_weight_bits");
    body.require(bits == 2 || bits == 4 || bits == 8, "has weights of other than 2, 4 or 8 bits");
    return bits;
  }
  std::string route();
  int64_t getColumns(const Layer &layer, int d);
  std::string unpack(const Layer &layer);
  std::string layer(std::string x, const Layer &layer, int64_t inputs, bool isWide);
  std::string activate(std::string x);
  std::string gate(std::string gate, std::string linear);
  std::string swiGLU(std::string x, std::string rows, int64_t width, int64_t inner);

  Body &body;
  int32_t type;
  bool isPacked; ///< QMoE: integers of 4 or 8 bits with scales
  Layer first{2, 3}, second{4, 5}, third{6, 7};
  int routerWeights = 8;
};
} // namespace

/// Weights [experts, rows, 1]: of the k largest probabilities, zero elsewhere.
std::string Experts::route() {
  int64_t k = body.getInt("k"), experts = body.dim(Router, 1);
  body.require(k >= 1 && k <= experts, "chooses more experts than there are");
  body.require(body.getInt("use_sparse_mixer") == 0, "has use_sparse_mixer, which is not supported");
  body.require(!body.hasInput(routerWeights), "has weights apart from the router's choice, which is not supported");
  auto axis = MakeAttribute("axis", static_cast<int64_t>(-1));
  std::string probabilities = body.op("Softmax", {body.input(Router)}, {axis});
  Body::Names best = body.ops("TopK", 2, {probabilities, body.ints({k})}, {axis});
  std::string chosen = best[0];
  // ONNX Runtime's QMoE for CPUs normalizes always.
  if (isPacked || body.getInt("normalize_routing_weights") != 0)
    chosen = body.div(chosen, body.reduce("ReduceSum", chosen, {1}));
  std::string none = body.mul(probabilities, body.scalar(0, type));
  std::string weights =
      body.op("ScatterElements", {none, best[1], chosen}, {MakeAttribute("axis", static_cast<int64_t>(1))});
  return body.unsqueeze(body.transpose(weights, {1, 0}), {2});
}

/// Size of a dimension of a layer's weights as numbers.
int64_t Experts::getColumns(const Layer &layer, int d) {
  int64_t size = body.dim(layer.weights, d);
  return isPacked && d == 2 ? size * 8 / layer.bits : size;
}

/// The weights [experts, outputs, inputs] of integers [experts, outputs, bytes]. Scales are [experts, outputs], or
/// [experts, outputs, blocks].
std::string Experts::unpack(const Layer &layer) {
  body.require(body.hasInput(layer.scales), "has weights of experts without scales");
  body.require(body.getInt("weights_prepacked") <= 0, "has prepacked weights, which are not supported");
  int64_t experts = body.dim(layer.weights, 0), outputs = body.dim(layer.weights, 1), inputs = getColumns(layer, 2);
  int64_t block = body.getInt("block_size");
  PackedWeights weights{body, layer.bits, block > 0 ? block : inputs};
  bool hasZeros = body.hasInput(layer.zeros);
  std::string matrix =
      weights.unpack(body.input(layer.weights), body.input(layer.scales), hasZeros ? body.input(layer.zeros) : "",
                     hasZeros ? body.elementType(layer.zeros) : 0, experts * outputs, inputs);
  return body.reshape(matrix, {experts, outputs, inputs});
}

/// x of [rows, inputs] or [experts, rows, inputs] through one layer of each expert. Weights are [experts, outputs,
/// inputs], or, in older models, [experts, inputs, outputs]; where both fit it is the former.
std::string Experts::layer(std::string x, const Layer &layer, int64_t inputs, bool isWide) {
  std::string matrix = isPacked ? unpack(layer) : body.input(layer.weights);
  if (getColumns(layer, 2) == inputs)
    matrix = body.transpose(matrix, {0, 2, 1});
  else
    body.require(!isPacked && body.dim(layer.weights, 1) == inputs, "has weights of experts that do not fit its input");
  std::string y = body.op("MatMul", {isWide ? body.unsqueeze(std::move(x), {0}) : std::move(x), matrix});
  return body.hasInput(layer.bias) ? body.add(y, body.unsqueeze(body.input(layer.bias), {1})) : y;
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
std::string Experts::swiGLU(std::string x, std::string rows, int64_t width, int64_t inner) {
  int64_t fusion = body.getInt("swiglu_fusion");
  if (fusion == 2)
    return gate(body.slice(x, 2, 0, inner), body.slice(x, 2, inner, 2 * inner));
  if (fusion == 1) {
    auto part = [&](int64_t begin) {
      return body.op("Slice", {x, body.ints({begin}), body.ints({2 * inner}), body.ints({2}), body.ints({2})});
    };
    return gate(part(0), part(1));
  }
  body.require(body.hasInput(third.weights), "has swiglu without the third layer that holds its linear part");
  return gate(std::move(x), layer(std::move(rows), third, width, /*isWide=*/true));
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
  if (isPacked) {
    body.require(body.getString("quant_type") == "int", "has weights of experts that are no integers");
    body.require(body.getInt("swiglu_limit_after_activation") == 0,
                 "has swiglu_limit_after_activation, which is not supported");
  }
  int64_t width = body.dim(Input, -1);
  body.require(width > 0, "has rows without elements");
  int64_t inner = body.dim(second.weights, 1) * getColumns(second, 2) / width;
  std::string rows = body.reshape(body.input(Input), {-1, width});
  std::string hidden = layer(rows, first, width, /*isWide=*/true);
  if (body.getString("activation_type") == "swiglu") {
    hidden = swiGLU(hidden, rows, width, inner);
  } else {
    hidden = activate(hidden);
    if (body.hasInput(third.weights))
      hidden = body.mul(hidden, layer(rows, third, width, /*isWide=*/true));
  }
  std::string results = layer(hidden, second, inner, /*isWide=*/false);
  std::string sum = body.reduce("ReduceSum", body.mul(results, route()), {0}, /*keep=*/false);
  body.setOutput(0, body.op("Reshape", {sum, body.op("Shape", {body.input(Input)})}));
}

void leaf::importer::addExpertBodies(BodyTable &table) {
  for (const char *name : {"MoE", "QMoE"})
    table.add("com.microsoft", name, [](Body &body) { Experts(body).expand(); });
}
