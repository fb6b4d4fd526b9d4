//===- FusionBodies.cpp - FusedConv, FusedMatMul, FusedGemm -------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Body.h"

#include <algorithm>
#include <numeric>

using namespace leaf::importer;
using ::onnx::MakeAttribute;

namespace {
/// An activation and the names of its attributes, in the order in which activation_params gives their values.
struct Activation {
  const char *name;
  std::vector<const char *> parameters;
};
} // namespace

static const Activation *findActivation(const std::string &name) {
  static const Activation known[] = {{"Relu", {}},
                                     {"Sigmoid", {}},
                                     {"Tanh", {}},
                                     {"Softplus", {}},
                                     {"Softsign", {}},
                                     {"HardSwish", {}},
                                     {"LeakyRelu", {"alpha"}},
                                     {"ThresholdedRelu", {"alpha"}},
                                     {"Elu", {"alpha"}},
                                     {"Selu", {"alpha", "gamma"}},
                                     {"HardSigmoid", {"alpha", "beta"}}};
  auto *found = std::find_if(std::begin(known), std::end(known), [&](const Activation &a) { return a.name == name; });
  return found == std::end(known) ? nullptr : found;
}

static std::string activate(Body &body, std::string x, const std::vector<std::optional<float>> &parameters) {
  std::string name = body.getString("activation");
  if (name.empty())
    return x;
  int32_t type = body.elementType(0);
  if (name == "Clip") {
    Body::Names operands = {std::move(x)};
    for (const std::optional<float> &bound : parameters)
      operands.push_back(bound ? body.scalar(*bound, type) : "");
    return body.op("Clip", operands);
  }
  const Activation *activation = findActivation(name);
  if (!activation)
    body.fail("has the unknown activation '" + name + "'");
  Body::Attributes attributes;
  for (size_t i = 0; i < activation->parameters.size() && i < parameters.size(); ++i)
    if (parameters[i])
      attributes.push_back(MakeAttribute(activation->parameters[i], *parameters[i]));
  return body.op(activation->name, {std::move(x)}, attributes);
}

static void expandFusedConv(Body &body) {
  std::string y = body.op("Conv", {body.input(0), body.input(1), body.input(2)},
                          body.copies({"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"}));
  if (body.hasInput(3))
    y = body.add(y, body.input(3));
  std::vector<float> given = body.getFloats("activation_params");
  body.setOutput(0, activate(body, y, {given.begin(), given.end()}));
}

static void expandFusedGemm(Body &body) {
  std::string y = body.op("Gemm", {body.input(0), body.input(1), body.input(2)},
                          body.copies({"alpha", "beta", "transA", "transB"}));
  std::vector<std::optional<float>> parameters;
  // Selu's second parameter is the only gamma.
  bool hasGamma = body.getString("activation") == "Selu";
  for (const char *name : {"activation_alpha", hasGamma ? "activation_gamma" : "activation_beta"})
    parameters.push_back(body.hasAttr(name) ? std::optional<float>(body.getFloat(name)) : std::nullopt);
  body.setOutput(0, activate(body, y, parameters));
}

/// The operand as it takes part in the product: with transBatch its first dimension moves behind the other batch
/// dimensions, then trans swaps the last two.
static std::string transposed(Body &body, int i, const char *trans, const char *transBatch) {
  int rank = body.rank(i);
  std::vector<int64_t> perm(rank);
  std::iota(perm.begin(), perm.end(), 0);
  if (body.getInt(transBatch) != 0 && rank > 2)
    std::rotate(perm.begin(), perm.begin() + 1, perm.end() - 1);
  if (body.getInt(trans) != 0 && rank > 1)
    std::swap(perm[rank - 1], perm[rank - 2]);
  return std::is_sorted(perm.begin(), perm.end()) ? body.input(i) : body.transpose(body.input(i), perm);
}

static void expandFusedMatMul(Body &body) {
  std::string lhs = transposed(body, 0, "transA", "transBatchA"), rhs = transposed(body, 1, "transB", "transBatchB");
  std::string y = body.op("MatMul", {lhs, rhs});
  float alpha = body.getFloat("alpha");
  body.setOutput(0, alpha == 1 ? y : body.mul(y, body.scalar(alpha, body.elementType(0))));
}

void leaf::importer::addFusionBodies(BodyTable &table) {
  const char *domain = "com.microsoft";
  table.add(domain, "FusedConv", expandFusedConv);
  table.add(domain, "FusedGemm", expandFusedGemm);
  table.add(domain, "FusedMatMul", expandFusedMatMul);
}
