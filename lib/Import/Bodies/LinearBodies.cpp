//===- LinearBodies.cpp - LinearClassifier, LinearRegressor -------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Semantics where the specification is silent (what a transform does to a single score, ties): ONNX Runtime.
//
//===----------------------------------------------------------------------===//

#include "Body.h"

using namespace leaf::importer;
using ::onnx::MakeAttribute;
using ::onnx::TensorProto;

//===----------------------------------------------------------------------===//
// Transforms of scores
//===----------------------------------------------------------------------===//

/// sqrt(2) * erf^-1(2 x - 1), by the approximation that ONNX Runtime uses.
static std::string probit(Body &body, std::string x) {
  auto number = [&](double value) { return body.scalar(value); };
  std::string y = body.sub(body.mul(std::move(x), number(2)), number(1));
  std::string log = body.op("Log", {body.mul(body.sub(number(1), y), body.add(number(1), y))});
  std::string v = body.add(body.mul(log, number(0.5)), number(2 / (3.14159 * 0.147)));
  std::string root = body.op("Sqrt", {body.sub(body.mul(v, v), body.mul(log, number(1 / 0.147)))});
  std::string size = body.op("Sqrt", {body.sub(root, v)});
  std::string isNegative = body.op("Less", {y, number(0)});
  return body.mul(body.op("Where", {isNegative, body.op("Neg", {size}), size}), number(1.41421356));
}

/// Softmax that leaves scores of zero out of the sum.
static std::string softmaxZero(Body &body, std::string x) {
  std::string max = body.reduce("ReduceMax", x, {1});
  std::string isZero = body.op("LessOrEqual", {body.op("Abs", {x}), body.scalar(1e-7)});
  std::string exps = body.op("Where", {isZero, body.scalar(0), body.op("Exp", {body.sub(x, max)})});
  std::string kept = body.op("Where", {isZero, body.mul(x, body.op("Exp", {body.op("Neg", {max})})), exps});
  return body.div(kept, body.reduce("ReduceSum", exps, {1}));
}

/// post_transform of rows of `count` scores.
static std::string transform(Body &body, std::string scores, size_t count) {
  std::string name = body.getString("post_transform");
  if (name == "NONE" || name.empty())
    return scores;
  if (name == "PROBIT")
    return probit(body, scores);
  if (name != "LOGISTIC" && name != "SOFTMAX" && name != "SOFTMAX_ZERO")
    body.fail("has the unknown post_transform '" + name + "'");
  if (count < 2)
    return scores;
  if (name == "LOGISTIC")
    return body.op("Sigmoid", {scores});
  if (name == "SOFTMAX_ZERO")
    return softmaxZero(body, scores);
  return body.op("Softmax", {scores}, {MakeAttribute("axis", static_cast<int64_t>(-1))});
}

//===----------------------------------------------------------------------===//
// The operators
//===----------------------------------------------------------------------===//

/// X as rows of floats (a vector is one row) times coefficients [targets, features], plus intercepts.
static std::string linearScores(Body &body, const std::vector<float> &intercepts, int64_t targets) {
  std::string x = body.input(0);
  int rank = body.rank(0);
  body.require(rank == 1 || rank == 2, "has an input that is neither [N, C] nor [C]");
  if (rank == 1)
    x = body.unsqueeze(x, {0});
  if (body.elementType(0) != TensorProto::FLOAT)
    x = body.cast(x, TensorProto::FLOAT);
  std::vector<float> coefficients = body.getFloats("coefficients");
  int64_t features = targets > 0 ? static_cast<int64_t>(coefficients.size()) / targets : 0;
  std::optional<int64_t> width = body.findDim(0, -1);
  body.require(features > 0 && static_cast<int64_t>(coefficients.size()) == targets * features &&
                   (!width || *width == features),
               "has coefficients that do not fit its input and its targets");
  Body::Names operands = {x, body.floats(coefficients, {targets, features})};
  if (!intercepts.empty())
    operands.push_back(body.floats(intercepts, {targets}));
  return body.op("Gemm", operands, {MakeAttribute("transB", static_cast<int64_t>(1))});
}

static void expandLinearRegressor(Body &body) {
  int64_t targets = body.getInt("targets");
  std::string scores = linearScores(body, body.getFloats("intercepts"), targets);
  body.setOutput(0, transform(body, scores, static_cast<size_t>(targets)));
}

/// The labels at positions `at`.
static std::string labelsAt(Body &body, std::string at, const std::vector<int64_t> &ints, const Body::Names &strings) {
  return body.op("Gather", {strings.empty() ? body.ints(ints) : body.strings(strings), std::move(at)});
}

static void expandLinearClassifier(Body &body) {
  std::vector<float> intercepts = body.getFloats("intercepts");
  std::vector<int64_t> ints = body.getInts("classlabels_ints");
  Body::Names strings = body.getStrings("classlabels_strings");
  size_t count = intercepts.size(), labels = strings.empty() ? ints.size() : strings.size();
  body.require(count > 0, "has no intercepts, which give the number of scores");
  body.require(count == 1 || labels == count, "has a number of class labels other than that of its scores");
  std::string scores = linearScores(body, intercepts, static_cast<int64_t>(count));
  if (count > 1) {
    std::string best =
        body.op("ArgMax", {scores},
                {MakeAttribute("axis", static_cast<int64_t>(1)), MakeAttribute("keepdims", static_cast<int64_t>(0))});
    body.setOutput(0, labelsAt(body, best, ints, strings));
    body.setOutput(1, transform(body, scores, count));
    return;
  }
  if (labels != 2) {
    ints = {0, 1};
    if (!strings.empty())
      strings = {"0", "1"};
  }
  std::string isPositive = body.op("Greater", {body.squeeze(scores, {1}), body.scalar(0)});
  body.setOutput(0, labelsAt(body, body.cast(isPositive, TensorProto::INT64), ints, strings));
  if (labels != 2) {
    body.setOutput(1, transform(body, scores, 1));
    return;
  }
  std::string name = body.getString("post_transform");
  body.require(name != "PROBIT", "has the transform PROBIT of one score for two classes");
  bool isLogistic = name == "LOGISTIC";
  std::string other = isLogistic ? body.op("Neg", {scores}) : body.sub(body.scalar(1), scores);
  std::string both = body.concat({other, scores}, 1);
  body.setOutput(1, isLogistic ? body.op("Sigmoid", {both}) : both);
}

void leaf::importer::addLinearBodies(BodyTable &table) {
  table.add("ai.onnx.ml", "LinearClassifier", expandLinearClassifier);
  table.add("ai.onnx.ml", "LinearRegressor", expandLinearRegressor);
}
