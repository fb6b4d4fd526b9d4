//===- ModuleBuilder.h - a checked ONNX graph to MLIR -------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_IMPORT_MODULEBUILDER_H
#define LEAF_LIB_IMPORT_MODULEBUILDER_H

#include "SourceModel.h"
#include "Tensors.h"

#include "onnx/defs/schema.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

#include <set>

namespace leaf::importer {

/// Tensors above this size become weights, others dense attributes.
constexpr size_t kConstantBytes = 256;

/// Values and types visible in a graph; a subgraph sees those of the graphs around it.
struct Scope {
  const Scope *parent = nullptr;
  std::map<std::string, mlir::Value> values;
  std::map<std::string, const ::onnx::TypeProto *> types;

  mlir::Value find(const std::string &name) const {
    auto entry = values.find(name);
    return entry != values.end() ? entry->second : parent ? parent->find(name) : mlir::Value();
  }
};

/// Builds the module of one graph. BuildModule.cpp has the module, entry function and constants, ImportNode.cpp the
/// nodes.
class ModuleBuilder {
public:
  ModuleBuilder(mlir::MLIRContext *context, SourceModel &model, const ImportOptions &options)
      : context(context), model(model), options(options), builder(context) {}

  mlir::OwningOpRef<mlir::ModuleOp> run();

private:
  // Module and function
  mlir::func::FuncOp createMain(const ::onnx::GraphProto &graph);
  void finishMain(mlir::func::FuncOp main, const ::onnx::GraphProto &graph, const Scope &scope);
  void setAliases(mlir::func::FuncOp main, const ::onnx::GraphProto &graph);
  mlir::NamedAttribute dimsAttr(llvm::ArrayRef<std::string> names);
  llvm::SmallVector<mlir::NamedAttribute> valueAttrs(const std::string &name, int32_t dataType,
                                                     llvm::ArrayRef<std::string> dims);
  mlir::Value createConstant(const TensorData &tensor, mlir::Location loc);
  mlir::Value createStrings(const ::onnx::TensorProto &tensor, const std::string &what, mlir::Location loc);
  mlir::Attribute stringAttribute(const ::onnx::TensorProto &tensor, const std::string &what);
  void joinStringInputs(Scope &scope, const ::onnx::GraphProto &graph);
  std::string uniqueSymbol(const std::string &name);

  // Graphs and nodes
  void declareTypes(const ::onnx::GraphProto &graph, Scope &scope);
  void importGraph(const ::onnx::GraphProto &graph, Scope &scope);
  void importNode(const ::onnx::NodeProto &node, int index, Scope &scope);
  bool importConstantNode(const ::onnx::NodeProto &node, const std::string &what, Scope &scope);
  void importOperands(const ::onnx::NodeProto &node, const ::onnx::OpSchema &schema, mlir::OperationState &state,
                      const std::string &what, const Scope &scope);
  void importResults(const ::onnx::NodeProto &node, const ::onnx::OpSchema &schema, mlir::OperationState &state,
                     const std::string &what, const Scope &scope);
  void importAttributes(const ::onnx::NodeProto &node, const ::onnx::OpSchema &schema, mlir::OperationState &state,
                        const std::string &what);
  void importBounds(const ::onnx::NodeProto &node, const std::string &name, mlir::OperationState &state);
  void importRegions(const ::onnx::NodeProto &node, const ::onnx::OpSchema &schema, mlir::Operation *op,
                     const Scope &scope);
  mlir::Attribute attributeOf(const ::onnx::AttributeProto &attribute, const std::string &what);
  mlir::Type typeOf(const ::onnx::TypeProto &type, const std::string &what);
  mlir::Value noValue();
  mlir::Location locate(const std::string &name) { return mlir::NameLoc::get(builder.getStringAttr(name)); }

  mlir::MLIRContext *context;
  SourceModel &model;
  const ImportOptions &options;
  mlir::OpBuilder builder;
  mlir::ModuleOp module;
  mlir::Block *entry = nullptr;
  mlir::Value none;
  std::set<std::string> symbols = {"main"};
  std::map<std::string, unsigned> suffixes; ///< last one tried, per identifier
  std::set<std::string> usedNames;
  std::set<std::string> usedBounds; ///< keys of options.outputBounds that named an output
  std::vector<std::string> errors;
};

} // namespace leaf::importer

#endif // LEAF_LIB_IMPORT_MODULEBUILDER_H
