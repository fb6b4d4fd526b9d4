//===- MicrosoftAttention.cpp - attention of com.microsoft --------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Sizes: B batch, S positions of the query, P of the past, L of the key, N heads, H elements of a head.
//
//===----------------------------------------------------------------------===//

#include "SchemaBuilder.h"

using namespace leaf::onnx;
using ::onnx::AttributeProto;
using ::onnx::InferenceContext;
using ::onnx::TensorShapeProto;
using Dimension = TensorShapeProto::Dimension;

namespace {
bool hasOutput(InferenceContext &context, size_t i) { return context.getNumOutputs() > i && context.hasOutput(i); }

/// The shape of an input if it is known and of this rank.
const TensorShapeProto *shapeOf(InferenceContext &context, size_t input, int rank) {
  if (!context.hasInput(input) || !::onnx::hasInputShape(context, input))
    return nullptr;
  const TensorShapeProto &shape = ::onnx::getInputShape(context, input);
  return shape.dim_size() == rank ? &shape : nullptr;
}

Dimension known(int64_t value) {
  Dimension dim;
  dim.set_dim_value(value);
  return dim;
}

/// a * factor / divisor, unknown where `a` is.
Dimension scaled(const Dimension &a, int64_t factor, int64_t divisor) {
  return a.has_dim_value() && divisor > 0 ? known(a.dim_value() * factor / divisor) : Dimension();
}

Dimension sum(const Dimension &a, const Dimension &b) {
  return a.has_dim_value() && b.has_dim_value() ? known(a.dim_value() + b.dim_value()) : Dimension();
}

void setShape(InferenceContext &context, size_t output, std::initializer_list<Dimension> dims) {
  TensorShapeProto shape;
  for (const Dimension &dim : dims)
    *shape.add_dim() = dim;
  ::onnx::updateOutputShape(context, output, shape);
}
} // namespace

static int64_t attribute(InferenceContext &context, const char *name) {
  return ::onnx::getAttribute(context, name, static_cast<int64_t>(0));
}

static void inferAttention(InferenceContext &context) {
  ::onnx::propagateElemTypeFromInputToOutput(context, 0, 0);
  if (hasOutput(context, 1))
    ::onnx::propagateElemTypeFromInputToOutput(context, 0, 1);
  const TensorShapeProto *x = shapeOf(context, 0, 3), *bias = shapeOf(context, 2, 1);
  if (!x || !bias)
    return;
  int64_t heads = attribute(context, "num_heads");
  const AttributeProto *sizes = context.getAttribute("qkv_hidden_sizes");
  bool given = sizes && sizes->ints_size() == 3;
  Dimension values = given ? known(sizes->ints(2)) : scaled(bias->dim(0), 1, 3);
  setShape(context, 0, {x->dim(0), x->dim(1), values});
  if (!hasOutput(context, 1))
    return;
  const TensorShapeProto *past = shapeOf(context, 4, 5);
  Dimension total = context.hasInput(4) ? past ? sum(past->dim(3), x->dim(1)) : Dimension() : x->dim(1);
  setShape(context, 1, {known(2), x->dim(0), known(heads), total, scaled(values, 1, heads)});
}

static void inferMultiHead(InferenceContext &context) {
  for (size_t i = 0; i < 4; ++i)
    if (hasOutput(context, i))
      ::onnx::propagateElemTypeFromInputToOutput(context, 0, i);
  int64_t heads = attribute(context, "num_heads");
  const TensorShapeProto *query = shapeOf(context, 0, 3), *packed = shapeOf(context, 0, 5);
  if (packed)
    return setShape(context, 0,
                    {packed->dim(0), packed->dim(1), scaled(packed->dim(4), packed->dim(2).dim_value(), 1)});
  if (!query)
    return;
  const TensorShapeProto *value = shapeOf(context, 2, 3), *headed = shapeOf(context, 2, 4);
  Dimension width = value ? value->dim(2) : headed ? scaled(headed->dim(3), heads, 1) : query->dim(2);
  setShape(context, 0, {query->dim(0), query->dim(1), width});
  const TensorShapeProto *key = shapeOf(context, 1, 3), *past = shapeOf(context, 6, 4);
  if (!key || (context.hasInput(6) && !past))
    return;
  Dimension length = past ? sum(past->dim(2), key->dim(1)) : key->dim(1);
  if (hasOutput(context, 1))
    setShape(context, 1, {query->dim(0), known(heads), length, scaled(query->dim(2), 1, heads)});
  if (hasOutput(context, 2))
    setShape(context, 2, {query->dim(0), known(heads), length, scaled(width, 1, heads)});
  if (hasOutput(context, 3))
    setShape(context, 3, {query->dim(0), known(heads), query->dim(1), length});
}

static void inferGroupQuery(InferenceContext &context) {
  for (size_t i = 0; i < 3; ++i)
    if (hasOutput(context, i))
      ::onnx::propagateElemTypeFromInputToOutput(context, i < 1 ? 0 : context.hasInput(2 + i) ? 2 + i : 0, i);
  const TensorShapeProto *query = shapeOf(context, 0, 3);
  if (!query)
    return;
  int64_t heads = attribute(context, "num_heads"), groups = attribute(context, "kv_num_heads");
  bool packed = !context.hasInput(1);
  setShape(context, 0,
           {query->dim(0), query->dim(1), packed ? scaled(query->dim(2), heads, heads + 2 * groups) : query->dim(2)});
}

static void addAttention() {
  SchemaBuilder("Attention", "Multi-head self attention with the projections of query, key and value.")
      .input("input")
      .input("weights")
      .optional("bias")
      .optional("mask_index", "M")
      .optional("past")
      .optional("attention_bias")
      .optional("past_sequence_length", "M")
      .output("output")
      .optionalOutput("present")
      .attribute("num_heads", AttributeProto::INT, /*required=*/true)
      .integer("unidirectional", 0)
      .attribute("qkv_hidden_sizes", AttributeProto::INTS)
      .integer("do_rotary", 0)
      .attribute("rotary_embedding_dim", AttributeProto::INT)
      .number("mask_filter_value", -10000.0f)
      .attribute("scale", AttributeProto::FLOAT)
      .attribute("past_present_share_buffer", AttributeProto::INT)
      .inference(inferAttention)
      .add();
  SchemaBuilder("MultiHeadAttention", "Multi-head attention of projected query, key and value.")
      .input("query")
      .optional("key")
      .optional("value")
      .optional("bias")
      .optional("key_padding_mask", "M")
      .optional("attention_bias")
      .optional("past_key")
      .optional("past_value")
      .optional("past_sequence_length", "M")
      .optional("cache_indirection", "M")
      .output("output")
      .optionalOutput("present_key")
      .optionalOutput("present_value")
      .optionalOutput("qk")
      .attribute("num_heads", AttributeProto::INT, /*required=*/true)
      .integer("unidirectional", 0)
      .number("mask_filter_value", -10000.0f)
      .attribute("scale", AttributeProto::FLOAT)
      .inference(inferMultiHead)
      .add();
}

void leaf::onnx::addMicrosoftAttention() {
  addAttention();
  SchemaBuilder("GroupQueryAttention", "Causal attention whose query heads share heads of key and value, with a cache.")
      .input("query")
      .optional("key")
      .optional("value")
      .optional("past_key", "C")
      .optional("past_value", "C")
      .input("seqlens_k", "M")
      .input("total_sequence_length", "M")
      .optional("cos_cache")
      .optional("sin_cache")
      .optional("position_ids", "tensor(int64)")
      .optional("attention_bias")
      .optional("head_sink")
      .optional("k_scale", "tensor(float)")
      .optional("v_scale", "tensor(float)")
      .optional("q_norm_weight")
      .optional("k_norm_weight")
      .optional("query_seqlens", "M")
      .output("output")
      .optionalOutput("present_key", "C")
      .optionalOutput("present_value", "C")
      .optionalOutput("output_qk")
      .constraint("C", {"tensor(float)", "tensor(float16)", "tensor(bfloat16)", "tensor(int8)", "tensor(uint8)"})
      .attribute("num_heads", AttributeProto::INT, /*required=*/true)
      .attribute("kv_num_heads", AttributeProto::INT, /*required=*/true)
      .attribute("scale", AttributeProto::FLOAT)
      .number("softcap", 0.0f)
      .integer("local_window_size", -1)
      .integer("do_rotary", 0)
      .integer("rotary_interleaved", 0)
      .integer("smooth_softmax", -1)
      .integer("causal", 1)
      .integer("sliding_window_cache", 0)
      .number("qk_norm_epsilon", 1e-6f)
      .attribute("q_norm_epsilon", AttributeProto::FLOAT)
      .attribute("k_norm_epsilon", AttributeProto::FLOAT)
      .integer("qk_output", 0)
      .text("k_quant_type", "NONE")
      .text("v_quant_type", "NONE")
      .attribute("kv_cache_bit_width", AttributeProto::INT)
      .inference(inferGroupQuery)
      .add();
  SchemaBuilder("RotaryEmbedding", "Rotates pairs of elements of each head by the angles of their positions.")
      .input("input")
      .input("position_ids", "tensor(int64)")
      .input("cos_cache")
      .input("sin_cache")
      .output("output")
      .number("scale", 1.0f)
      .integer("interleaved", 0)
      .integer("rotary_embedding_dim", 0)
      .integer("num_heads", 0)
      .integer("is_packed_batching", 0)
      .inference(inferFirst)
      .add();
}
