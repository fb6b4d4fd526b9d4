//===- ModelFile.cpp - the protobuf of an ONNX file --------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Import/ModelFile.h"

#include "SourceModel.h"

#include "leafcutter/Support/InputFile.h"

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

#include <algorithm>
#include <map>

using namespace leaf;
using namespace leaf::importer;
using ::onnx::AttributeProto;
using ::onnx::FunctionProto;
using ::onnx::GraphProto;
using ::onnx::ModelProto;
using ::onnx::NodeProto;

namespace {

/// Messages within messages; a subgraph takes three. Parsing this deep fits any stack; the limit below is tighter.
constexpr int kMaxMessageDepth = 3000;
constexpr int kMaxNesting = 100;
constexpr int64_t kMaxNodes = 1'000'000;

/// Bounds nesting, and how much local functions grow when they are inlined.
class LimitChecker {
public:
  explicit LimitChecker(const ModelProto &model);
  void run(const ModelProto &model);

private:
  struct Function {
    const FunctionProto *proto = nullptr;
    int64_t nodes = -1; ///< with all calls expanded; -1: not counted yet
    bool open = false;  ///< being counted
  };

  int64_t countGraph(const GraphProto &graph, int nesting, int calls);
  template <typename Nodes> int64_t countNodes(const Nodes &nodes, int nesting, int calls);
  int64_t countNode(const NodeProto &node, int nesting, int calls);
  int64_t countFunction(Function &function, int calls);

  std::map<std::pair<std::string, std::string>, Function> functions;
};

LimitChecker::LimitChecker(const ModelProto &model) {
  for (const FunctionProto &function : model.functions())
    functions[{function.domain(), function.name()}].proto = &function;
}

int64_t LimitChecker::countGraph(const GraphProto &graph, int nesting, int calls) {
  if (nesting > kMaxNesting)
    throw ImportError("subgraphs (of If, Loop, Scan) are nested more than " + std::to_string(kMaxNesting) +
                      " deep; flatten the model");
  return countNodes(graph.node(), nesting, calls);
}

template <typename Nodes> int64_t LimitChecker::countNodes(const Nodes &nodes, int nesting, int calls) {
  int64_t count = 0;
  for (const NodeProto &node : nodes)
    count = std::min(count + countNode(node, nesting, calls), kMaxNodes + 1);
  return count;
}

int64_t LimitChecker::countNode(const NodeProto &node, int nesting, int calls) {
  int64_t count = 1;
  for (const AttributeProto &attribute : node.attribute()) {
    if (attribute.has_g())
      count += countGraph(attribute.g(), nesting + 1, calls);
    for (const GraphProto &graph : attribute.graphs())
      count += countGraph(graph, nesting + 1, calls);
  }
  auto callee = functions.find({node.domain(), node.op_type()});
  return callee == functions.end() ? count : count + countFunction(callee->second, calls + 1);
}

int64_t LimitChecker::countFunction(Function &function, int calls) {
  std::string name = "function '" + function.proto->domain() + "." + function.proto->name() + "'";
  if (function.open)
    throw ImportError(name + " calls itself; ONNX has no recursion");
  if (calls > kMaxNesting)
    throw ImportError("calls of functions are nested more than " + std::to_string(kMaxNesting) + " deep, at " + name);
  if (function.nodes < 0) {
    function.open = true;
    function.nodes = countNodes(function.proto->node(), 0, calls);
    function.open = false;
  }
  return function.nodes;
}

void LimitChecker::run(const ModelProto &model) {
  int64_t count = countGraph(model.graph(), 0, 0);
  // Those that nothing calls are looked at too: libonnx walks them.
  for (auto &[id, function] : functions)
    (void)countFunction(function, 0);
  if (!functions.empty() && count > kMaxNodes)
    throw ImportError("its functions grow to more than " + std::to_string(kMaxNodes) + " nodes when they are inlined");
}

} // namespace

llvm::Error leaf::parseModel(llvm::StringRef bytes, ModelProto &model) {
  auto fail = [](const char *message) { return llvm::createStringError(message); };
  if (bytes.empty())
    return fail("is no ONNX model: the file is empty");
  if (bytes.size() > INT32_MAX)
    return fail("is larger than 2 GiB, more than protobuf can hold: keep its weights as external data");
  google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  google::protobuf::io::CodedInputStream coded(&stream);
  coded.SetTotalBytesLimit(INT32_MAX);
  coded.SetRecursionLimit(kMaxMessageDepth);
  try {
    if (!model.ParsePartialFromCodedStream(&coded) || !coded.ConsumedEntireMessage())
      return fail("is no ONNX model, or is truncated (protobuf cannot be parsed)");
    if (!model.has_graph() || !model.has_ir_version())
      return fail("is no ONNX model, or is truncated (it has no graph)");
    LimitChecker(model).run(model);
  } catch (const std::exception &error) {
    return llvm::createStringError(std::string(error.what()));
  }
  return llvm::Error::success();
}

llvm::Error leaf::readModelFile(llvm::StringRef path, ModelProto &model) {
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> file = openInputFile(path);
  if (!file)
    return llvm::createStringError("cannot be read: " + llvm::toString(file.takeError()));
  return parseModel((*file)->getBuffer(), model);
}
