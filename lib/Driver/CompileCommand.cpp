//===- CompileCommand.cpp - leafc compile ------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Compression.h"
#include "JitSession.h"
#include "ModelOptions.h"
#include "leafcutter/Driver/Artifacts.h"
#include "leafcutter/Driver/Commands.h"
#include "leafcutter/Plan/ModelInterface.h"
#include "leafcutter/Support/CText.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include <chrono>

using namespace llvm;

namespace leaf {

static void printTensors(raw_ostream &out, StringRef label, ArrayRef<TensorInterface> tensors) {
  for (const TensorInterface &tensor : tensors) {
    out << "  " << left_justify(label, 12) << escapeMessage(tensor.name) << ' ' << tensor.elementType << '[';
    for (size_t d = 0; d < tensor.shape.size(); ++d) {
      out << (d ? "," : "");
      if (tensor.shape[d] >= 0)
        out << tensor.shape[d];
      else
        out << escapeMessage(tensor.dimNames[d]) << "<=" << tensor.upperBounds[d];
    }
    out << ']' << (tensor.alias >= 0 ? " (aliased)" : "") << '\n';
  }
}

/// Most layers that a summary names.
static constexpr size_t kNamedLayers = 12;

/// Weights that are mostly zero: how many bytes they take, and for each how it is stored or why it is dense.
static void printSparseLayers(raw_ostream &out, ArrayRef<SparseLayer> layers) {
  if (layers.empty())
    return;
  int64_t stored = 0, dense = 0, count = count_if(layers, [](const SparseLayer &layer) { return layer.block > 0; });
  for (const SparseLayer &layer : layers) {
    stored += layer.bytes;
    dense += layer.denseBytes;
  }
  out << "  sparse      " << count << " of " << layers.size() << " layers with zeros, " << formatCount(stored) << " of "
      << formatCount(dense) << " bytes\n";
  for (const SparseLayer &layer : layers.take_front(kNamedLayers)) {
    out << "                " << escapeMessage(layer.node) << ": " << format("%.0f", layer.zeros * 100) << " % zeros, ";
    if (!layer.block)
      out << "dense: " << layer.why << '\n';
    else
      out << "sparse" << (layer.block > 1 ? " in blocks of " + std::to_string(layer.block) : "") << ", "
          << format("%.2f", static_cast<double>(layer.bytes) / static_cast<double>(layer.denseBytes))
          << " of its bytes\n";
  }
  if (layers.size() > kNamedLayers)
    out << "                and " << layers.size() - kNamedLayers << " more\n";
}

static void printSummary(raw_ostream &out, const ModelInterface &model, const Compiler &compiler,
                         const Artifacts &artifacts, double seconds) {
  const CompileFigures &figures = compiler.getFigures();
  const TargetSpec &target = compiler.getTarget();
  if (model.isaLevels.empty())
    out << model.name << " for " << target.name << " (" << target.triple << (target.cpu.empty() ? "" : ", ")
        << target.cpu << ")\n";
  else
    out << model.name << " for " << join(model.isaLevels, ", ") << " (" << target.triple << ", chosen at run time)\n";
  printTensors(out, "input", model.inputs);
  printTensors(out, "output", model.outputs);
  out << "  parameters  " << formatCount(figures.parameters) << '\n';
  out << "  MACs        " << formatCount(figures.macs) << '\n';
  out << "  kernels     " << figures.kernelsFormed << " formed, " << figures.kernels << " after deduplication\n";
  for (const std::string &kernel : figures.scalarKernels)
    out << "  scalar      " << escapeMessage(kernel) << '\n';
  out << "  weights     " << formatCount(model.weightBytes) << " bytes\n";
  printSparseLayers(out, figures.sparseLayers);
  out << "  arena       " << formatCount(model.arenaBytes) << " bytes (lower bound "
      << formatCount(model.arenaLowerBound) << ")\n";
  if (artifacts.stats) {
    out << "  stack       " << formatCount(artifacts.stats->stackBytes) << " bytes\n";
    out << "  code        " << formatCount(artifacts.stats->codeBytes) << " bytes\n";
  }
  for (const std::string &path : artifacts.paths)
    out << "  written     " << path << '\n';
  out << "  time        " << format("%.2f", seconds) << " s\n";
}

static Expected<Emission> readEmission(const Arguments &arguments) {
  std::string text = arguments.get("--emit").value_or("lib");
  if (text == "lib")
    return Emission::Library;
  if (text == "obj")
    return Emission::Object;
  if (text == "c")
    return Emission::C;
  return usageError("--emit takes lib, obj or c, not '" + text + "'");
}

static Expected<int> compile(const Arguments &arguments) {
  auto start = std::chrono::steady_clock::now();
  if (arguments.has("--list-stages")) {
    for (Stage stage : getStages())
      outs() << getStageName(stage) << '\n';
    return 0;
  }
  Expected<ModelArguments> model = readModelArguments(arguments);
  if (!model)
    return model.takeError();
  auto &[path, options] = *model;
  Expected<Emission> emission = readEmission(arguments);
  if (!emission)
    return emission.takeError();
  Expected<WeightPlacement> placement = readWeightPlacement(arguments);
  if (!placement)
    return placement.takeError();
  Expected<CompressionSettings> compression = readCompression(arguments);
  if (!compression)
    return compression.takeError();
  addCompression(*compression, options);
  options.import.defaultBatchToOne = true;
  bool emits = true;
  if (std::optional<std::string> name = arguments.get("--stop-after")) {
    Expected<Stage> stage = parseStage(*name);
    if (!stage)
      return usageError(toString(stage.takeError()));
    emits = *stage == Stage::Emit;
    options.stopAfter = *stage;
    if (!emits && options.dumpDir.empty())
      return usageError("--stop-after=" + *name + " leaves nothing behind; give --dump-stages=DIR too");
  }
  std::optional<std::string> folder = arguments.get("-o");
  if (emits && !folder)
    return usageError("where should the result go? give -o DIR");

  if (Error error = readTuning(arguments, path, options))
    return std::move(error);

  Compiler compiler(std::move(options));
  if (Error error = compileWithProgress(compiler, path))
    return error;
  if (!emits)
    return 0;
  Expected<Artifacts> artifacts = writeArtifacts(compiler.getLevels(), *emission, *folder, *placement);
  if (!artifacts)
    return artifacts.takeError();
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  printSummary(outs(), getModelInterface(compiler.getModule()), compiler, *artifacts, seconds);
  return 0;
}

Command makeCompileCommand() {
  std::vector<OptionSpec> own = {
      {"-o", "DIR", "folder for NAME.h, libNAME.a, example.c and NAME.cmake"},
      {"--emit", "lib|obj|c", "static library (default), objects, or one standalone C99 file"},
      {"--weights", "embed|file",
       "weights in the library or C file (default), or in NAME.weights, which\nthe program maps "
       "with leaf_weights.c"},
      {"--weights-section", "NAME", "linker section of embedded weights (.rodata.leaf; in C the\ncompiler's own)"},
      {"--name", "NAME", "prefix of all C symbols and files (default: the file's stem)"},
      {"--stop-after", "STAGE", "last stage to run; give --dump-stages too"},
      {"--list-stages", "", "prints the names of the stages"}};
  append_range(own, getCompressionOptions());
  return {{"compile", "model.onnx -o DIR",
           "writes a library (or object, or C file) with its header\nA leading batch dimension without an option "
           "becomes 1; any other open dimension needs --dim.",
           withModelOptions(std::move(own)),
           "leafc compile model.onnx -o out\n"
           "leafc compile model.onnx -o out --emit=c --name=digits\n"
           "leafc compile model.onnx -o out --target=cortex-m7\n"
           "leafc compile model.onnx -o out --target=x86-64-v3,x86-64-v4,sapphirerapids\n"
           "leafc compile model.onnx -o out --weights=file\n"
           "leafc compile model.onnx -o out --quantize=int8 --calibration=data.npz\n"
           "leafc compile net.onnx -o out --input-layout nhwc --input-type uint8 --mean 127.5 --std 127.5\n"
           "leafc compile model.onnx -o out --triple=aarch64-linux-gnu --mcpu=cortex-a76 --mattr=+dotprod\n"
           "leafc compile gpt.onnx -o out --dim seq=1 --dim 'past<=63' --alias past_key=present_key\n"
           "leafc compile model.onnx --dump-stages=stages --stop-after=form"},
          compile};
}

} // namespace leaf
