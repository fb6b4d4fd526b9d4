//===- Compression.cpp - a model compressed as asked ---------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Compression.h"

#include "Diagnostics.h"
#include "leafcutter/Compress/Layers.h"
#include "leafcutter/Compress/Passes.h"
#include "leafcutter/Transforms/Onnx.h"

#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using llvm::Error;
using llvm::Expected;

namespace leaf {

namespace {

struct Kind {
  Quantization quantization;
  llvm::StringLiteral name;
};

constexpr Kind kinds[] = {{Quantization::None, "f32"},
                          {Quantization::Int8, "int8"},
                          {Quantization::Int8Dynamic, "int8-dynamic"},
                          {Quantization::Int8Weights, "int8-weights"},
                          {Quantization::F16Weights, "f16-weights"},
                          {Quantization::BF16Weights, "bf16-weights"}};

} // namespace

llvm::StringRef getKindName(Quantization kind) {
  return llvm::find_if(kinds, [&](const Kind &entry) { return entry.quantization == kind; })->name;
}

std::vector<OptionSpec> getCompressionOptions() {
  std::vector<OptionSpec> options = getSparsityOptions();
  std::vector<OptionSpec> own = {
      {"--quantize", "KIND",
       "int8 (needs --calibration), int8-dynamic, int8-weights, f16-weights or\nbf16-weights; docs/Quantization.md "
       "says which when"},
      {"--calibration", "DATA.npz", "typical inputs, with a leading axis of samples"},
      {"--activations", "uint8|int8|int16", "int8: how activations are quantized (uint8)"},
      {"--range", "METHOD", "int8: how their ranges are chosen: min-max, percentile, entropy or\nmse (mse)"},
      {"--percentile", "P", "what --range=percentile keeps (99.99)"},
      {"--per-token", "", "int8-dynamic: one scale for each row"},
      {"--equalize", "", "int8: evens out channels between layers first"},
      {"--smooth", "ALPHA", "int8: SmoothQuant, for transformers; 0.5 is usual"},
      {"--no-bias-correction", "", "int8: leaves the mean error of layers in"},
      {"--keep-float", "NODE", "the node stays float32", true}};
  own.insert(own.end(), options.begin(), options.end());
  return own;
}

static Expected<double> readDecimal(const Arguments &arguments, llvm::StringRef option, double otherwise, double least,
                                    double most) {
  std::optional<std::string> text = arguments.get(option);
  double value = otherwise;
  if (text && (llvm::StringRef(*text).getAsDouble(value) || !(value >= least && value <= most)))
    return usageError(llvm::formatv("{0} takes a number from {1} to {2}, not '{3}'", option, least, most, *text).str());
  return value;
}

static Error readKind(const Arguments &arguments, CompressionSettings &settings) {
  std::string name = arguments.get("--quantize").value_or("f32");
  const Kind *kind = llvm::find_if(kinds, [&](const Kind &entry) { return entry.name == name; });
  if (kind == std::end(kinds) || (arguments.has("--quantize") && kind == std::begin(kinds)))
    return usageError("--quantize takes int8, int8-dynamic, int8-weights, f16-weights or bf16-weights, not '" + name +
                      "'");
  settings.stage.quantization = kind->quantization;
  if (kind->quantization == Quantization::Int8 && settings.calibrationPath.empty())
    return usageError("--quantize=int8 needs typical inputs: give --calibration=DATA.npz (int8-dynamic needs none)");
  return Error::success();
}

Expected<CompressionSettings> readCompression(const Arguments &arguments) {
  CompressionSettings settings;
  settings.calibrationPath = arguments.get("--calibration").value_or("");
  if (Error error = readKind(arguments, settings))
    return error;
  settings.stage.activations = arguments.get("--activations").value_or("uint8");
  std::optional<ActivationType> activations = parseActivationType(settings.stage.activations);
  if (!activations)
    return usageError("--activations takes uint8, int8 or int16, not '" + settings.stage.activations + "'");
  settings.calibration.activations = *activations;
  std::string method = arguments.get("--range").value_or("mse");
  std::optional<RangeMethod> range = parseRangeMethod(method);
  if (!range)
    return usageError("--range takes min-max, percentile, entropy or mse, not '" + method + "'");
  settings.calibration.method = *range;
  Expected<double> percent = readDecimal(arguments, "--percentile", 99.99, 50, 100);
  if (!percent)
    return percent.takeError();
  settings.calibration.percent = *percent;
  Expected<double> alpha = readDecimal(arguments, "--smooth", 0.5, 0, 1);
  if (!alpha)
    return alpha.takeError();
  if (arguments.has("--smooth"))
    settings.smooth = *alpha;
  settings.stage.perToken = arguments.has("--per-token");
  settings.equalize = arguments.has("--equalize");
  settings.correctBiases = !arguments.has("--no-bias-correction");
  settings.keepFloat = arguments.all("--keep-float");
  Expected<SparsitySettings> sparsity = readSparsity(arguments);
  if (!sparsity)
    return sparsity.takeError();
  settings.sparsity = *sparsity;
  return settings;
}

static Error runPasses(ModuleOp module, llvm::function_ref<void(PassManager &)> build, llvm::StringRef what) {
  DiagnosticCollector diagnostics(module.getContext());
  PassManager pm(module.getContext());
  build(pm);
  if (failed(pm.run(module)))
    return diagnostics.merge(llvm::createStringError(what + " failed"));
  return Error::success();
}

static Error keepNodesFloat(ModuleOp module, const std::vector<std::string> &names) {
  llvm::StringSet<> open;
  for (const std::string &name : names)
    open.insert(name);
  module.walk([&](Operation *op) {
    if (isOnnx(op) && llvm::is_contained(names, nodeName(op))) {
      keepFloat(op, "asked for (--keep-float)");
      open.erase(nodeName(op));
    }
  });
  for (const std::string &name : names)
    if (open.contains(name))
      return llvm::createStringError("--keep-float " + name + ": there is no node of that name (after normalization)");
  return Error::success();
}

/// Static quantization's share.
static Error prepareStatic(ModuleOp module, const CompressionSettings &settings, const TargetSpec &target,
                           const Dataset &data) {
  if (settings.equalize)
    if (Error error = runPasses(module, [](PassManager &pm) { pm.addPass(createEqualizeLayers()); }, "equalization"))
      return error;
  if (settings.smooth) {
    if (Error error = calibrateChannels(module, data, target, settings.calibration))
      return error;
    if (Error error = runPasses(
            module, [&](PassManager &pm) { pm.addPass(createSmoothQuantize({*settings.smooth})); }, "smoothing"))
      return error;
  }
  if (Error error = calibrateRanges(module, data, target, settings.calibration))
    return error;
  if (!settings.correctBiases)
    return Error::success();
  Expected<std::vector<LayerLoss>> losses = measureLayerLosses(module, data, target, settings.calibration);
  if (!losses)
    return losses.takeError();
  for (const LayerLoss &loss : *losses)
    if (!loss.bias.empty())
      loss.layer->setAttr(attrs::kBiasError, DenseF64ArrayAttr::get(module.getContext(), loss.bias));
  return runPasses(module, [](PassManager &pm) { pm.addPass(createCorrectBiases()); }, "bias correction");
}

Error prepareCompression(ModuleOp module, const CompressionSettings &settings, const TargetSpec &target,
                         const Dataset *data) {
  if (Error error = keepNodesFloat(module, settings.keepFloat))
    return error;
  if (Error error = sparsify(module, settings.sparsity, data, target))
    return error;
  if (settings.stage.quantization != Quantization::Int8)
    return Error::success();
  return prepareStatic(module, settings, target, *data);
}

Error prepareCompression(ModuleOp module, const CompressionSettings &settings, const TargetSpec &target) {
  if (settings.stage.quantization != Quantization::Int8 && !settings.sparsity.secondOrder)
    return prepareCompression(module, settings, target, nullptr);
  Expected<Dataset> data = Dataset::load(settings.calibrationPath, module);
  if (!data)
    return data.takeError();
  return prepareCompression(module, settings, target, &*data);
}

Error runCompressStage(ModuleOp module, const CompressionSettings &settings) {
  return runPasses(module, [&](PassManager &pm) { buildCompressPipeline(pm, settings.stage); }, "stage compress");
}

void addCompression(const CompressionSettings &settings, CompilerOptions &options) {
  options.compress = settings.stage;
  if (!settings.isAsked())
    return;
  options.beforeCompress = [settings](ModuleOp module) -> Error {
    Expected<TargetSpec> host = lookupTarget("host");
    if (!host)
      return host.takeError();
    return prepareCompression(module, settings, *host);
  };
}

} // namespace leaf
