//===- ModelInfo.cpp - what an ONNX file says about itself -------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ModelInfo.h"

#include "leafcutter/Import/ModelFile.h"
#include "leafcutter/Support/Npz.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include "onnx/onnx-ml.pb.h"

namespace leaf {

static std::string describeElementType(int type) {
  if (type == ::onnx::TensorProto::FLOAT)
    return "float32";
  if (type == ::onnx::TensorProto::DOUBLE)
    return "float64";
  if (!::onnx::TensorProto_DataType_IsValid(type))
    return "type" + std::to_string(type);
  return llvm::StringRef(::onnx::TensorProto_DataType_Name(::onnx::TensorProto_DataType(type))).lower();
}

static TensorInfo describeValue(const ::onnx::ValueInfoProto &value) {
  TensorInfo info;
  info.name = value.name();
  if (!value.type().has_tensor_type()) {
    info.elementType = value.type().has_sequence_type()   ? "sequence"
                       : value.type().has_optional_type() ? "optional"
                                                          : "unknown";
    return info;
  }
  const auto &tensor = value.type().tensor_type();
  info.elementType = describeElementType(tensor.elem_type());
  info.hasShape = tensor.has_shape();
  for (const auto &dim : tensor.shape().dim()) {
    // Exporters write an unnamed open dimension as nothing, 0, -1 or '?'; import calls it INPUT.AXIS.
    std::string axis = std::to_string(info.dims.size());
    bool named = !dim.dim_param().empty() && dim.dim_param() != "?";
    info.dims.push_back(dim.has_dim_value() && dim.dim_value() > 0 ? std::to_string(dim.dim_value())
                        : named                                    ? dim.dim_param()
                                                                   : value.name() + "." + axis);
    info.open.push_back(!(dim.has_dim_value() && dim.dim_value() > 0));
  }
  return info;
}

static void countTensor(const ::onnx::TensorProto &tensor, ModelInfo &info) {
  // Sizes are what the file claims: they may be negative, or have no product.
  int64_t count = 1, bytes = std::max(1u, getElementBytes(describeElementType(tensor.data_type())));
  for (int64_t size : tensor.dims())
    if (size < 0 || llvm::MulOverflow(count, size, count))
      return;
  if (llvm::MulOverflow(bytes, count, bytes) || llvm::AddOverflow(info.weightBytes, bytes, bytes))
    return;
  info.parameters += count;
  info.weightBytes = bytes;
}

template <typename Nodes> static void countNodes(const Nodes &nodes, ModelInfo &info);

static void countGraph(const ::onnx::GraphProto &graph, ModelInfo &info) {
  for (const ::onnx::TensorProto &tensor : graph.initializer())
    countTensor(tensor, info);
  countNodes(graph.node(), info);
}

template <typename Nodes> static void countNodes(const Nodes &nodes, ModelInfo &info) {
  for (const ::onnx::NodeProto &node : nodes) {
    bool standard = node.domain().empty() || node.domain() == "ai.onnx";
    ++info.operators[standard ? node.op_type() : node.domain() + "." + node.op_type()];
    for (const ::onnx::AttributeProto &attribute : node.attribute()) {
      if (attribute.has_g())
        countGraph(attribute.g(), info);
      for (const ::onnx::GraphProto &graph : attribute.graphs())
        countGraph(graph, info);
      if (node.op_type() == "Constant" && attribute.has_t())
        countTensor(attribute.t(), info);
    }
  }
}

llvm::Expected<ModelInfo> readModelInfo(llvm::StringRef path) {
  ::onnx::ModelProto model;
  if (llvm::Error error = readModelFile(path, model))
    return llvm::createStringError(path + ": " + llvm::toString(std::move(error)));
  ModelInfo info;
  info.producer = model.producer_name();
  for (const auto &opset : model.opset_import())
    if (opset.domain().empty() || opset.domain() == "ai.onnx")
      info.opset = opset.version();
  llvm::StringSet<> initializers;
  for (const ::onnx::TensorProto &tensor : model.graph().initializer())
    initializers.insert(tensor.name());
  for (const ::onnx::ValueInfoProto &input : model.graph().input())
    if (!initializers.contains(input.name()))
      info.inputs.push_back(describeValue(input));
  for (const ::onnx::ValueInfoProto &output : model.graph().output())
    info.outputs.push_back(describeValue(output));
  countGraph(model.graph(), info);
  for (const ::onnx::FunctionProto &function : model.functions())
    countNodes(function.node(), info);
  return info;
}

} // namespace leaf
