//===- NormalizationBodies.cpp - normalizations of com.microsoft --------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Body.h"

using namespace leaf::importer;
using ::onnx::MakeAttribute;
using ::onnx::TensorProto;

/// 1 / sqrt(mean of squares + epsilon) over the dimensions from `axis` on, in float.
static std::string inverseRoot(Body &body, std::string x, int axis, float epsilon, int rank) {
  std::vector<int64_t> axes;
  for (int d = axis; d < rank; ++d)
    axes.push_back(d);
  x = body.cast(std::move(x), TensorProto::FLOAT);
  std::string mean = body.reduce("ReduceMean", body.mul(x, x), axes);
  return body.op("Reciprocal", {body.op("Sqrt", {body.add(mean, body.scalar(epsilon))})});
}

static void expandSimplified(Body &body) {
  int rank = body.rank(0);
  int64_t axis = body.getInt("axis");
  float epsilon = body.getFloat("epsilon");
  // Data and scale may differ in type; the result has the scale's.
  std::string x = body.input(0);
  if (body.elementType(0) != body.elementType(1))
    x = body.cast(x, body.elementType(1));
  body.setOutput(0, body.op("RMSNormalization", {x, body.input(1)},
                            {MakeAttribute("axis", axis), MakeAttribute("epsilon", epsilon)}));
  if (body.hasOutput(1))
    body.setOutput(1, inverseRoot(body, body.input(0), static_cast<int>(axis < 0 ? axis + rank : axis), epsilon, rank));
}

/// input + skip, of which skip may lack the batch dimension, + bias.
static std::string sumOf(Body &body, int bias) {
  std::string sum = body.add(body.input(0), body.input(1));
  if (body.hasInput(bias))
    sum = body.add(sum, body.input(bias));
  body.setOutput(3, sum);
  return sum;
}

static void expandSkip(Body &body) {
  std::string sum = sumOf(body, 4);
  bool hasStatistics = body.hasOutput(1) || body.hasOutput(2);
  Body::Names results = body.ops("LayerNormalization", hasStatistics ? 3 : 1, {sum, body.input(2), body.input(3)},
                                 body.copies({"epsilon"}));
  for (size_t i = 0; i < results.size(); ++i)
    body.setOutput(static_cast<int>(i), results[i]);
}

static void expandSkipSimplified(Body &body) {
  std::string sum = sumOf(body, 3);
  float epsilon = body.getFloat("epsilon");
  int rank = body.rank(0);
  body.setOutput(0, body.op("RMSNormalization", {sum, body.input(2)}, {MakeAttribute("epsilon", epsilon)}));
  body.require(!body.hasOutput(1), "has a mean as result, which ONNX Runtime does not compute");
  if (body.hasOutput(2))
    body.setOutput(2, inverseRoot(body, sum, rank - 1, epsilon, rank));
}

/// Embeddings of words, positions (all from 0 on where they are not given) and segments, added up and normalized.
static void expandEmbedding(Body &body) {
  enum Input { Ids, SegmentIds, Words, Positions, Segments, Gamma, Beta, Mask, PositionIds };
  std::string words = body.op("Gather", {body.input(Words), body.input(Ids)}), positions;
  if (body.hasInput(PositionIds)) {
    positions = body.op("Gather", {body.input(Positions), body.input(PositionIds)});
  } else {
    std::string length = body.sizeOf(body.input(Ids), 1);
    positions = body.op("Slice", {body.input(Positions), body.ints({0}), length, body.ints({0})});
  }
  std::string sum = body.add(words, positions);
  if (body.hasInput(Segments) && body.hasInput(SegmentIds))
    sum = body.add(sum, body.op("Gather", {body.input(Segments), body.input(SegmentIds)}));
  body.setOutput(0,
                 body.op("LayerNormalization", {sum, body.input(Gamma), body.input(Beta)}, body.copies({"epsilon"})));
  body.setOutput(2, sum);
  if (!body.hasOutput(1))
    return;
  // How many words the mask keeps in each row.
  std::string kept =
      body.hasInput(Mask) ? body.input(Mask) : body.mul(body.input(Ids), body.scalar(0, TensorProto::INT32));
  body.setOutput(1, body.reduce("ReduceSum", kept, {1}, /*keep=*/false));
}

void leaf::importer::addNormalizationBodies(BodyTable &table) {
  const char *domain = "com.microsoft";
  table.add("", "SimplifiedLayerNormalization", expandSimplified);
  table.add(domain, "SimplifiedLayerNormalization", expandSimplified);
  table.add(domain, "SkipLayerNormalization", expandSkip);
  table.add(domain, "SkipSimplifiedLayerNormalization", expandSkipSimplified);
  table.add(domain, "EmbedLayerNormalization", expandEmbedding);
}
