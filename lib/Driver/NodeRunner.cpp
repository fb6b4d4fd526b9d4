//===- NodeRunner.cpp - onnx ops one by one ----------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "NodeRunner.h"

#include "Diagnostics.h"
#include "JitSession.h"
#include "leafcutter/Pipeline/Pipeline.h"
#include "leafcutter/Support/ElementTypes.h"
#include "leafcutter/Transforms/ConstantEvaluator.h"
#include "leafcutter/Transforms/Onnx.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace leaf {

/// Results of the host evaluator above this are left to compiled code.
static constexpr int64_t maxHostBytes = int64_t(1) << 31;

NpyArray toArray(const HostTensor &tensor) {
  return {findElementType(tensor.elementType())->name.str(), tensor.shape().vec(), tensor.bytes().vec()};
}

static HostTensor fromBytes(RankedTensorType type, ArrayRef<char> bytes) {
  HostTensor tensor = HostTensor::make(type);
  llvm::copy(bytes, tensor.data());
  return tensor;
}

/// Results that are there: an optional one may be of type none.
static SmallVector<Value> presentResults(Operation *op) {
  SmallVector<Value> present;
  for (Value result : op->getResults())
    if (!isa<NoneType>(result.getType()))
      present.push_back(result);
  return present;
}

/// A module with nothing but `op`: what it reads are the entry's arguments, constants come along.
static OwningOpRef<ModuleOp> isolate(Operation *op, SmallVectorImpl<Value> &arguments) {
  SetVector<Value> used(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), used);
  OpBuilder builder(op->getContext());
  OwningOpRef<ModuleOp> module(ModuleOp::create(op->getLoc()));
  (*module)->setAttr(attrs::kModel, builder.getStringAttr("node"));
  for (Value value : used)
    if (!isConstantValue(value) && !isNoValue(value))
      arguments.push_back(value);
  builder.setInsertionPointToEnd(module->getBody());
  auto entry = func::FuncOp::create(
      builder, op->getLoc(), "main",
      builder.getFunctionType(TypeRange(ValueRange(arguments)), TypeRange(ValueRange(presentResults(op)))));
  for (unsigned i = 0; i < arguments.size(); ++i)
    entry.setArgAttr(i, attrs::kName, builder.getStringAttr("in" + Twine(i)));
  for (unsigned i = 0; i < entry.getNumResults(); ++i)
    entry.setResultAttr(i, attrs::kName, builder.getStringAttr("out" + Twine(i)));
  Block *block = entry.addEntryBlock();
  IRMapping mapping;
  mapping.map(arguments, block->getArguments());
  OpBuilder body = OpBuilder::atBlockEnd(block);
  llvm::SmallPtrSet<Operation *, 4> weights;
  for (Value value : used) {
    Operation *definition = value.getDefiningOp();
    if (mapping.contains(value))
      continue;
    auto load = dyn_cast<LoadWeightOp>(definition);
    if (WeightOp weight = load ? load.resolve() : WeightOp(); weight && weights.insert(weight).second)
      builder.clone(*weight);
    body.clone(*definition, mapping);
  }
  func::ReturnOp::create(body, op->getLoc(), presentResults(body.clone(*op, mapping)));
  return module;
}

static LogicalResult compileNode(ModuleOp module, const TargetSpec &target, bool optimized) {
  PassManager pm(module.getContext());
  if (!optimized)
    buildOptimizePipeline(pm, {});
  buildFormPipeline(pm, {target});
  buildPlanPipeline(pm, {});
  buildCodegenPipeline(pm, {target, /*maxThreads=*/1});
  return pm.run(module);
}

llvm::Expected<std::vector<HostTensor>> NodeRunner::runAlone(Operation *op) {
  SmallVector<Value> arguments;
  OwningOpRef<ModuleOp> alone = isolate(op, arguments);
  {
    DiagnosticCollector diagnostics(op->getContext());
    if (failed(compileNode(*alone, target, op->hasAttr(onnx::kChannelsLast))))
      return diagnostics.merge(llvm::createStringError("node '" + nodeName(op) + "' cannot be compiled alone"));
  }
  ModelInterface interface = getModelInterface(*alone);
  NpzFile inputs;
  for (auto [argument, input] : llvm::zip_equal(arguments, interface.inputs)) {
    NpyArray array = toArray(known.at(argument));
    array.elementType = input.elementType;
    inputs.emplace_back(input.name, std::move(array));
  }
  llvm::Expected<NpzFile> outputs = runInProcess(*alone, target, inputs);
  if (!outputs)
    return outputs.takeError();
  std::vector<HostTensor> results;
  auto output = outputs->begin();
  for (Type type : op->getResultTypes())
    results.push_back(isa<NoneType>(type) ? HostTensor()
                                          : fromBytes(cast<RankedTensorType>(type), (output++)->second.bytes));
  return results;
}

llvm::Expected<std::vector<HostTensor>> NodeRunner::runOp(Operation *op) {
  for (Type type : op->getResultTypes())
    if (!isa<NoneType>(type) && !HostTensor::canHold(type))
      return llvm::createStringError("node '" + nodeName(op) +
                                     "' has a result whose size is open; fix all sizes with " + "--dim NAME=N");
  SmallVector<const HostTensor *> operands;
  for (Value operand : op->getOperands()) {
    auto value = known.find(operand);
    operands.push_back(value == known.end() ? nullptr : &value->second);
  }
  ConstantEvaluatorOptions options;
  options.maxResultBytes = maxHostBytes;
  FailureOr<std::vector<HostTensor>> results = failure();
  if (op->getNumRegions() == 0 && !op->hasAttr(onnx::kChannelsLast))
    results = ConstantEvaluator(options).evaluate(op, operands);
  if (succeeded(results))
    return *results;
  return runAlone(op);
}

llvm::Error NodeRunner::bindInputs(Block &entry, const NpzFile &inputs) {
  auto main = cast<func::FuncOp>(entry.getParentOp());
  for (BlockArgument argument : entry.getArguments()) {
    auto name = main.getArgAttrOfType<StringAttr>(argument.getArgNumber(), attrs::kName);
    auto input = llvm::find_if(inputs, [&](const auto &pair) { return name && pair.first == name.getValue(); });
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (input == inputs.end() || !type || !HostTensor::canHold(type))
      return llvm::createStringError(
          "input " + (name ? "'" + name.getValue() + "'" : "") +
          " has no array in the reference, or an open size; fix all sizes with --dim NAME=N");
    HostTensor value = HostTensor::make(type);
    if (value.bytes().size() != input->second.bytes.size())
      return llvm::createStringError("input '" + name.getValue() + "' does not fit its array in the reference");
    llvm::copy(input->second.bytes, value.data());
    known[argument] = std::move(value);
  }
  return llvm::Error::success();
}

llvm::Expected<NpzFile> NodeRunner::run(const NpzFile &inputs, std::vector<NodeValue> &values) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal())
    return llvm::createStringError("the module has no entry function");
  if (llvm::Error error = bindInputs(main.front(), inputs))
    return error;
  llvm::DenseMap<Operation *, unsigned> indices;
  for (Operation &op : main.front().without_terminator()) {
    if (op.getNumResults() == 0 || isNoValue(op.getResult(0)))
      continue;
    if (isConstantValue(op.getResult(0))) {
      std::optional<HostTensor> constant = getHostConstant(op.getResult(0));
      if (!constant)
        return llvm::createStringError("a constant of node '" + nodeName(&op) + "' has no data");
      known[op.getResult(0)] = std::move(*constant);
      continue;
    }
    llvm::Expected<std::vector<HostTensor>> results = runOp(&op);
    if (!results)
      return results.takeError();
    for (auto [result, value] : llvm::zip_equal(op.getResults(), *results))
      known[result] = value;
    if (isa<NoneType>(op.getResult(0).getType()))
      continue;
    NodeValue &value = values.emplace_back(NodeValue{nodeName(&op), toArray(results->front()), {}});
    for (Value operand : op.getOperands())
      if (auto producer = indices.find(operand.getDefiningOp()); producer != indices.end())
        value.producers.push_back(producer->second);
    indices[&op] = values.size() - 1;
  }
  NpzFile outputs;
  for (OpOperand &operand : main.front().getTerminator()->getOpOperands()) {
    auto name = main.getResultAttrOfType<StringAttr>(operand.getOperandNumber(), attrs::kName);
    auto value = known.find(operand.get());
    if (value == known.end())
      return llvm::createStringError("an output was not computed");
    outputs.emplace_back(name ? name.str() : "", toArray(value->second));
  }
  return outputs;
}

} // namespace leaf
