//===- CompiledGraph.cpp - a graph at given sizes, compiled and loaded ---------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CompiledGraph.h"

#include "CompiledConstants.h"
#include "Diagnostics.h"
#include "leafcutter/Compress/Layers.h"
#include "leafcutter/Pipeline/Pipeline.h"

#include "Leaf/Leaf.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"
#include <chrono>

using namespace mlir;

namespace leaf {

/// Gives the entry's arguments these sizes; false where they had them already.
static bool setInputShapes(func::FuncOp main, const InputShapes &shapes) {
  SmallVector<Type> types;
  bool changed = false;
  for (BlockArgument argument : main.getArguments()) {
    unsigned i = argument.getArgNumber();
    auto name = main.getArgAttrOfType<StringAttr>(i, attrs::kName);
    auto shape = name ? shapes.find(name.str()) : shapes.end();
    auto type = cast<RankedTensorType>(argument.getType());
    if (shape != shapes.end() && type.getShape() != ArrayRef<int64_t>(shape->second)) {
      argument.setType(RankedTensorType::get(shape->second, type.getElementType()));
      changed = true;
    }
    main.removeArgAttr(i, attrs::kDims);
    types.push_back(argument.getType());
  }
  // An input may be an output, too.
  SmallVector<Type> results;
  for (auto [value, type] : llvm::zip_equal(main.front().getTerminator()->getOperands(), main.getResultTypes()))
    results.push_back(isa<BlockArgument>(value) ? value.getType() : type);
  main.setFunctionType(FunctionType::get(main.getContext(), types, results));
  return changed;
}

void addOutput(func::FuncOp main, Value value, llvm::StringRef name) {
  Operation *terminator = main.front().getTerminator();
  terminator->insertOperands(terminator->getNumOperands(), value);
  SmallVector<Type> types(main.getResultTypes());
  types.push_back(value.getType());
  main.setFunctionType(FunctionType::get(main.getContext(), main.getArgumentTypes(), types));
  SmallVector<Attribute> attributes;
  for (unsigned i = 0; i + 1 < types.size(); ++i)
    attributes.push_back(main.getResultAttrDict(i) ? main.getResultAttrDict(i)
                                                   : DictionaryAttr::get(main.getContext(), {}));
  Builder builder(main.getContext());
  attributes.push_back(builder.getDictionaryAttr(builder.getNamedAttr(attrs::kName, builder.getStringAttr(name))));
  main.setResAttrsAttr(builder.getArrayAttr(attributes));
}

llvm::Expected<OwningOpRef<ModuleOp>> specializeShapes(ModuleOp module, const InputShapes &shapes,
                                                       llvm::function_ref<void(ModuleOp, IRMapping &)> edit) {
  IRMapping mapping;
  OwningOpRef<ModuleOp> copy(cast<ModuleOp>(module->clone(mapping)));
  func::FuncOp main = getEntry(*copy);
  if (!main)
    return llvm::createStringError("the module has no entry function");
  bool changed = setInputShapes(main, shapes);
  if (edit)
    edit(*copy, mapping);
  (*copy)->removeAttr(attrs::kBounds);
  if (!changed && !edit)
    return copy;
  DiagnosticCollector diagnostics(module.getContext());
  PassManager pm(module.getContext());
  buildNormalizePipeline(pm, {computeByCompiledCode});
  if (failed(pm.run(*copy)))
    return diagnostics.merge(llvm::createStringError("the model does not fit these sizes of its inputs"));
  return copy;
}

InputShapes fillOpenShapes(ModuleOp module, int64_t size) {
  InputShapes shapes;
  func::FuncOp main = getEntry(module);
  for (BlockArgument argument : main.getArguments()) {
    auto name = main.getArgAttrOfType<StringAttr>(argument.getArgNumber(), attrs::kName);
    std::vector<int64_t> shape = cast<RankedTensorType>(argument.getType()).getShape().vec();
    llvm::replace(shape, ShapedType::kDynamic, size);
    shapes[name ? name.str() : ""] = shape;
  }
  return shapes;
}

static bool runsHere(const TargetSpec &target) {
  llvm::Triple triple(target.triple), host(llvm::sys::getProcessTriple());
  return triple.getArch() == host.getArch() && triple.getOS() == host.getOS();
}

llvm::Expected<std::unique_ptr<CompiledGraph>> CompiledGraph::compile(OwningOpRef<ModuleOp> module,
                                                                      const TargetSpec &target) {
  MLIRContext *context = module->getContext();
  {
    DiagnosticCollector diagnostics(context);
    PassManager pm(context);
    buildOptimizePipeline(pm, {});
    FormOptions form;
    form.target = target;
    buildFormPipeline(pm, form);
    buildPlanPipeline(pm, {});
    buildCodegenPipeline(pm, {target, /*maxThreads=*/1});
    if (failed(pm.run(*module)))
      return diagnostics.merge(llvm::createStringError("the graph cannot be compiled"));
  }
  auto graph = std::make_unique<CompiledGraph>();
  graph->interface = getModelInterface(*module);
  if (!runsHere(target)) {
    graph->launches = numberLaunches(*module);
    return graph;
  }
  if (llvm::Error error = checkMemory(graph->interface))
    return error;
  llvm::Expected<std::unique_ptr<CompiledModel>> code = CompiledModel::create(*module, target);
  if (!code)
    return code.takeError();
  graph->code = std::move(*code);
  CompiledModel *compiled = graph->code.get();
  graph->runner = std::make_unique<ModelRunner>(
      graph->interface,
      [compiled](const leaf_context *ctx, void *const *buffers, int64_t *dims) {
        return compiled->run(ctx, buffers, dims);
      },
      compiled->weights());
  return graph;
}

double CompiledGraph::estimate(const TargetSpec &target) const {
  constexpr double bytesPerCycle = 8;
  double operationsPerCycle = std::max<double>(1, target.lanes()) * (target.fma ? 2 : 1), cycles = 0;
  for (const ProfiledLaunch &launch : launches)
    cycles += std::max(std::max<int64_t>(launch.operations, 0) / operationsPerCycle,
                       std::max<int64_t>(launch.bytes, 0) / bytesPerCycle);
  return cycles;
}

llvm::Expected<NpzFile> CompiledGraph::run(const NpzFile &inputs) { return runner->run(inputs); }

llvm::Expected<double> CompiledGraph::measure(double seconds) {
  using Clock = std::chrono::steady_clock;
  auto begin = Clock::now();
  double least = std::numeric_limits<double>::infinity();
  for (unsigned runs = 0; runs < 3 || std::chrono::duration<double>(Clock::now() - begin).count() < seconds; ++runs) {
    auto start = Clock::now();
    if (llvm::Error error = runner->run())
      return error;
    least = std::min(least, std::chrono::duration<double, std::nano>(Clock::now() - start).count());
  }
  return least;
}

} // namespace leaf
