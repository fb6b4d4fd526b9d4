//===- Upgrade.cpp - newest opset, functions inlined, types inferred ---------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "SourceModel.h"
#include "TrainingOps.h"

#include "onnx/checker.h"
#include "onnx/defs/schema.h"
#include "onnx/inliner/inliner.h"
#include "onnx/shape_inference/implementation.h"
#include "onnx/version_converter/convert.h"

#include "llvm/ADT/StringExtras.h"

using namespace leaf;
using namespace leaf::importer;
using ::onnx::GraphProto;
using ::onnx::ModelProto;
using ::onnx::OpSchemaRegistry;

namespace {

constexpr int64_t kOldestOpset = 1;
/// Nodes that one message lists at most.
constexpr int kMentioned = 5;

/// "ai.onnx" is another spelling of the default domain; libonnx's converter wants one of them.
int64_t normalizeOpset(ModelProto &proto) {
  int64_t version = 0;
  for (auto &import : *proto.mutable_opset_import()) {
    if (import.domain() == "ai.onnx")
      import.clear_domain();
    if (import.domain().empty())
      version = std::max(version, import.version());
  }
  auto &imports = *proto.mutable_opset_import();
  bool seen = false;
  for (int i = imports.size() - 1; i >= 0; --i)
    if (imports[i].domain().empty()) {
      if (seen)
        imports.DeleteSubrange(i, 1);
      else
        imports[i].set_version(version), seen = true;
    }
  return version;
}

int64_t newestOpset() { return OpSchemaRegistry::DomainToVersionRange::Instance().Map().at("").second; }

/// Paths of libonnx's sources in its messages tell the user nothing.
std::string cleanMessage(llvm::StringRef message) {
  size_t assertion = message.find("failed: ");
  if (message.contains("Assertion") && assertion != llvm::StringRef::npos)
    message = message.drop_front(assertion + 8);
  if (message.consume_front("[ShapeInferenceError] "))
    message = message.ltrim();
  return message.rtrim().str();
}

/// Nodes whose operator a message of the version converter mentions, since it does not name the node itself.
std::string mentionedNodes(const GraphProto &graph, llvm::StringRef message) {
  llvm::SmallVector<llvm::StringRef> words;
  llvm::SplitString(message, words, " \t\n'\",:;.()`");
  std::string out;
  int found = 0;
  for (int i = 0; i < graph.node_size() && found <= kMentioned; ++i)
    if (llvm::is_contained(words, llvm::StringRef(graph.node(i).op_type())))
      out += (out.empty() ? " (" : ", ") + (found++ == kMentioned ? "…" : describeNode(graph.node(i), i));
  return out.empty() ? out : out + ")";
}

void inferTypes(ModelProto &proto) {
  // Propagated values have no size limit in libonnx (a Range of 2^62), and normalize tracks values itself.
  ::onnx::ShapeInferenceOptions options(/*check_type=*/false, /*strict_mode=*/0, /*data_propagation=*/false);
  ::onnx::shape_inference::InferShapes(proto, OpSchemaRegistry::Instance(), options);
}

/// Before opset 7 the slopes of PRelu are those of channels, which libonnx's converter does not know: they get
/// dimensions of 1 for what follows.
void alignSlopes(ModelProto &proto) {
  GraphProto &graph = *proto.mutable_graph();
  inferTypes(proto);
  std::map<std::string, const ::onnx::TypeProto *> types;
  for (const auto *values : {&graph.input(), &graph.value_info()})
    for (const auto &value : *values)
      types[value.name()] = &value.type();
  std::map<std::string, int> ranks;
  for (const auto &[name, type] : types)
    if (type->tensor_type().has_shape())
      ranks[name] = type->tensor_type().shape().dim_size();
  for (const auto &tensor : graph.initializer())
    ranks[tensor.name()] = tensor.dims_size();
  google::protobuf::RepeatedPtrField<::onnx::NodeProto> nodes;
  for (auto &node : *graph.mutable_node()) {
    bool isVector = node.op_type() == "PRelu" && node.domain().empty() && ranks[node.input(1)] == 1;
    if (isVector && ranks[node.input(0)] > 2) {
      ::onnx::NodeProto &unsqueeze = *nodes.Add();
      unsqueeze.set_op_type("Unsqueeze");
      unsqueeze.set_name(node.name());
      unsqueeze.add_input(node.input(1));
      unsqueeze.add_output(node.output(0) + "/slope");
      ::onnx::AttributeProto &axes = *unsqueeze.add_attribute();
      axes.set_name("axes");
      axes.set_type(::onnx::AttributeProto::INTS);
      for (int d = 1; d < ranks[node.input(0)] - 1; ++d)
        axes.add_ints(d);
      node.set_input(1, unsqueeze.output(0));
    }
    nodes.Add()->Swap(&node);
  }
  graph.mutable_node()->Swap(&nodes);
}

/// As libonnx's ConvertVersion, which makes a converter, with copies of all schemas, for each model.
ModelProto convertVersion(ModelProto &proto, int64_t version, int64_t newest) {
  static const ::onnx::version_conversion::DefaultVersionConverter converter;
  ::onnx::shape_inference::InferShapes(proto);
  return converter.convert_version(proto, ::onnx::OpSetID(version), ::onnx::OpSetID(newest));
}

void convertOpset(SourceModel &model) {
  int64_t version = model.opset = normalizeOpset(model.proto), newest = newestOpset();
  if (version == newest)
    return;
  if (version == 0) { // only operators of other domains
    model.proto.add_opset_import()->set_version(newest);
    return;
  }
  if (version < kOldestOpset || version > newest)
    throw ImportError("uses opset " + std::to_string(version) + "; opsets " + std::to_string(kOldestOpset) + " to " +
                      std::to_string(newest) + " can be read");
  if (version < 7)
    alignSlopes(model.proto);
  try {
    if (version == 8 && wrapBatchedScans(model.proto)) {
      model.proto = convertVersion(model.proto, 8, 9);
      showBatchedScans(model.proto);
      version = 9;
    }
    model.proto = convertVersion(model.proto, version, newest);
  } catch (const std::exception &error) {
    throw ImportError("cannot be converted from opset " + std::to_string(version) + " to " + std::to_string(newest) +
                      ": " + cleanMessage(error.what()) + mentionedNodes(model.proto.graph(), error.what()));
  }
}

void inlineLocalFunctions(ModelProto &proto) {
  if (proto.functions_size() == 0)
    return;
  ::onnx::inliner::InlineLocalFunctions(proto, /*convert_version=*/true);
  if (proto.functions_size() == 0)
    return;
  const auto &function = proto.functions(0);
  throw ImportError("function '" + function.domain() + "." + function.name() +
                    "' cannot be inlined: it needs other opset versions than the model");
}

} // namespace

void importer::checkModel(SourceModel &model) {
  normalizeOpset(model.proto);
  if (model.proto.ir_version() < 4)
    model.proto.set_ir_version(4); // initializers are constants, no inputs
  // The checker wants a shape on each output; they are inferred anyway.
  llvm::SmallVector<::onnx::TypeProto::Tensor *> unshaped;
  for (auto &output : *model.proto.mutable_graph()->mutable_output())
    if (output.type().has_tensor_type() && !output.type().tensor_type().has_shape())
      unshaped.push_back(output.mutable_type()->mutable_tensor_type());
  for (auto *type : unshaped)
    (void)type->mutable_shape();
  try {
    ::onnx::checker::check_model(model.proto);
  } catch (const std::exception &error) {
    throw ImportError("is no valid model: " + cleanMessage(error.what()));
  }
  for (auto *type : unshaped)
    type->clear_shape();
}

void importer::upgradeModel(SourceModel &model) {
  try {
    inlineLocalFunctions(model.proto);
    convertOpset(model);
    inferTypes(model.proto);
    expandGradients(model.proto);
    expandFunctions(model.proto);
    inferTypes(model.proto);
  } catch (const ImportError &) {
    throw;
  } catch (const std::exception &error) {
    throw ImportError(cleanMessage(error.what()));
  }
}
