//===- CompressCommand.cpp - leafc compress ------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Advise.h"
#include "JitSession.h"
#include "MixedPrecision.h"
#include "ModelInfo.h"
#include "ModelOptions.h"
#include "SparsitySearch.h"
#include "leafcutter/Compress/Layers.h"
#include "leafcutter/Driver/Commands.h"
#include "leafcutter/Export/Export.h"

#include "llvm/Support/Path.h"

using namespace llvm;

namespace leaf {

/// Open dimensions stay open in the file that is written; a bound lets the model be normalized.
static constexpr int64_t kOpenBound = 1 << 20;

/// Bounds the open dimensions that no option names.
static Error boundOpenDimensions(StringRef path, CompilerOptions &options) {
  if (sys::path::extension(path) == ".mlir")
    return Error::success();
  Expected<ModelInfo> info = readModelInfo(path);
  if (!info)
    return info.takeError();
  for (const TensorInfo &input : info->inputs)
    for (auto [i, name] : enumerate(input.dims))
      if (input.open[i] && !options.import.fixedDims.count(name) && !options.import.pins.count(input.name))
        options.import.bounds.try_emplace(name, kOpenBound);
  return Error::success();
}

static Error printAndWrite(const CompressReport &report, const Arguments &arguments) {
  printReport(outs(), report);
  std::optional<std::string> path = arguments.get("--report");
  return path ? writeReport(*path, report) : Error::success();
}

/// The table of the float and the compressed model.
static Error report(CompressSession &session, mlir::ModuleOp compressed, const CompressionSettings &settings,
                    const Arguments &arguments) {
  CompressReport report;
  Quantization kind = settings.stage.quantization;
  Expected<Evaluated> first = session.evaluateModule(getKindName(Quantization::None), session.getModel());
  // Without data open dimensions are taken as 1, which a model need not bear.
  if (!first && !session.getCalibration() && !session.getEvaluation()) {
    errs()
        << "note: no figures: with its open dimensions at 1 the model cannot be compiled; --dim NAME=N sets others\n";
    consumeError(first.takeError());
    return Error::success();
  }
  if (!first)
    return first.takeError();
  report.rows.push_back(*first);
  if (settings.isAsked()) {
    std::string name = getKindName(kind).str();
    if (settings.sparsity.isAsked())
      name += " sparse";
    Expected<Evaluated> row = session.evaluateModule(name, compressed);
    if (!row)
      return row.takeError();
    report.rows.push_back(*row);
  }
  report.layers = collectLayers(session.getModel()).size();
  report.floats = collectFloatLayers(compressed, kind);
  report.pruned = getPrunedLayers(compressed);
  return printAndWrite(report, arguments);
}

static Error advise(CompressSession &session, const CompressionSettings &settings, double maxDrop,
                    const Arguments &arguments) {
  Expected<CompressReport> report = adviseCompression(session, settings);
  if (!report)
    return report.takeError();
  if (Error error = printAndWrite(*report, arguments))
    return error;
  Advice advice = chooseRow(*report, maxDrop);
  if (report->rows.front().estimated)
    outs() << "  ~ latencies are estimated by a cost model: compare them with each other only\n";
  if (!session.getEvaluation())
    outs() << "  no --eval: neither accuracy nor latency was measured\n";
  outs() << "  recommended: " << report->rows[advice.row].kind << ": " << advice.reason << '\n';
  return Error::success();
}

namespace {

/// What the command line says besides the model's and the compression's options.
struct CompressArguments {
  std::optional<std::string> output;
  std::optional<double> maxDrop;
  MixedPrecisionOptions mixed;
  bool advise = false;
};

} // namespace

static Expected<CompressArguments> readArguments(const Arguments &arguments, const CompressionSettings &settings) {
  CompressArguments result;
  result.output = arguments.get("-o");
  result.advise = arguments.has("--advise");
  if (std::optional<std::string> text = arguments.get("--max-drop")) {
    StringRef number = *text;
    number.consume_back("%");
    double value;
    if (number.getAsDouble(value) || !(value >= 0 && value <= 100))
      return usageError("--max-drop takes percent from 0 to 100, as 0.5%, not '" + *text + "'");
    result.maxDrop = result.mixed.maxDrop = value;
  }
  Expected<uint64_t> evaluations = arguments.getNumber("--max-evaluations", 16, 1, 10000);
  if (!evaluations)
    return evaluations.takeError();
  result.mixed.maxEvaluations = *evaluations;
  result.mixed.statePath = arguments.get("--search-state").value_or("");
  bool searches = result.maxDrop && !result.advise;
  bool canSearch = settings.stage.quantization == Quantization::Int8 || settings.sparsity.isAsked();
  if (searches && (!canSearch || !arguments.has("--eval")))
    return usageError("--max-drop needs --quantize=int8 or --sparsify, and --eval=DATA.npz, on which the loss is "
                      "measured");
  if (searches && settings.sparsity.isAsked() &&
      (settings.sparsity.pattern.kind == SparsityPattern::Channel || !settings.sparsity.patternPath.empty()))
    return usageError("--max-drop chooses layers for --sparsify with the patterns unstructured, N:M and blockRx1 only");
  if (!result.output && !arguments.has("--eval") && !result.advise)
    return usageError("where should the result go? give -o FILE.onnx, or --eval=DATA.npz to see what would come out");
  return result;
}

static Error compressAndWrite(CompressSession &session, const CompressionSettings &settings,
                              const CompressArguments &own, const Arguments &arguments) {
  auto write = [&](mlir::ModuleOp module) { return own.output ? exportONNX(module, *own.output) : Error::success(); };
  auto search = settings.sparsity.isAsked() ? searchSparsity : searchMixedPrecision;
  Expected<OwnedModule> compressed =
      own.maxDrop ? search(session, settings, own.mixed, write) : session.compress(settings);
  if (!compressed)
    return compressed.takeError();
  if (Error error = write(**compressed))
    return error;
  if (Error error = report(session, **compressed, settings, arguments))
    return error;
  if (own.output)
    outs() << "  written " << *own.output << '\n';
  return Error::success();
}

static Expected<int> compress(const Arguments &arguments) {
  Expected<ModelArguments> model = readModelArguments(arguments);
  if (!model)
    return model.takeError();
  auto &[path, options] = *model;
  Expected<CompressionSettings> settings = readCompression(arguments);
  if (!settings)
    return settings.takeError();
  Expected<CompressArguments> own = readArguments(arguments, *settings);
  if (!own)
    return own.takeError();
  Expected<TargetSpec> host = lookupTarget("host");
  if (!host)
    return host.takeError();
  if (Error error = boundOpenDimensions(path, options))
    return std::move(error);
  options.stopAfter = Stage::Normalize;
  Compiler compiler(std::move(options));
  if (Error error = compileWithProgress(compiler, path))
    return std::move(error);
  CompressSession session(compiler.getModule(), compiler.getTarget(), *host);
  if (Error error = session.load(settings->calibrationPath, arguments.get("--eval").value_or("")))
    return std::move(error);
  if (Error error = own->advise ? advise(session, *settings, own->maxDrop.value_or(0.5), arguments)
                                : compressAndWrite(session, *settings, *own, arguments))
    return std::move(error);
  return 0;
}

Command makeCompressCommand() {
  std::vector<OptionSpec> own = {
      {"-o", "FILE.onnx", "the compressed model, which other runtimes run too"},
      {"--eval", "DATA.npz", "inputs with a leading axis of samples, and 'label' for accuracy"},
      {"--report", "FILE.tsv", "the table as tab-separated values"},
      {"--max-drop", "PERCENT",
       "layers stay float32 (or, with --sparsify, dense), the worst first, until\nthe loss on --eval is no larger: "
       "points of top-1, percent of perplexity,\nor of cosine"},
      {"--max-evaluations", "N", "with --max-drop: models that are tried (16)"},
      {"--search-state", "FILE.tsv", "with --max-drop: keeps what was tried, so that a search goes on"},
      {"--advise", "", "tries every kind, for --target, and recommends one; --max-drop is what\nit may lose (0.5)"}};
  append_range(own, getCompressionOptions());
  return {
      {"compress", "model.onnx -o small.onnx",
       "writes a smaller model as standard ONNX, and measures what it costs\nWithout --quantize and --sparsify the "
       "model "
       "is only normalized. Open dimensions stay open.",
       withModelOptions(std::move(own)),
       "leafc compress model.onnx -o small.onnx --quantize=int8 --calibration=data.npz --eval=test.npz\n"
       "leafc compress model.onnx -o small.onnx --quantize=int8-dynamic --per-token\n"
       "leafc compress model.onnx -o mixed.onnx --quantize=int8 --calibration=data.npz --eval=test.npz "
       "--max-drop=0.5%\n"
       "leafc compress model.onnx -o sparse.onnx --sparsify=0.8 --method=obs --calibration=data.npz --eval=test.npz\n"
       "leafc compress model.onnx --advise --calibration=data.npz --eval=test.npz --target=rpi4\n"
       "leafc compress model.onnx -o half.onnx --quantize=f16-weights --report=table.tsv"},
      compress};
}

} // namespace leaf
