//===- SourceModel.h - an ONNX file in memory --------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// The importer's own state between its steps: load, fix dimensions, upgrade, build MLIR. All steps throw ImportError
// (or what libonnx throws); importONNX() is the boundary that turns exceptions into llvm::Error.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_IMPORT_SOURCEMODEL_H
#define LEAF_LIB_IMPORT_SOURCEMODEL_H

#include "leafcutter/Import/Import.h"
#include "onnx/onnx_pb.h"

#include <memory>
#include <set>
#include <stdexcept>

namespace leaf::importer {

/// Any reason why a model cannot be imported; the message is for the user.
struct ImportError : std::runtime_error {
  explicit ImportError(std::string text) : std::runtime_error(showZeros(std::move(text))) {}

private:
  /// what() ends at a zero byte, and names may hold some.
  static std::string showZeros(std::string text) {
    for (size_t at; (at = text.find('\0')) != std::string::npos;)
      text.replace(at, 1, "\\x00");
    return text;
  }
};

/// A constant tensor: row-major, little-endian, bools as one byte 0 or 1, types of
/// 4 and 2 bits in the low bits of one byte. `bytes` live as long as `owner` and are
/// aligned to the element size.
struct TensorData {
  std::string name; ///< of the ONNX value; any bytes
  int32_t dataType = ::onnx::TensorProto::UNDEFINED;
  std::vector<int64_t> shape;
  llvm::ArrayRef<char> bytes;
  std::shared_ptr<const void> owner;
};

/// Initializers above this size are taken out of the protobuf (and stand there as typed graph inputs), so that no step
/// of libonnx copies them. Below it they stay, since shape inference and version conversion read small values.
constexpr size_t kDetachBytes = 1024;

/// Preprocessing of one input, resolved against the model.
struct ResolvedPreprocessing {
  InputPreprocessing request;
  std::vector<int64_t> perm; ///< axis i of the model is axis perm[i] of the caller; empty: equal
  int64_t channelAxis = 1;   ///< of the caller's array
  int32_t dataType = ::onnx::TensorProto::UNDEFINED;
};

struct SourceModel {
  std::string path;
  ::onnx::ModelProto proto;
  /// Detached initializers in the file's order, and each one's position.
  std::vector<TensorData> weights;
  std::map<std::string, size_t> weightIndex;
  /// Declared dimension names of the graph's outputs; "" where there is none.
  std::vector<std::vector<std::string>> outputDims;
  std::vector<std::string> remarks;
  int64_t opset = 0;                                          ///< of ai.onnx in the file; 0: none
  std::map<std::string, ResolvedPreprocessing> preprocessing; ///< by input name
  std::map<std::string, int64_t> argmaxAxes;                  ///< by output name

  bool isWeight(const std::string &name) const { return weightIndex.count(name) != 0; }
  /// Makes `tensor` the constant behind the value `tensor.name`: an initializer where small, a detached weight
  /// otherwise. No graph input may have that name (any more).
  void addConstant(TensorData tensor);
  /// Removes the graph inputs that have one of these names.
  void dropInputs(const std::set<std::string> &names);
};

/// Reads and parses the file, resolves external data and detaches the weights.
SourceModel loadModel(llvm::StringRef path);

/// libonnx's checker, with the dialect's leniences: ir_version below 4 and outputs without a shape are fine.
void checkModel(SourceModel &model);

/// Replaces each ZipMap whose result leaves the model by its input: rows of numbers, in the order of the class labels
/// that the map would have as keys (a remark says so).
void flattenMaps(SourceModel &model);

/// Replaces each input that is a sequence by one tensor input for each of its elements, NAME[0], NAME[1], ..., and each
/// optional one by what it holds, if anything. How many there are say options.lengths, or the arrays that are given.
void expandContainerInputs(SourceModel &model, const ImportOptions &options);

/// The bytes of an input or output NAME of strings are the input or output NAME.bytes.
constexpr const char *kBytesSuffix = ".bytes";

/// Adds an input NAME.bytes for each input of strings; its size is a dimension of that name.
void addStringPools(SourceModel &model);

/// Gives values of the enclosing graph their new names in a subgraph, which libonnx's renamer does not enter.
void renameCaptures(::onnx::GraphProto &graph, std::map<std::string, std::string> names);

/// Finds the inputs and outputs that ask for pre- or postprocessing, and reads their layouts and types.
void resolvePreprocessing(SourceModel &model, const ImportOptions &options);
/// Attaches it to the entry function for leaf-fold-preprocessing.
void attachPreprocessing(mlir::ModuleOp module, const SourceModel &model);

/// Fixes and bounds the dimensions of all inputs, pins inputs. Afterwards each input dimension has a size or is named
/// in options.bounds.
void resolveDimensions(SourceModel &model, const ImportOptions &options);

/// Inlines local functions, converts to the newest opset, expands schema functions that have no lowering of
/// their own, infers types.
void upgradeModel(SourceModel &model);

/// Writes the Scan of opset 8, over the sequences of a batch, as two of opset 9, in subgraphs too, in a domain that
/// hides them from libonnx's converter. False where there is none.
bool wrapBatchedScans(::onnx::ModelProto &model);
/// Ends the hiding, once the model is of opset 9.
void showBatchedScans(::onnx::ModelProto &model);

/// Replaces each operator that has a function body in its schema and is no core op (leafcutter/Transforms/CoreOps.h) by
/// that body, in subgraphs too. Types must have been inferred, and must be again afterwards.
void expandFunctions(::onnx::ModelProto &model);

/// The module of docs/Architecture.md, "After import".
mlir::OwningOpRef<mlir::ModuleOp> buildModule(mlir::MLIRContext *context, SourceModel &model,
                                              const ImportOptions &options);

/// "node 'conv1' (Conv)" for messages; `index` stands in for a missing name.
std::string describeNode(const ::onnx::NodeProto &node, int index);
/// The node's name, or OpType_index.
std::string nodeName(const ::onnx::NodeProto &node, int index);

} // namespace leaf::importer

#endif // LEAF_LIB_IMPORT_SOURCEMODEL_H
