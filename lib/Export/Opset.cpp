//===- Opset.cpp - back to the opset that the model came with -----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "GraphWriter.h"

#include "onnx/checker.h"
#include "onnx/defs/schema.h"
#include "onnx/version_converter/convert.h"

using namespace leaf::exporter;
using ::onnx::AttributeProto;
using ::onnx::GraphProto;
using ::onnx::ModelProto;
using ::onnx::NodeProto;
using ::onnx::TensorProto;

/// QuantizeLinear and DequantizeLinear have an axis since 13, and 16 bits since 21.
static constexpr int64_t kPerChannelOpset = 13, kWideQuantizationOpset = 21;

/// A domain that the converter passes by. It has no adapters for quantization, whose versions since 13 differ in
/// element types and in attributes that we only write where they say something.
static constexpr const char *kUntouched = "leafcutter.untouched";

static bool isQuantization(const NodeProto &node) {
  return node.op_type() == "QuantizeLinear" || node.op_type() == "DequantizeLinear";
}

/// The oldest opset that has what quantization needs; attributes that say nothing are dropped.
static void requireOpset(GraphProto &graph, int64_t &least) {
  for (NodeProto &node : *graph.mutable_node()) {
    if (isQuantization(node)) {
      least = std::max(least, kPerChannelOpset);
      auto &attributes = *node.mutable_attribute();
      for (int i = attributes.size() - 1; i >= 0; --i)
        if (attributes[i].name() != "axis" && (attributes[i].i() == 0 || attributes[i].name() == "saturate"))
          attributes.DeleteSubrange(i, 1);
        else if (attributes[i].name() != "axis")
          least = std::max(least, kWideQuantizationOpset);
    }
    for (AttributeProto &attribute : *node.mutable_attribute())
      if (attribute.has_g())
        requireOpset(*attribute.mutable_g(), least);
  }
}

static void moveQuantization(GraphProto &graph, const std::string &domain) {
  for (NodeProto &node : *graph.mutable_node()) {
    if (isQuantization(node))
      node.set_domain(domain);
    for (AttributeProto &attribute : *node.mutable_attribute())
      if (attribute.has_g())
        moveQuantization(*attribute.mutable_g(), domain);
  }
}

static ModelProto convert(const ModelProto &model, int64_t version) {
  ModelProto converted = ::onnx::version_conversion::ConvertVersion(model, static_cast<int>(version));
  auto &opsets = *converted.mutable_opset_import();
  for (int i = opsets.size() - 1; i >= 0; --i)
    if (opsets[i].domain() == kUntouched)
      opsets.DeleteSubrange(i, 1);
  moveQuantization(*converted.mutable_graph(), "");
  ::onnx::checker::check_model(converted);
  return converted;
}

static bool hasWideQuantization(const GraphProto &graph) {
  std::set<std::string> wide;
  auto isWide = [](int32_t type) { return type == TensorProto::INT16 || type == TensorProto::UINT16; };
  for (const TensorProto &tensor : graph.initializer())
    if (isWide(tensor.data_type()))
      wide.insert(tensor.name());
  for (const auto &input : graph.input())
    if (isWide(input.type().tensor_type().elem_type()))
      wide.insert(input.name());
  for (const NodeProto &node : graph.node())
    if (isQuantization(node))
      for (const std::string &input : node.input())
        if (wide.count(input))
          return true;
  return false;
}

void leaf::exporter::lowerOpset(ModelProto &model, int64_t wanted) {
  int64_t newest = model.opset_import(0).version();
  requireOpset(*model.mutable_graph(), wanted);
  if (hasWideQuantization(model.graph()))
    wanted = std::max(wanted, kWideQuantizationOpset);
  if (wanted <= 0 || wanted >= newest)
    return;
  ModelProto source = model;
  moveQuantization(*source.mutable_graph(), kUntouched);
  auto &untouched = *source.add_opset_import();
  untouched.set_domain(kUntouched);
  untouched.set_version(1);
  // The converter refuses what an older version cannot express; each version in between may still do.
  for (int64_t version = wanted; version < newest; ++version) {
    try {
      model = convert(source, version);
      return;
    } catch (const std::exception &) {
      continue;
    }
  }
}
