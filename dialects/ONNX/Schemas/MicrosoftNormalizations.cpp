//===- MicrosoftNormalizations.cpp - normalizations of com.microsoft ----------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "SchemaBuilder.h"

using namespace leaf::onnx;
using ::onnx::InferenceContext;
using ::onnx::TensorProto;

/// Statistics have the shape of the data with the last dimension 1, in float.
static void inferStatistic(InferenceContext &context, size_t output, int64_t axis) {
  if (context.getNumOutputs() <= output || !context.hasOutput(output))
    return;
  ::onnx::updateOutputElemType(context, output, TensorProto::FLOAT);
  if (!::onnx::hasInputShape(context, 0))
    return;
  ::onnx::TensorShapeProto shape = ::onnx::getInputShape(context, 0);
  for (int d = static_cast<int>(axis < 0 ? axis + shape.dim_size() : axis); d >= 0 && d < shape.dim_size(); ++d)
    shape.mutable_dim(d)->set_dim_value(1);
  ::onnx::updateOutputShape(context, output, shape);
}

/// Results: normalized data, mean, inverse deviation, and the sum that was normalized.
static void inferSkip(InferenceContext &context) {
  inferFirst(context);
  inferStatistic(context, 1, -1);
  inferStatistic(context, 2, -1);
  if (context.getNumOutputs() <= 3 || !context.hasOutput(3))
    return;
  ::onnx::propagateElemTypeFromInputToOutput(context, 0, 3);
  if (::onnx::hasInputShape(context, 0))
    ::onnx::propagateShapeFromInputToOutput(context, 0, 3);
}

static void addSkip(const char *name, const char *doc, bool hasBeta) {
  SchemaBuilder schema(name, doc);
  schema.input("input").input("skip").input("gamma");
  if (hasBeta)
    schema.optional("beta");
  schema.optional("bias")
      .output("output")
      .optionalOutput("mean", "U")
      .optionalOutput("inv_std_var", "U")
      .optionalOutput("input_skip_bias_sum")
      .number("epsilon", 1e-12f)
      .inference(inferSkip)
      .add();
}

static void addSimplified(const char *domain) {
  SchemaBuilder("SimplifiedLayerNormalization", "RMSNormalization under the name that ONNX Runtime gives it.", domain)
      .input("X")
      .input("scale", "V")
      .output("Y", "V")
      .optionalOutput("inv_std_var", "U")
      .constraint("V", {"tensor(float)", "tensor(float16)", "tensor(bfloat16)", "tensor(double)"})
      .integer("axis", -1)
      .number("epsilon", 1e-5f)
      .integer("stash_type", 1)
      .inference([](InferenceContext &context) {
        ::onnx::propagateElemTypeFromInputToOutput(context, 1, 0);
        if (::onnx::hasInputShape(context, 0))
          ::onnx::propagateShapeFromInputToOutput(context, 0, 0);
        inferStatistic(context, 1, ::onnx::getAttribute(context, "axis", -1));
      })
      .add();
}

static void inferEmbedding(InferenceContext &context) {
  ::onnx::propagateElemTypeFromInputToOutput(context, 2, 0);
  if (context.getNumOutputs() > 1 && context.hasOutput(1))
    ::onnx::updateOutputElemType(context, 1, TensorProto::INT32);
  bool hasSum = context.getNumOutputs() > 2 && context.hasOutput(2);
  if (hasSum)
    ::onnx::propagateElemTypeFromInputToOutput(context, 2, 2);
  if (!::onnx::hasInputShape(context, 0) || !::onnx::hasInputShape(context, 2))
    return;
  ::onnx::TensorShapeProto shape = ::onnx::getInputShape(context, 0);
  if (shape.dim_size() != 2 || ::onnx::getInputShape(context, 2).dim_size() != 2)
    fail_shape_inference("ids and embeddings must have rank 2");
  if (context.getNumOutputs() > 1 && context.hasOutput(1)) {
    ::onnx::TensorShapeProto batch;
    *batch.add_dim() = shape.dim(0);
    ::onnx::updateOutputShape(context, 1, batch);
  }
  *shape.add_dim() = ::onnx::getInputShape(context, 2).dim(1);
  ::onnx::updateOutputShape(context, 0, shape);
  if (hasSum)
    ::onnx::updateOutputShape(context, 2, shape);
}

void leaf::onnx::addMicrosoftNormalizations() {
  // ONNX Runtime keeps this one in the standard domain, too.
  addSimplified("");
  addSimplified(kMicrosoftDomain);
  addSkip("SkipLayerNormalization", "LayerNormalization of input + skip + bias over the last dimension.", true);
  addSkip("SkipSimplifiedLayerNormalization", "RMSNormalization of input + skip + bias over the last dimension.",
          false);
  SchemaBuilder("EmbedLayerNormalization", "LayerNormalization of the sum of word, position and segment embeddings.")
      .input("input_ids", "M")
      .optional("segment_ids", "M")
      .input("word_embedding")
      .input("position_embedding")
      .optional("segment_embedding")
      .input("gamma")
      .input("beta")
      .optional("mask", "M")
      .optional("position_ids", "M")
      .output("output")
      .optionalOutput("mask_index", "M")
      .optionalOutput("embedding_sum")
      .number("epsilon", 1e-12f)
      .integer("mask_index_type", 0)
      .inference(inferEmbedding)
      .add();
}
