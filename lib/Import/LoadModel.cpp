//===- LoadModel.cpp - reads an ONNX file and its external data --------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "SourceModel.h"
#include "Tensors.h"

#include "leafcutter/Import/ModelFile.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cstring>
#include <filesystem>
#include <functional>
#include <set>

using namespace llvm;
using namespace leaf;
using namespace leaf::importer;
using ::onnx::AttributeProto;
using ::onnx::GraphProto;
using ::onnx::TensorProto;
namespace fs = std::filesystem;

/// C99 compilers need to take strings of 4095 characters, and a byte may take four when it is escaped.
static constexpr size_t kMaxNameBytes = 1000;

namespace {

/// Finds and maps the files that hold tensors outside the ONNX file. Only files inside the model's folder count.
class ExternalFiles {
public:
  explicit ExternalFiles(StringRef modelPath) : folder(fs::path(modelPath.str()).parent_path()) {
    if (folder.empty())
      folder = ".";
  }

  /// The tensor's elements; the mapping stays alive with them.
  TensorData read(const TensorProto &tensor, const std::string &what);

private:
  std::shared_ptr<MemoryBuffer> map(const std::string &location, const std::string &what);

  fs::path folder;
  std::map<std::string, std::shared_ptr<MemoryBuffer>> mapped;
};

std::shared_ptr<MemoryBuffer> ExternalFiles::map(const std::string &location, const std::string &what) {
  std::shared_ptr<MemoryBuffer> &buffer = mapped[location];
  if (buffer)
    return buffer;
  fs::path relative = fs::path(location).lexically_normal();
  std::string where = what + ": external data '" + location + "'";
  if (location.empty() || location.find('\0') != std::string::npos || relative.is_absolute() ||
      llvm::is_contained(relative, fs::path("..")))
    throw ImportError(where + " must be a relative path inside the model's folder");
  std::error_code error;
  fs::path root = fs::canonical(folder, error), file = fs::canonical(root / relative, error);
  if (error)
    throw ImportError(where + " cannot be read: " + error.message() + " (expected at " + (folder / relative).string() +
                      ")");
  // A symbolic link may lead out of the folder.
  if (std::mismatch(root.begin(), root.end(), file.begin(), file.end()).first != root.end())
    throw ImportError(where + " leads out of the model's folder");
  if (!fs::is_regular_file(file, error))
    throw ImportError(where + " is no regular file");
  // So may a hard link, and nothing tells where; libonnx refuses them too.
  if (fs::hard_link_count(file, error) > 1 || error)
    throw ImportError(where + " has several hard links, so it may belong to another folder: make a copy of it");
  ErrorOr<std::unique_ptr<MemoryBuffer>> opened =
      MemoryBuffer::getFile(file.string(), /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!opened)
    throw ImportError(where + " cannot be read: " + opened.getError().message());
  buffer = std::move(*opened);
  return buffer;
}

TensorData ExternalFiles::read(const TensorProto &tensor, const std::string &what) {
  std::string location;
  uint64_t offset = 0, length = 0;
  bool hasLength = false;
  for (const auto &entry : tensor.external_data()) {
    bool bad = false;
    if (entry.key() == "location")
      location = entry.value();
    else if (entry.key() == "offset")
      bad = StringRef(entry.value()).getAsInteger(10, offset);
    else if (entry.key() == "length")
      bad = StringRef(entry.value()).getAsInteger(10, length), hasLength = true;
    if (bad)
      throw ImportError(what + ": external data has a malformed " + entry.key() + " '" + entry.value() + "'");
  }
  TensorData data;
  data.name = tensor.name();
  data.dataType = tensor.data_type();
  data.shape.assign(tensor.dims().begin(), tensor.dims().end());
  size_t dense = denseBytes(data.dataType, data.shape, what), expected = storedBytes(data.dataType, dense);
  std::shared_ptr<MemoryBuffer> file = map(location, what);
  if (hasLength && length != expected)
    throw ImportError(what + ": external data has " + std::to_string(length) + " bytes, but shape and type need " +
                      std::to_string(expected));
  if (offset > file->getBufferSize() || expected > file->getBufferSize() - offset)
    throw ImportError(what + ": external data ends at byte " + std::to_string(offset + expected) + ", beyond the " +
                      std::to_string(file->getBufferSize()) + " bytes of '" + location + "'");
  const char *begin = file->getBufferStart() + offset;
  bool usable = reinterpret_cast<uintptr_t>(begin) % elementBytes(data.dataType) == 0;
  if (usable && data.dataType != TensorProto::BOOL && expected == dense) {
    data.bytes = ArrayRef<char>(begin, expected);
    data.owner = file;
    return data;
  }
  auto copy = std::make_shared<TensorProto>(tensor);
  copy->clear_external_data();
  copy->clear_data_location();
  copy->set_raw_data(begin, expected);
  return readTensor(copy, what);
}

/// Puts external data into the tensor itself.
void inlineExternal(TensorProto &tensor, ExternalFiles &files, const std::string &what) {
  if (tensor.data_location() != TensorProto::EXTERNAL)
    return;
  TensorData data = files.read(tensor, what);
  tensor.clear_external_data();
  tensor.clear_data_location();
  setRawData(tensor, data.bytes);
}

std::string describeTensor(const TensorProto &tensor) { return "initializer '" + tensor.name() + "'"; }

/// Tensors in attributes and in graphs of attributes. They stay in the protobuf.
void prepareNodes(GraphProto &graph, ExternalFiles &files) {
  for (int i = 0; i < graph.node_size(); ++i)
    for (AttributeProto &attribute : *graph.mutable_node(i)->mutable_attribute()) {
      std::string what = describeNode(graph.node(i), i) + ", attribute '" + attribute.name() + "'";
      if (attribute.has_t())
        inlineExternal(*attribute.mutable_t(), files, what);
      if (attribute.has_sparse_tensor()) {
        TensorProto dense = densify(attribute.sparse_tensor(), what);
        attribute.clear_sparse_tensor();
        attribute.set_name("value");
        attribute.set_type(AttributeProto::TENSOR);
        *attribute.mutable_t() = std::move(dense);
      }
      if (!attribute.has_g())
        continue;
      GraphProto &body = *attribute.mutable_g();
      for (TensorProto &tensor : *body.mutable_initializer())
        inlineExternal(tensor, files, describeTensor(tensor));
      for (const auto &sparse : body.sparse_initializer())
        *body.add_initializer() = densify(sparse, describeTensor(sparse.values()));
      body.clear_sparse_initializer();
      prepareNodes(body, files);
    }
}

/// Large tensors of Constant nodes are weights like initializers.
void hoistConstants(GraphProto &graph) {
  google::protobuf::RepeatedPtrField<::onnx::NodeProto> kept;
  for (auto &node : *graph.mutable_node()) {
    bool hoist = node.op_type() == "Constant" && (node.domain().empty() || node.domain() == "ai.onnx") &&
                 node.output_size() == 1 && node.attribute_size() == 1 && node.attribute(0).has_t() &&
                 node.attribute(0).ByteSizeLong() > kDetachBytes;
    if (!hoist) {
      kept.Add()->Swap(&node);
      continue;
    }
    TensorProto *tensor = graph.add_initializer();
    tensor->Swap(node.mutable_attribute(0)->mutable_t());
    tensor->set_name(node.output(0));
  }
  graph.mutable_node()->Swap(&kept);
}

void detachInitializers(SourceModel &model, ExternalFiles &files) {
  GraphProto &graph = *model.proto.mutable_graph();
  for (const auto &sparse : graph.sparse_initializer())
    *graph.add_initializer() = densify(sparse, describeTensor(sparse.values()));
  graph.clear_sparse_initializer();
  hoistConstants(graph);
  google::protobuf::RepeatedPtrField<TensorProto> initializers;
  initializers.Swap(graph.mutable_initializer());
  std::set<std::string> seen;
  for (const TensorProto &tensor : initializers) {
    if (tensor.name().empty())
      throw ImportError("an initializer has no name");
    if (!seen.insert(tensor.name()).second)
      throw ImportError("two initializers are named '" + tensor.name() + "'");
  }
  model.dropInputs(seen);
  for (TensorProto &tensor : initializers) {
    std::string what = describeTensor(tensor);
    if (tensor.data_type() == TensorProto::STRING) {
      graph.add_initializer()->Swap(&tensor);
      continue;
    }
    if (tensor.data_location() == TensorProto::EXTERNAL) {
      model.addConstant(files.read(tensor, what));
      continue;
    }
    auto owned = std::make_shared<TensorProto>();
    owned->Swap(&tensor);
    model.addConstant(readTensor(owned, what));
  }
}

void checkName(const std::string &name, const char *what) {
  if (name.size() > kMaxNameBytes)
    throw ImportError(std::string("the name of ") + what + " '" + name.substr(0, 40) + "…' has " +
                      std::to_string(name.size()) + " bytes; at most " + std::to_string(kMaxNameBytes) +
                      " can stand in C");
}

/// Names of inputs, outputs and their dimensions are part of the C interface.
void checkInterface(const GraphProto &graph) {
  if (graph.output().empty())
    throw ImportError("the graph has no outputs, so there is nothing to compute");
  for (const auto &[values, what] : {std::pair(&graph.input(), "input"), std::pair(&graph.output(), "output")}) {
    std::set<std::string> seen;
    for (const auto &value : *values) {
      if (value.name().empty())
        throw ImportError(std::string("an ") + what + " has no name");
      if (!seen.insert(value.name()).second)
        throw ImportError(std::string("two ") + what + "s are named '" + value.name() + "'");
      checkName(value.name(), what);
      for (const auto &dim : value.type().tensor_type().shape().dim())
        checkName(dim.dim_param(), "dimension");
    }
  }
}

} // namespace

void SourceModel::dropInputs(const std::set<std::string> &names) {
  auto &inputs = *proto.mutable_graph()->mutable_input();
  google::protobuf::RepeatedPtrField<::onnx::ValueInfoProto> kept;
  for (auto &input : inputs)
    if (!names.count(input.name()))
      kept.Add()->Swap(&input);
  inputs.Swap(&kept);
}

void SourceModel::addConstant(TensorData tensor) {
  GraphProto &graph = *proto.mutable_graph();
  if (tensor.bytes.size() <= kDetachBytes) {
    TensorProto *initializer = graph.add_initializer();
    initializer->set_name(tensor.name);
    initializer->set_data_type(tensor.dataType);
    for (int64_t dim : tensor.shape)
      initializer->add_dims(dim);
    setRawData(*initializer, tensor.bytes);
    return;
  }
  ::onnx::ValueInfoProto *input = graph.add_input();
  input->set_name(tensor.name);
  auto *type = input->mutable_type()->mutable_tensor_type();
  type->set_elem_type(tensor.dataType);
  type->mutable_shape();
  for (int64_t dim : tensor.shape)
    type->mutable_shape()->add_dim()->set_dim_value(dim);
  weightIndex[tensor.name] = weights.size();
  weights.push_back(std::move(tensor));
}

SourceModel importer::loadModel(StringRef path) {
  SourceModel model;
  model.path = path.str();
  if (Error error = readModelFile(path, model.proto))
    throw ImportError(toString(std::move(error)));
  checkInterface(model.proto.graph());
  ExternalFiles files(path);
  prepareNodes(*model.proto.mutable_graph(), files);
  for (auto &function : *model.proto.mutable_functions()) {
    GraphProto body;
    body.mutable_node()->Swap(function.mutable_node());
    prepareNodes(body, files);
    function.mutable_node()->Swap(body.mutable_node());
  }
  detachInitializers(model, files);
  return model;
}

std::string importer::nodeName(const ::onnx::NodeProto &node, int index) {
  return node.name().empty() ? node.op_type() + "_" + std::to_string(index) : node.name();
}

std::string importer::describeNode(const ::onnx::NodeProto &node, int index) {
  std::string type = node.domain().empty() ? node.op_type() : node.domain() + "." + node.op_type();
  return "node '" + nodeName(node, index) + "' (" + type + ")";
}
