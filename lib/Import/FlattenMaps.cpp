//===- FlattenMaps.cpp - ZipMap outputs as plain tensors -----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "SourceModel.h"

using namespace leaf;
using namespace leaf::importer;

/// "0, 1, 2, ..." for the remark; labels are model text and may be long.
static std::string listLabels(const ::onnx::AttributeProto &labels) {
  constexpr int kMaxShown = 12;
  std::string text;
  int count = std::max(labels.ints_size(), labels.strings_size());
  for (int i = 0; i < std::min(count, kMaxShown); ++i)
    text += (i ? ", " : "") + (labels.ints_size() ? std::to_string(labels.ints(i)) : labels.strings(i));
  return count > kMaxShown ? text + ", ..." : text;
}

void importer::flattenMaps(SourceModel &model) {
  ::onnx::GraphProto &graph = *model.proto.mutable_graph();
  for (auto &node : *graph.mutable_node()) {
    if (node.op_type() != "ZipMap" || node.domain() != "ai.onnx.ml" || node.input_size() != 1 ||
        node.output_size() != 1 || node.attribute_size() != 1)
      continue;
    ::onnx::AttributeProto labels = node.attribute(0);
    for (auto &output : *graph.mutable_output()) {
      if (output.name() != node.output(0))
        continue;
      auto &tensor = *output.mutable_type()->mutable_tensor_type();
      tensor.set_elem_type(::onnx::TensorProto::FLOAT);
      tensor.mutable_shape()->add_dim();
      tensor.mutable_shape()->add_dim()->set_dim_value(std::max(labels.ints_size(), labels.strings_size()));
    }
    model.remarks.push_back("output '" + node.output(0) + "' is a tensor, not a sequence of maps; its columns are " +
                            listLabels(labels));
    node.clear_domain();
    node.clear_attribute();
    node.set_op_type("Identity");
  }
}
