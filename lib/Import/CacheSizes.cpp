//===- CacheSizes.cpp - caches that keep their size --------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CacheSizes.h"

#include "onnx/defs/attr_proto_util.h"

using namespace leaf;
using namespace leaf::importer;
using Values = google::protobuf::RepeatedPtrField<::onnx::ValueInfoProto>;
using Dimension = ::onnx::TensorShapeProto::Dimension;

/// The length of a cache [batch, heads, length, size]; null where `name` is none of these.
static const Dimension *lengthOf(const Values &values, const std::string &name) {
  for (const auto &value : values)
    if (!name.empty() && value.name() == name && value.type().tensor_type().shape().dim_size() == 4)
      return &value.type().tensor_type().shape().dim(2);
  return nullptr;
}

static bool isSame(const Dimension &a, const Dimension &b) {
  if (a.has_dim_value() || b.has_dim_value())
    return a.has_dim_value() && b.has_dim_value() && a.dim_value() == b.dim_value();
  return !a.dim_param().empty() && a.dim_param() == b.dim_param();
}

void importer::markCacheSizes(SourceModel &model) {
  constexpr int kPastKey = 3, kPresentKey = 1;
  auto &graph = *model.proto.mutable_graph();
  for (auto &node : *graph.mutable_node()) {
    if (node.op_type() != "GroupQueryAttention" || node.domain() != "com.microsoft" || node.input_size() <= kPastKey ||
        node.output_size() <= kPresentKey)
      continue;
    const Dimension *past = lengthOf(graph.input(), node.input(kPastKey));
    const Dimension *present = lengthOf(graph.output(), node.output(kPresentKey));
    if (past && present && isSame(*past, *present))
      *node.add_attribute() = ::onnx::MakeAttribute(kKeepsCacheSize, static_cast<int64_t>(1));
  }
}
