//===- Sparsification.cpp - weights pruned as asked ------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Sparsification.h"

#include "Compare.h"
#include "Diagnostics.h"
#include "Hessians.h"
#include "leafcutter/Compress/Passes.h"
#include "leafcutter/Compress/Quantization.h"
#include "leafcutter/Support/CText.h"
#include "leafcutter/Support/Npz.h"
#include "leafcutter/Transforms/Onnx.h"
#include "leafcutter/Transforms/Passes.h"

#include "mlir/Pass/PassManager.h"

using namespace llvm;

namespace leaf {

/// Module attribute: an array of [node, zeros, loss].
static constexpr StringLiteral kPrunedLayers = "leaf.pruned_layers";

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

std::vector<OptionSpec> getSparsityOptions() {
  return {
      {"--sparsify", "SHARE", "share of the weights that become zero, as 0.8; docs/Sparsity.md"},
      {"--pattern", "PATTERN",
       "where: unstructured, 2:4 (N:M: the share is the pattern's), block4x1 (as\nmany output channels together) or "
       "channel: whole channels, shapes shrink\n(unstructured)"},
      {"--method", "magnitude|obs", "obs: second order, on the calibration data (magnitude)"},
      {"--sparsity-scope", "layer|global",
       "the share is that of each layer, or of all together by one threshold on\nmagnitudes (global; N:M: layer)"},
      {"--sparsity-pattern", "FILE.npz",
       "arrays named after weights or nodes: masks in the weight's shape, zero\nwhere it becomes zero, or one number: "
       "the density of that layer"},
      {"--keep-dense", "NODE", "the node's weights are not pruned", true}};
}

/// --sparsify and --pattern.
static Error readShare(const Arguments &arguments, SparsitySettings &settings) {
  std::string text = arguments.get("--pattern").value_or("unstructured");
  std::optional<SparsityPattern> pattern = parseSparsityPattern(text);
  if (!pattern)
    return usageError("--pattern takes unstructured, N:M as 2:4, blockRx1 as block4x1, or channel, not '" + text + "'");
  settings.pattern = *pattern;
  bool isNOfM = pattern->kind == SparsityPattern::NOfM;
  settings.sparsity = isNOfM ? 1 - double(pattern->kept) / double(pattern->group) : 0;
  std::optional<std::string> share = arguments.get("--sparsify");
  if (!share)
    return Error::success();
  double value;
  if (StringRef(*share).getAsDouble(value) || !(value > 0 && value < 1))
    return usageError("--sparsify takes a share between 0 and 1, as 0.8, not '" + *share + "'");
  if (isNOfM && std::abs(value - settings.sparsity) > 1e-6)
    return usageError("--pattern=" + text + " makes " + std::to_string(int(settings.sparsity * 100)) +
                      " % of the weights zero: leave --sparsify out");
  settings.sparsity = value;
  return Error::success();
}

Expected<SparsitySettings> readSparsity(const Arguments &arguments) {
  SparsitySettings settings;
  if (Error error = readShare(arguments, settings))
    return std::move(error);
  std::string method = arguments.get("--method").value_or("magnitude");
  if (method != "magnitude" && method != "obs")
    return usageError("--method takes magnitude or obs, not '" + method + "'");
  settings.secondOrder = method == "obs";
  SparsityPattern::Kind kind = settings.pattern.kind;
  bool canBeGlobal = kind == SparsityPattern::Unstructured || kind == SparsityPattern::Block;
  std::string scope = arguments.get("--sparsity-scope").value_or(canBeGlobal ? "global" : "layer");
  if (scope != "layer" && scope != "global")
    return usageError("--sparsity-scope takes layer or global, not '" + scope + "'");
  settings.isGlobal = scope == "global";
  settings.patternPath = arguments.get("--sparsity-pattern").value_or("");
  settings.isGlobal &= settings.patternPath.empty();
  settings.keepDense = arguments.all("--keep-dense");
  if (!settings.patternPath.empty() && settings.sparsity > 0)
    return usageError("--sparsity-pattern says itself which weights are zero: leave --sparsify and --pattern out");
  if (settings.secondOrder && !arguments.has("--calibration"))
    return usageError("--method=obs needs typical inputs: give --calibration=DATA.npz");
  if (settings.isGlobal && !canBeGlobal)
    return usageError("--sparsity-scope=global is for the patterns unstructured and blockRx1");
  if (settings.secondOrder && kind == SparsityPattern::Channel)
    return usageError("--pattern=channel is by magnitude only");
  bool hasOptions = arguments.has("--method") || arguments.has("--pattern") || arguments.has("--sparsity-scope") ||
                    arguments.has("--keep-dense");
  if (hasOptions && !settings.isAsked())
    return usageError("--pattern, --method, --sparsity-scope and --keep-dense need --sparsify=SHARE");
  return settings;
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

namespace {

/// A layer with what is to be done with it.
struct Task {
  Layer layer;
  WeightMatrix weight;
  double share = 0;
  const NpyArray *mask = nullptr;
};

} // namespace

/// A file of patterns may name small layers too.
static Expected<std::vector<Layer>> collectPrunable(mlir::ModuleOp module, const SparsitySettings &settings) {
  const std::vector<std::string> &keepDense = settings.keepDense;
  int64_t fewest = settings.patternPath.empty() ? kFewestWeights : 0;
  std::vector<Layer> layers = collectLayers(module);
  for (const std::string &name : keepDense)
    if (none_of(layers, [&](const Layer &layer) { return nodeName(layer.op) == name; }))
      return createStringError("--keep-dense " + name + ": there is no layer of that name (after normalization)");
  erase_if(layers, [&](const Layer &layer) {
    return !whyNotSparse(layer, fewest).empty() || is_contained(keepDense, nodeName(layer.op));
  });
  return layers;
}

/// Masks and densities of --sparsity-pattern, for the layers that it names; `tasks` keeps these only.
static Error applyPatternFile(std::vector<Task> &tasks, const NpzFile &file, StringRef path) {
  for (const auto &[key, array] : file) {
    auto task = find_if(tasks, [&, &key = key](const Task &candidate) {
      return constantName(candidate.layer.weight()) == key || nodeName(candidate.layer.op) == key;
    });
    if (task == tasks.end())
      return createStringError("'" + path + "': array '" + escapeMessage(key) +
                               "' is neither a weight nor a node that can be pruned");
    auto shape = cast<mlir::ShapedType>(task->layer.weight().getType()).getShape();
    std::vector<double> values = toDoubles(array);
    if (values.size() == 1 && task->weight.values.size() != 1) {
      if (!(values[0] > 0 && values[0] <= 1))
        return createStringError("'" + path + "': the density of '" + escapeMessage(key) + "' is not between 0 and 1");
      task->share = 1 - values[0];
    } else if (ArrayRef<int64_t>(array.shape) != shape) {
      return createStringError("'" + path + "': array '" + escapeMessage(key) +
                               "' has neither the weight's shape nor one element");
    } else {
      task->mask = &array;
    }
  }
  erase_if(tasks, [](const Task &task) { return !task.mask && task.share == 0; });
  return Error::success();
}

static WeightMatrix applyMask(const Task &task) {
  HostTensor masked = HostTensor::make(cast<mlir::RankedTensorType>(task.layer.weight().getType()));
  HostTensor weight = *getFloatWeight(task.layer.weight());
  for (auto [i, keeps] : enumerate(toDoubles(*task.mask)))
    masked.setFloat(int64_t(i), keeps != 0 ? weight.getFloat(int64_t(i)) : 0);
  return toMatrix(task.layer, masked);
}

static WeightMatrix prune(const Task &task, const SparsitySettings &settings, ArrayRef<double> hessian) {
  if (task.mask)
    return applyMask(task);
  WeightMatrix pruned = task.weight;
  if (settings.secondOrder && !hessian.empty() &&
      pruneBySecondOrder(pruned, std::vector<double>(hessian), settings.pattern, task.share))
    return pruned;
  if (settings.secondOrder)
    errs() << "note: node '" << escapeMessage(nodeName(task.layer.op)) << "' is pruned by magnitude: "
           << (task.weight.columns > kMostHessianColumns ? "it has too many inputs for the second order\n"
                                                         : "the second order has no inverse there\n");
  pruned = task.weight;
  pruneByMagnitude(pruned, settings.pattern, task.share);
  return pruned;
}

static void addToLog(mlir::ModuleOp module, ArrayRef<PrunedLayer> layers) {
  mlir::Builder b(module.getContext());
  SmallVector<mlir::Attribute> entries;
  for (const PrunedLayer &layer : layers)
    entries.push_back(
        b.getArrayAttr({b.getStringAttr(layer.node), b.getF64FloatAttr(layer.zeros), b.getF64FloatAttr(layer.loss)}));
  module->setAttr(kPrunedLayers, b.getArrayAttr(entries));
}

std::vector<PrunedLayer> getPrunedLayers(mlir::ModuleOp module) {
  std::vector<PrunedLayer> layers;
  auto entries = module->getAttrOfType<mlir::ArrayAttr>(kPrunedLayers);
  for (mlir::Attribute entry : entries ? entries.getValue() : ArrayRef<mlir::Attribute>()) {
    auto fields = dyn_cast<mlir::ArrayAttr>(entry);
    if (fields && fields.size() == 3)
      layers.push_back({cast<mlir::StringAttr>(fields[0]).str(), cast<mlir::FloatAttr>(fields[1]).getValueAsDouble(),
                        cast<mlir::FloatAttr>(fields[2]).getValueAsDouble()});
  }
  return layers;
}

static Error pruneChannels(mlir::ModuleOp module, const SparsitySettings &settings) {
  for (const Layer &layer : collectLayers(module))
    if (is_contained(settings.keepDense, nodeName(layer.op)))
      keepFloat(layer.op, "asked for (--keep-dense)");
  DiagnosticCollector diagnostics(module.getContext());
  mlir::PassManager pm(module.getContext());
  pm.addPass(createPruneChannels({settings.sparsity}));
  pm.addPass(createInferShapes());
  if (mlir::failed(pm.run(module)))
    return diagnostics.merge(createStringError("pruning of channels failed"));
  return Error::success();
}

Error sparsify(mlir::ModuleOp module, const SparsitySettings &settings, const Dataset *data, const TargetSpec &target) {
  if (!settings.isAsked())
    return Error::success();
  Expected<std::vector<Layer>> layers = collectPrunable(module, settings);
  if (!layers)
    return layers.takeError();
  if (settings.pattern.kind == SparsityPattern::Channel)
    return pruneChannels(module, settings);
  if (layers->empty() && settings.keepDense.empty())
    return createStringError(
        "no layer can be pruned: that takes a Conv, Gemm or MatMul with constant float weights, of at "
        "least " +
        std::to_string(kFewestWeights) + ", not in groups");
  std::vector<Task> tasks;
  for (const Layer &layer : *layers)
    tasks.push_back({layer, toMatrix(layer, *getFloatWeight(layer.weight())), settings.sparsity});
  NpzFile patterns;
  if (!settings.patternPath.empty()) {
    Expected<NpzFile> file = readNpz(settings.patternPath);
    if (!file)
      return file.takeError();
    patterns = std::move(*file);
    if (Error error = applyPatternFile(tasks, patterns, settings.patternPath))
      return error;
  }
  if (settings.isGlobal) {
    std::vector<WeightMatrix> matrices;
    for (const Task &task : tasks)
      matrices.push_back(task.weight);
    for (auto [task, share] : zip_equal(tasks, sharesByThreshold(matrices, settings.pattern, settings.sparsity)))
      task.share = share;
  }
  std::vector<std::vector<double>> hessians(tasks.size());
  if (data) {
    std::vector<Layer> own;
    for (const Task &task : tasks)
      own.push_back(task.layer);
    Expected<std::vector<std::vector<double>>> gathered = gatherHessians(module, own, *data, target);
    if (!gathered)
      return gathered.takeError();
    hessians = std::move(*gathered);
  }
  std::vector<PrunedLayer> log;
  for (auto [task, hessian] : zip_equal(tasks, hessians)) {
    WeightMatrix pruned = prune(task, settings, hessian);
    double zeros = double(llvm::count(pruned.values, 0.0)) / double(std::max<size_t>(1, pruned.values.size()));
    log.push_back({nodeName(task.layer.op), zeros, relativeLoss(task.weight, pruned, hessian)});
    setSparseWeight(task.layer, pruned, settings.pattern);
  }
  addToLog(module, log);
  return Error::success();
}

} // namespace leaf
