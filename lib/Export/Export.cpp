//===- Export.cpp - the onnx dialect to ONNX files ----------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// The boundary of the exporter: no exception of protobuf, libonnx or our own steps leaves it.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Export/Export.h"

#include "GraphWriter.h"
#include "Leaf/Leaf.h"
#include "leafcutter/Import/Import.h"
#include "leafcutter/Support/AtomicFile.h"
#include "leafcutter/Transforms/Onnx.h"
#include "leafcutter/Transforms/OnnxProto.h"
#include "onnx/defs/schema.h"

#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"

#include <new>

using namespace mlir;
using namespace leaf;
using namespace leaf::exporter;
using ::onnx::GraphProto;
using ::onnx::ModelProto;
using ::onnx::TensorProto;

/// What a protobuf may hold, with room for the graph.
static constexpr uint64_t kProtobufBytes = uint64_t(1900) << 20;
/// IR version 10 came with opset 21; older runtimes refuse newer versions of it.
static constexpr int64_t kIRVersion = 10;
/// Runtimes map external data; offsets are multiples of a page.
static constexpr uint64_t kExternalAlign = 4096;

namespace {

/// The model, with large initializers as typed graph inputs until `attach`.
class Writer {
public:
  Writer(ModuleOp module, StringRef path, const ExportOptions &options)
      : module(module), path(path), options(options), graphWriter(module) {}

  llvm::Error run();

private:
  void build();
  void detach(const Initializer &initializer);
  void attach();
  void attachExternal(TensorProto &tensor, const Initializer &initializer);
  llvm::Error write();
  llvm::Error writeData(llvm::raw_ostream &out);

  ModuleOp module;
  StringRef path;
  const ExportOptions &options;
  GraphWriter graphWriter;
  ModelProto model;
  std::vector<std::pair<uint64_t, const Initializer *>> external; ///< offset in the data file
  uint64_t externalBytes = 0;
};

void Writer::detach(const Initializer &initializer) {
  if (initializer.value.bytes().size() <= kDetachBytes) {
    TensorProto &tensor = *model.mutable_graph()->add_initializer();
    fillTensorProto(tensor, initializer.value);
    tensor.set_name(initializer.name);
    return;
  }
  fillValueInfo(*model.mutable_graph()->add_input(), initializer.name, initializer.value.type(), {});
}

void Writer::build() {
  graphWriter.write(*model.mutable_graph());
  model.set_ir_version(kIRVersion);
  model.set_producer_name("leafc");
  for (const auto &[key, value] : options.metadata) {
    auto &entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  const auto &ranges = ::onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
  model.add_opset_import()->set_version(ranges.at("").second);
  // Operators that a newer version deprecates are still in use.
  for (const auto &[domain, version] : graphWriter.domains) {
    if (domain.empty())
      continue;
    auto &opset = *model.add_opset_import();
    opset.set_domain(domain);
    opset.set_version(version);
  }
  for (const Initializer &initializer : graphWriter.initializers)
    detach(initializer);
  auto opset = module->getAttrOfType<IntegerAttr>(kOpsetAttr);
  lowerOpset(model, opset ? opset.getInt() : 0);
}

void Writer::attachExternal(TensorProto &tensor, const Initializer &initializer) {
  uint64_t offset = llvm::alignTo(externalBytes, kExternalAlign), bytes = initializer.value.bytes().size();
  external.emplace_back(offset, &initializer);
  externalBytes = offset + bytes;
  tensor.clear_raw_data();
  tensor.set_data_location(TensorProto::EXTERNAL);
  auto add = [&](const char *key, const std::string &value) {
    auto &entry = *tensor.add_external_data();
    entry.set_key(key);
    entry.set_value(value);
  };
  add("location", (llvm::sys::path::filename(path) + ".data").str());
  add("offset", std::to_string(offset));
  add("length", std::to_string(bytes));
}

/// Takes the weights from the graph inputs and makes them initializers.
void Writer::attach() {
  std::map<std::string, const Initializer *> detached;
  uint64_t total = 0;
  for (const Initializer &initializer : graphWriter.initializers)
    if (initializer.value.bytes().size() > kDetachBytes) {
      detached[initializer.name] = &initializer;
      total += initializer.value.bytes().size();
    }
  GraphProto &graph = *model.mutable_graph();
  google::protobuf::RepeatedPtrField<::onnx::ValueInfoProto> inputs;
  for (auto &input : *graph.mutable_input())
    if (!detached.count(input.name()))
      inputs.Add()->Swap(&input);
  graph.mutable_input()->Swap(&inputs);
  bool isExternal = total > std::min(options.externalAbove, kProtobufBytes);
  for (const Initializer &initializer : graphWriter.initializers) {
    if (!detached.count(initializer.name))
      continue;
    TensorProto &tensor = *graph.add_initializer();
    tensor.set_name(initializer.name);
    if (!isExternal) {
      fillTensorProto(tensor, initializer.value);
      continue;
    }
    tensor.set_data_type(onnxElementType(initializer.value.elementType()));
    for (int64_t size : initializer.value.shape())
      tensor.add_dims(size);
    attachExternal(tensor, initializer);
  }
}

llvm::Error Writer::writeData(llvm::raw_ostream &out) {
  uint64_t at = 0;
  for (auto [offset, initializer] : external) {
    out.write_zeros(offset - at);
    ArrayRef<char> bytes = initializer->value.bytes();
    out.write(bytes.data(), bytes.size());
    at = offset + bytes.size();
  }
  return llvm::Error::success();
}

llvm::Error Writer::write() {
  AtomicFiles files;
  if (!external.empty())
    if (llvm::Error error =
            files.add((path + ".data").str(), [&](llvm::raw_pwrite_stream &out) { return writeData(out); }))
      return error;
  std::string bytes;
  if (!model.SerializeToString(&bytes))
    return llvm::createStringError("'" + path + "': the model is too large for one file");
  if (llvm::Error error = files.add(path, [&](llvm::raw_pwrite_stream &out) {
        out << bytes;
        return llvm::Error::success();
      }))
    return error;
  return files.commit();
}

llvm::Error Writer::run() {
  build();
  attach();
  return write();
}

} // namespace

llvm::Error leaf::exportONNX(ModuleOp module, StringRef path, const ExportOptions &options) {
  auto fail = [&](const llvm::Twine &what) {
    return llvm::createStringError("'" + path + "' cannot be written: " + what);
  };
  try {
    return Writer(module, path, options).run();
  } catch (const std::bad_alloc &) {
    return fail("there is not enough memory");
  } catch (const std::exception &error) {
    return fail(error.what());
  }
}
