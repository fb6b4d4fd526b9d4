//===- GraphWriter.h - onnx ops to a GraphProto ------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Steps of the exporter throw ExportError (or what libonnx throws); exportONNX() is the boundary.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_EXPORT_GRAPHWRITER_H
#define LEAF_LIB_EXPORT_GRAPHWRITER_H

#include "leafcutter/Transforms/HostTensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "onnx/onnx_pb.h"

#include <map>
#include <set>
#include <stdexcept>
#include <vector>

namespace leaf::exporter {

struct ExportError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A constant of the graph. Its bytes belong to the module.
struct Initializer {
  std::string name;
  HostTensor value;
};

/// Initializers above this size stay out of the protobuf until the end: libonnx's converter copies what is in it.
constexpr size_t kDetachBytes = 1024;

/// Writes the entry function. Every constant, those of subgraphs too, becomes an initializer of the main graph, which
/// inner graphs see.
class GraphWriter {
public:
  explicit GraphWriter(mlir::ModuleOp module) : module(module) {}

  /// Fills `graph`; initializers go to `initializers`, in the order in which they are first used.
  void write(::onnx::GraphProto &graph);

  std::vector<Initializer> initializers;
  std::map<std::string, int64_t> domains; ///< that nodes are from, each with the newest version that one of them needs

private:
  void nameInterface(mlir::func::FuncOp main);
  void addInput(::onnx::GraphProto &graph, mlir::func::FuncOp main, unsigned index);
  void addOutputs(::onnx::GraphProto &graph, mlir::func::FuncOp main);
  void writeBlock(::onnx::GraphProto &graph, mlir::Block &block);
  void writeNode(::onnx::GraphProto &graph, mlir::Operation *op);
  void writeAttributes(::onnx::NodeProto &node, mlir::Operation *op);
  void writeRegion(::onnx::GraphProto &body, mlir::Region &region, const std::string &hint);
  void addIdentity(::onnx::GraphProto &graph, const std::string &from, const std::string &to);
  /// The name of an operand; "" where it is absent. Constants are added when first asked for.
  std::string nameOf(mlir::Value value);
  std::string addConstant(mlir::Value value);
  /// `wanted`, or with a number where that is taken.
  std::string unique(std::set<std::string> &taken, const std::string &wanted);

  mlir::ModuleOp module;
  llvm::DenseMap<mlir::Value, std::string> names;
  std::map<std::string, std::string> weightNames; ///< by symbol
  std::set<std::string> valueNames, nodeNames;
  std::map<std::string, unsigned> suffixes;
};

/// The type of a graph input or output. `dims` names open dimensions.
void fillValueInfo(::onnx::ValueInfoProto &info, const std::string &name, mlir::Type type, mlir::ArrayAttr dims);

/// Brings `model` (ops at their newest versions) to opset `wanted`, or the oldest one that has everything in it.
void lowerOpset(::onnx::ModelProto &model, int64_t wanted);

} // namespace leaf::exporter

#endif // LEAF_LIB_EXPORT_GRAPHWRITER_H
