//===- AttentionBodies.cpp - attention of com.microsoft -----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Sizes: B batch, S positions of the query, P of the past, T of the key with its past, N heads, G heads of key and
// value, H elements of a head. Semantics where the documentation is silent: ONNX Runtime's CPU kernels.
//
//===----------------------------------------------------------------------===//

#include "Body.h"

#include "../CacheSizes.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace leaf::importer;
using ::onnx::MakeAttribute;
using ::onnx::TensorProto;

//===----------------------------------------------------------------------===//
// Common parts
//===----------------------------------------------------------------------===//

/// [B, S, N * H] -> [B, N, S, H].
static std::string splitHeads(Body &body, std::string x, int64_t heads) {
  return body.transpose(body.reshape(std::move(x), {0, 0, heads, -1}), {0, 2, 1, 3});
}

/// [B, N, S, H] -> [B, S, N * H].
static std::string mergeHeads(Body &body, std::string x) {
  return body.reshape(body.transpose(std::move(x), {0, 2, 1, 3}), {0, 0, -1});
}

/// 0 .. length - 1 as int64, from a tensor of one element.
static std::string rangeTo(Body &body, std::string length) {
  return body.op("Range", {body.scalar(0, TensorProto::INT64), body.squeeze(std::move(length), {0}),
                           body.scalar(1, TensorProto::INT64)});
}

static double scaleOf(const Body &body, int64_t headSize) {
  float scale = body.getFloat("scale");
  return scale != 0 ? scale : 1 / std::sqrt(static_cast<double>(headSize));
}

static std::string lowest(Body &body) {
  return body.scalar(-std::numeric_limits<double>::infinity(), body.elementType(0));
}

/// softmax(scores) x value of [B, N, S, T] and [B, N, T, H], as [B, S, N * H].
static std::string attend(Body &body, std::string scores, std::string value) {
  std::string weights = body.op("Softmax", {std::move(scores)}, {MakeAttribute("axis", static_cast<int64_t>(-1))});
  return mergeHeads(body, body.op("MatMul", {weights, std::move(value)}));
}

/// scale * query x key^T of [B, N, S, H] and [B, N, T, H].
static std::string scoresOf(Body &body, std::string query, std::string key, double scale) {
  std::string product = body.op("MatMul", {std::move(query), body.transpose(std::move(key), {0, 1, 3, 2})});
  return body.mul(product, body.scalar(scale, body.elementType(0)));
}

/// What a padding mask adds to the scores, broadcast to [B, N, S, T]: mask_filter_value where a key is padding. `mask`
/// is [B] or [2 B] (ends, then begins of the keys that count), [B, T], or [B, S, T] with ones for keys that count.
static std::string paddingBias(Body &body, int mask, std::string positions) {
  std::string given = body.input(mask), kept;
  int rank = body.rank(mask);
  if (rank == 1) {
    std::optional<int64_t> batch = body.findDim(0, 0);
    int64_t count = body.dim(mask, 0);
    body.require(batch && (count == *batch || count == 2 * *batch),
                 "has a mask that is no list of lengths (batch, or twice the batch)");
    std::string wide = body.cast(given, TensorProto::INT64);
    std::string ends = body.unsqueeze(body.slice(wide, 0, 0, *batch), {1});
    kept = body.op("Less", {positions, ends});
    if (count != *batch) {
      std::string begins = body.unsqueeze(body.slice(wide, 0, *batch, count), {1});
      kept = body.op("And", {kept, body.op("GreaterOrEqual", {positions, begins})});
    }
    kept = body.unsqueeze(kept, {1, 2});
  } else {
    body.require(rank == 2 || rank == 3, "has a mask of rank 4, which is not supported; give one of rank 1 to 3");
    std::string counts = body.op("Greater", {given, body.scalar(0, TensorProto::INT32)});
    kept = body.unsqueeze(counts, rank == 2 ? std::vector<int64_t>{1, 2} : std::vector<int64_t>{1});
  }
  int32_t type = body.elementType(0);
  return body.op("Where", {kept, body.scalar(0, type), body.scalar(body.getFloat("mask_filter_value"), type)});
}

/// Adds padding mask and bias, and hides keys behind the query where attention is unidirectional.
static std::string maskScores(Body &body, std::string scores, int mask, int bias) {
  std::string keys = rangeTo(body, body.sizeOf(scores, 3));
  if (body.hasInput(mask))
    scores = body.add(scores, paddingBias(body, mask, keys));
  if (body.hasInput(bias))
    scores = body.add(scores, body.input(bias));
  if (body.getInt("unidirectional") == 0)
    return scores;
  std::string length = body.sizeOf(scores, 2);
  std::string offset = body.sub(body.sizeOf(scores, 3), length);
  std::string rows = body.unsqueeze(body.add(rangeTo(body, length), offset), {1});
  return body.op("Where", {body.op("LessOrEqual", {keys, rows}), scores, lowest(body)});
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

static void expandAttention(Body &body) {
  enum Input { X, Weights, Bias, Mask, Past, AttentionBias, PastLength };
  body.require(body.getInt("do_rotary") == 0, "rotates query and key; rotate them by RotaryEmbedding");
  body.require(!body.hasInput(PastLength) && body.getInt("past_present_share_buffer") == 0,
               "shares a buffer between past and present; export the model without past_present_share_buffer");
  int64_t heads = body.getInt("num_heads");
  std::vector<int64_t> sizes = body.getInts("qkv_hidden_sizes");
  if (sizes.size() != 3)
    sizes.assign(3, body.dim(Weights, 1) / 3);
  body.require(heads > 0 && sizes[0] % heads == 0 && sizes[2] % heads == 0, "has heads that do not divide its sizes");
  std::string projected = body.op("MatMul", {body.input(X), body.input(Weights)});
  if (body.hasInput(Bias))
    projected = body.add(projected, body.input(Bias));
  std::string parts[3];
  for (int64_t i = 0, begin = 0; i < 3; begin += sizes[i++])
    parts[i] = splitHeads(body, body.slice(projected, 2, begin, begin + sizes[i]), heads);
  auto &[query, key, value] = parts;
  if (body.hasInput(Past)) {
    auto past = [&](int64_t i) { return body.squeeze(body.slice(body.input(Past), 0, i, i + 1), {0}); };
    key = body.concat({past(0), key}, 2);
    value = body.concat({past(1), value}, 2);
  }
  if (body.hasOutput(1))
    body.setOutput(1, body.concat({body.unsqueeze(key, {0}), body.unsqueeze(value, {0})}, 0));
  std::string scores = scoresOf(body, query, key, scaleOf(body, sizes[0] / heads));
  body.setOutput(0, attend(body, maskScores(body, scores, Mask, AttentionBias), value));
}

//===----------------------------------------------------------------------===//
// MultiHeadAttention
//===----------------------------------------------------------------------===//

namespace {
/// Query, key and value as [B, N, length, H].
struct Heads {
  std::string query, key, value;
  int64_t headSize;
};
} // namespace

enum MultiHeadInput { Query, Key, Value, Bias, Padding, AttentionBias, PastKey, PastValue, PastLength, Indirection };

/// Query, key and value come apart, key and value together as [B, T, N, 2, H], or all together as [B, S, N, 3, H].
static Heads multiHeads(Body &body, int64_t heads) {
  auto part = [&](int i, int64_t at) {
    return body.transpose(body.squeeze(body.slice(body.input(i), 3, at, at + 1), {3}), {0, 2, 1, 3});
  };
  if (body.rank(Query) == 5) {
    body.require(!body.hasInput(Bias), "has a bias for packed query, key and value, which is not supported");
    return {part(Query, 0), part(Query, 1), part(Query, 2), body.dim(Query, 4)};
  }
  int64_t width = body.dim(Query, 2);
  body.require(heads > 0 && width % heads == 0, "has heads that do not divide the size of its query");
  std::string query = body.input(Query), key, value;
  auto biased = [&](std::string x, int64_t begin, int64_t end) {
    return body.hasInput(Bias) ? body.add(std::move(x), body.slice(body.input(Bias), 0, begin, end)) : x;
  };
  query = splitHeads(body, biased(query, 0, width), heads);
  if (body.rank(Key) == 5)
    return {query, part(Key, 0), part(Key, 1), width / heads};
  if (body.rank(Key) == 4) // of the past of a cross attention
    return {query, body.input(Key), body.input(Value), width / heads};
  int64_t end = body.hasInput(Bias) ? body.dim(Bias, 0) : 0;
  key = splitHeads(body, biased(body.input(Key), width, 2 * width), heads);
  value = splitHeads(body, biased(body.input(Value), 2 * width, end), heads);
  return {query, key, value, width / heads};
}

static void expandMultiHead(Body &body) {
  body.require(!body.hasInput(PastLength) && !body.hasInput(Indirection),
               "shares a buffer between past and present; export the model without it");
  int64_t heads = body.getInt("num_heads");
  Heads parts = multiHeads(body, heads);
  if (body.hasInput(PastKey)) {
    parts.key = body.concat({body.input(PastKey), parts.key}, 2);
    parts.value = body.concat({body.input(PastValue), parts.value}, 2);
  }
  body.setOutput(1, parts.key);
  body.setOutput(2, parts.value);
  std::string scores = scoresOf(body, parts.query, parts.key, scaleOf(body, parts.headSize));
  scores = maskScores(body, scores, Padding, AttentionBias);
  body.setOutput(3, scores);
  body.setOutput(0, attend(body, scores, parts.value));
}

//===----------------------------------------------------------------------===//
// GroupQueryAttention
//===----------------------------------------------------------------------===//

namespace {
class GroupQuery {
public:
  explicit GroupQuery(Body &body) : body(body), type(body.elementType(Query)) {}
  void expand();

private:
  enum Input {
    Query,
    Key,
    Value,
    PastKey,
    PastValue,
    Lengths,
    TotalLength,
    Cosines,
    Sines,
    Positions,
    AttentionBias,
    Sink,
    KeyScale,
    ValueScale,
    QueryNorm,
    KeyNorm,
    QueryLengths
  };
  void check();
  void project();
  void findPositions();
  std::string normalize(std::string x, int weight, const char *epsilon);
  std::string rotate(std::string x);
  std::string present(std::string added, int past, int result);
  std::string allowed(std::string total);
  std::string weigh(std::string scores);

  Body &body;
  int32_t type;
  int64_t heads = 0, groups = 0, headSize = 0;
  std::string query, key, value;
  std::string pastLengths; ///< [B] int64: keys before the first of this call
  std::string positions;   ///< [B, S] int64: of the query
};
} // namespace

void GroupQuery::check() {
  heads = body.getInt("num_heads"), groups = body.getInt("kv_num_heads");
  body.require(heads > 0 && groups > 0 && heads % groups == 0, "has heads of keys that do not divide those of queries");
  body.require(!body.hasInput(KeyScale) && !body.hasInput(ValueScale) && body.getString("k_quant_type") == "NONE" &&
                   body.getString("v_quant_type") == "NONE",
               "has a quantized cache, which is not supported; export the model with a cache of floats");
  body.require(body.hasInput(PastKey) == body.hasInput(PastValue), "has a past of only one of key and value");
  body.require(!body.hasOutput(3), "has the scores as result, which is not supported");
  body.require(body.getInt("sliding_window_cache") == 0 && !body.hasInput(QueryLengths),
               "has a cache of the size of its window, or padded queries, which is not supported");
}

void GroupQuery::project() {
  int64_t width = body.dim(Query, 2), parts = body.hasInput(Key) ? heads : heads + 2 * groups;
  body.require(width % parts == 0, "has heads that do not divide the size of its query");
  headSize = width / parts;
  if (body.hasInput(Key)) {
    query = splitHeads(body, body.input(Query), heads);
    key = splitHeads(body, body.input(Key), groups);
    value = splitHeads(body, body.input(Value), groups);
    return;
  }
  int64_t keys = heads * headSize, values = keys + groups * headSize;
  query = splitHeads(body, body.slice(body.input(Query), 2, 0, keys), heads);
  key = splitHeads(body, body.slice(body.input(Query), 2, keys, values), groups);
  value = splitHeads(body, body.slice(body.input(Query), 2, values, width), groups);
}

/// The first call has no past whatever the cache holds: there total_sequence_length is the query's length.
void GroupQuery::findPositions() {
  std::string length = body.sizeOf(body.input(Query), 1);
  std::string total = body.reshape(body.cast(body.input(TotalLength), TensorProto::INT64), {1});
  // seqlens_k is [B] or [B, 1]: the number of keys less one.
  std::string last = body.reshape(body.cast(body.input(Lengths), TensorProto::INT64), {-1});
  std::string before = body.sub(body.add(last, body.ints({1})), length);
  pastLengths = body.op("Where", {body.op("Equal", {total, length}), body.ints({0}), before});
  positions = body.add(body.unsqueeze(pastLengths, {1}), body.unsqueeze(rangeTo(body, length), {0}));
}

std::string GroupQuery::normalize(std::string x, int weight, const char *epsilon) {
  if (!body.hasInput(weight))
    return x;
  float value = body.getFloat(body.hasAttr(epsilon) ? epsilon : "qk_norm_epsilon");
  return body.op("RMSNormalization", {std::move(x), body.input(weight)}, {MakeAttribute("epsilon", value)});
}

std::string GroupQuery::rotate(std::string x) {
  if (body.getInt("do_rotary") == 0)
    return x;
  int64_t rotated = body.dim(Cosines, 1) * 2;
  std::string at = body.hasInput(Positions) ? body.input(Positions) : positions;
  Body::Attributes attributes = {MakeAttribute("interleaved", body.getInt("rotary_interleaved"))};
  if (rotated != headSize)
    attributes.push_back(MakeAttribute("rotary_embedding_dim", rotated));
  return body.op("RotaryEmbedding", {std::move(x), body.input(Cosines), body.input(Sines), at}, attributes);
}

/// The cache with the new rows. It keeps its size where the model declares the present as large as the past (one buffer
/// of full capacity); otherwise it grows by the new rows.
std::string GroupQuery::present(std::string added, int past, int result) {
  if (!body.hasInput(past)) {
    body.setOutput(result, added);
    return added;
  }
  std::string cache = body.input(past);
  bool keepsSize = body.getInt(kKeepsCacheSize) != 0;
  if (!keepsSize && body.findDim(Query, 0) == 1) {
    cache = body.concat({cache, added}, 2);
  } else {
    if (!keepsSize) {
      // Rows of shorter pasts are cleared, as the rest of the result is.
      std::string at = body.unsqueeze(rangeTo(body, body.sizeOf(cache, 2)), {0});
      std::string isPast = body.op("Less", {at, body.unsqueeze(pastLengths, {1})});
      cache = body.op("Where", {body.unsqueeze(isPast, {1, 3}), cache, body.scalar(0, type)});
      cache = body.concat({cache, body.mul(added, body.scalar(0, type))}, 2);
    }
    cache = body.op("TensorScatter", {cache, added, pastLengths}, {MakeAttribute("axis", static_cast<int64_t>(2))});
  }
  body.setOutput(result, cache);
  return cache;
}

/// Which keys a query sees, [B, 1, S, T]: those up to its own position, and not further back than the window.
std::string GroupQuery::allowed(std::string total) {
  std::string keys = body.unsqueeze(rangeTo(body, std::move(total)), {0, 1, 2});
  std::string rows = body.unsqueeze(positions, {1, 3});
  if (body.getInt("causal") == 0) {
    std::string last = body.reduce("ReduceMax", positions, {1});
    return body.op("LessOrEqual", {keys, body.unsqueeze(last, {2, 3})});
  }
  std::string result = body.op("LessOrEqual", {keys, rows});
  int64_t window = body.getInt("local_window_size");
  if (window < 0)
    return result;
  std::string first = body.sub(rows, body.scalar(static_cast<double>(window), TensorProto::INT64));
  return body.op("And", {result, body.op("Greater", {keys, first})});
}

/// Softmax, with one more element in the sum where there is a sink: e^0, or e^head_sink.
std::string GroupQuery::weigh(std::string scores) {
  if (body.getInt("smooth_softmax") != 1 && !body.hasInput(Sink))
    return body.op("Softmax", {std::move(scores)}, {MakeAttribute("axis", static_cast<int64_t>(-1))});
  std::string sink = body.hasInput(Sink) ? body.reshape(body.input(Sink), {1, -1, 1, 1}) : body.scalar(0, type);
  std::string max = body.op("Max", {body.reduce("ReduceMax", scores, {3}), sink});
  std::string exps = body.op("Exp", {body.sub(std::move(scores), max)});
  std::string sum = body.add(body.reduce("ReduceSum", exps, {3}), body.op("Exp", {body.sub(sink, max)}));
  return body.div(exps, sum);
}

void GroupQuery::expand() {
  check();
  project();
  findPositions();
  query = rotate(normalize(query, QueryNorm, "q_norm_epsilon"));
  key = present(rotate(normalize(key, KeyNorm, "k_norm_epsilon")), PastKey, 1);
  value = present(value, PastValue, 2);
  std::string total = body.sizeOf(key, 2);
  // Heads that share keys are more rows of one product.
  std::string rows = body.reshape(query, {0, groups, -1, headSize});
  std::string scores = scoresOf(body, rows, key, scaleOf(body, headSize));
  if (float softcap = body.getFloat("softcap"); softcap > 0) {
    std::string cap = body.scalar(softcap, type);
    scores = body.mul(body.op("Tanh", {body.div(scores, cap)}), cap);
  }
  std::string shape = body.concat({body.ints({0, heads, -1}), total}, 0);
  scores = body.op("Reshape", {scores, shape});
  if (body.hasInput(AttentionBias))
    scores = body.add(scores, body.input(AttentionBias));
  scores = body.op("Where", {allowed(total), scores, lowest(body)});
  std::string weights = weigh(scores);
  std::string grouped = body.concat({body.ints({0, groups, -1}), total}, 0);
  std::string result = body.op("MatMul", {body.op("Reshape", {weights, grouped}), value});
  body.setOutput(0, mergeHeads(body, body.reshape(result, {0, heads, -1, headSize})));
}

static void expandGroupQuery(Body &body) { GroupQuery(body).expand(); }

//===----------------------------------------------------------------------===//
// RotaryEmbedding
//===----------------------------------------------------------------------===//

/// position_ids are [B, S], or one position at which all rows begin.
static void expandRotary(Body &body) {
  enum Input { X, Positions, Cosines, Sines };
  body.require(body.getInt("is_packed_batching") == 0, "has packed batches, which are not supported");
  body.require(body.getFloat("scale") == 1, "has a scale, which is not supported");
  int rank = body.rank(X);
  body.require(rank == 3 || rank == 4, "has an input that is neither [B, S, N * H] nor [B, N, S, H]");
  int64_t rotated = body.getInt("rotary_embedding_dim"), heads = body.getInt("num_heads");
  if (rank == 3 && heads == 0)
    heads = body.dim(X, 2) / std::max<int64_t>(body.dim(Cosines, 1) * 2, 1);
  std::string positions = body.input(Positions);
  if (body.rank(Positions) == 1) {
    std::string batch = body.op(
        "Expand", {body.unsqueeze(positions, {1}), body.concat({body.sizeOf(body.input(X), 0), body.ints({1})}, 0)});
    std::string length = body.sizeOf(body.input(X), rank == 3 ? 1 : 2);
    positions = body.add(batch, body.unsqueeze(rangeTo(body, length), {0}));
  }
  Body::Attributes attributes = body.copies({"interleaved"});
  if (rotated != 0)
    attributes.push_back(MakeAttribute("rotary_embedding_dim", rotated));
  if (rank == 3)
    attributes.push_back(MakeAttribute("num_heads", heads));
  body.setOutput(
      0, body.op("RotaryEmbedding", {body.input(X), body.input(Cosines), body.input(Sines), positions}, attributes));
}

void leaf::importer::addAttentionBodies(BodyTable &table) {
  const char *domain = "com.microsoft";
  table.add(domain, "Attention", expandAttention);
  table.add(domain, "MultiHeadAttention", expandMultiHead);
  table.add(domain, "GroupQueryAttention", expandGroupQuery);
  table.add(domain, "RotaryEmbedding", expandRotary);
}
