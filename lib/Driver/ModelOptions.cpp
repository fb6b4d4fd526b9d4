//===- ModelOptions.cpp - options that say what to compile -------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ModelOptions.h"

#include "PreprocessingOptions.h"
#include "Tuner.h"
#include "leafcutter/Codegen/Tuning.h"
#include "leafcutter/Support/Identifier.h"
#include "leafcutter/Support/StringArrays.h"

#include "llvm/ADT/StringExtras.h"
#include <limits>

using namespace llvm;

namespace leaf {

std::vector<OptionSpec> withModelOptions(std::vector<OptionSpec> own) {
  const OptionSpec shared[] = {
      {"--dim", "NAME=N", "size of an open dimension; 'NAME<=N' bounds it, then it is\ngiven with every run", true},
      {"--bound", "NODE.OUTPUT=N",
       "largest size of the open dimensions of a node's output, where data\ndecide them; a run that needs more ends "
       "with "
       "LEAF_ERROR_BOUND",
       true},
      {"--length", "INPUT=N", "elements of a sequence; 1 or 0: whether an optional input is there", true},
      {"--pin", "INPUT=FILE.npy", "the input becomes a constant and leaves the interface", true},
      {"--alias", "PAST=PRESENT", "input and output share one buffer: a KV cache without copies", true},
  };
  const OptionSpec compilation[] = {
      {"--target", "NAME",
       "what to compile for: host, x86-64-v2/v3/v4, sapphirerapids, rpi4, rpi5,\nrpi-zero2, jetson-nano, "
       "jetson-orin, rpi3-32,\ncortex-m0plus/m3/m4/m7/m33/m55; several of one machine, as\nx86-64-v3,x86-64-v4: "
       "kernels for each, chosen at run time"},
      {"--triple", "TRIPLE", "instead of --target: LLVM's name of the platform"},
      {"--mcpu", "CPU", "with --triple: LLVM's name of the processor"},
      {"--mattr", "+A,-B", "with --triple: LLVM's features"},
      {"--max-threads", "N", "threads that may run one call at the same time (1)"},
      {"--precision", "f32|f16|bf16",
       "how weights of matrix products and convolutions are stored; sums are\nfloat32 always (f32)"},
      {"--winograd", "f4|f2|off",
       "largest tiles of 3x3 convolutions by Winograd's filtering: up to 4x\nfewer multiplications at an error of "
       "7e-6 (f2: 1e-6) of the\nlargest output (f4)"},
      {"--weight-growth", "PERCENT", "size that weights may grow to for Winograd; 100: not at all (150)"},
      {"--sparse", "auto|always|off",
       "weights that are mostly zero are stored and multiplied without their\nzeros: where a cost model says that it "
       "is "
       "faster, wherever it can be, or\nnever (auto)"},
      {"--tuned", "FILE", "measured choices of kernels, from --tune; without it a cost model chooses"},
      {"--tune", "FILE",
       "measures alternatives of kernels that FILE lacks, on this machine with\n--max-threads, adds the fastest to it, "
       "then compiles as with --tuned"},
      {"--dump-stages", "DIR", "writes DIR/NN.STAGE.mlir and .weights after each stage"},
      {"--start-from", "STAGE", "first stage to run on a .mlir (a dump says it itself)"},
      {"--mlir-print-ir-after-all", "", "prints the module after each pass"},
      {"--mlir-timing", "", "prints the time of each pass"},
      {"--mlir-pass-statistics", "", "prints the statistics of each pass"},
      {"--crash-reproducer", "DIR",
       "writes DIR/STAGE.reproducer.mlir for leaf-opt --run-reproducer when a\npass fails; without it only when the "
       "compiler crashes, to a temporary file"},
      {"--help", "", "prints this"},
  };
  own.insert(own.end(), std::begin(shared), std::end(shared));
  append_range(own, getPreprocessingOptions());
  own.insert(own.end(), std::begin(compilation), std::end(compilation));
  return own;
}

/// One --dim value: NAME=N or NAME<=N.
static Error readDim(StringRef text, ImportOptions &options) {
  size_t equals = text.rfind('=');
  if (equals == StringRef::npos)
    return usageError("--dim takes NAME=N or 'NAME<=N', not '" + text + "'");
  StringRef name = text.take_front(equals);
  bool bound = name.consume_back("<");
  int64_t size;
  if (name.empty() || text.substr(equals + 1).getAsInteger(10, size) || size < 1 ||
      size > std::numeric_limits<int32_t>::max())
    return usageError("--dim takes NAME=N or 'NAME<=N' with N from 1 to 2147483647, not '" + text + "'");
  if (options.fixedDims.count(name.str()) || options.bounds.count(name.str()))
    return usageError("--dim gives dimension '" + name + "' twice");
  (bound ? options.bounds : options.fixedDims)[name.str()] = size;
  return Error::success();
}

/// Values of a repeatable option NAME=N.
static Error readNumbers(const Arguments &arguments, StringRef option, StringRef form, int64_t most,
                         std::map<std::string, int64_t> &result) {
  for (const std::string &text : arguments.all(option)) {
    auto [name, number] = StringRef(text).rsplit('=');
    int64_t value;
    if (name.empty() || number.getAsInteger(10, value) || value < 0 || value > most)
      return usageError(option + " takes " + form + " with N from 0 to " + Twine(most) + ", not '" + text + "'");
    if (!result.emplace(name.str(), value).second)
      return usageError(option + " gives '" + name + "' twice");
  }
  return Error::success();
}

/// Values of a repeatable option A=B.
static Error readPairs(const Arguments &arguments, StringRef option, StringRef form,
                       std::map<std::string, std::string> &result) {
  for (const std::string &text : arguments.all(option)) {
    auto [key, value] = StringRef(text).split('=');
    if (key.empty() || value.empty())
      return usageError(option + " takes " + form + ", not '" + text + "'");
    if (!result.emplace(key.str(), value.str()).second)
      return usageError(option + " gives '" + key + "' twice");
  }
  return Error::success();
}

static Error readTarget(const Arguments &arguments, CompilerOptions &options) {
  std::optional<std::string> triple = arguments.get("--triple");
  options.targetGiven = triple || arguments.has("--target");
  if (triple && arguments.has("--target"))
    return usageError("give --target or --triple, not both");
  if (!triple && (arguments.has("--mcpu") || arguments.has("--mattr")))
    return usageError("--mcpu and --mattr need --triple");
  std::string name = arguments.get("--target").value_or("host");
  if (StringRef(name).contains(',')) {
    Expected<std::vector<TargetSpec>> levels = lookupLevels(name);
    if (!levels)
      return usageError(toString(levels.takeError()));
    options.levels = std::move(*levels);
    options.target = options.levels.back();
    options.sharedTarget = getSharedTarget(options.levels);
    return Error::success();
  }
  Expected<TargetSpec> target =
      triple ? makeTarget(*triple, arguments.get("--mcpu").value_or(""), arguments.get("--mattr").value_or(""))
             : lookupTarget(name);
  if (!target)
    return usageError(toString(target.takeError()));
  options.target = *target;
  return Error::success();
}

Expected<CompilerOptions> readModelOptions(const Arguments &arguments) {
  CompilerOptions options;
  for (const std::string &text : arguments.all("--dim"))
    if (Error error = readDim(text, options.import))
      return error;
  if (Error error = readNumbers(arguments, "--bound", "NODE.OUTPUT=N", std::numeric_limits<int32_t>::max(),
                                options.import.outputBounds))
    return error;
  if (Error error = readNumbers(arguments, "--length", "INPUT=N", 10000, options.import.lengths))
    return error;
  if (Error error = readPairs(arguments, "--pin", "INPUT=FILE.npy", options.import.pins))
    return error;
  if (Error error = readPairs(arguments, "--alias", "PAST=PRESENT", options.import.aliases))
    return error;
  if (Error error = readPreprocessing(arguments, options.import))
    return error;
  if (Error error = readTarget(arguments, options))
    return error;
  Expected<uint64_t> threads = arguments.getNumber("--max-threads", 1, 1, 1024);
  if (!threads)
    return threads.takeError();
  options.maxThreads = *threads;
  std::string precision = arguments.get("--precision").value_or("f32");
  if (precision != "f32" && precision != "f16" && precision != "bf16")
    return usageError("--precision takes f32, f16 or bf16, not '" + precision + "'");
  options.precision = precision == "f32" ? Precision::F32 : precision == "f16" ? Precision::F16 : Precision::BF16;
  std::string winograd = arguments.get("--winograd").value_or("f4");
  if (winograd != "f4" && winograd != "f2" && winograd != "off")
    return usageError("--winograd takes f4, f2 or off, not '" + winograd + "'");
  options.winogradTile = winograd == "f4" ? 4 : winograd == "f2" ? 2 : 0;
  options.sparse = arguments.get("--sparse").value_or("auto");
  if (options.sparse != "auto" && options.sparse != "always" && options.sparse != "off")
    return usageError("--sparse takes auto, always or off, not '" + options.sparse + "'");
  Expected<uint64_t> growth = arguments.getNumber("--weight-growth", options.weightGrowth, 100, 1000);
  if (!growth)
    return growth.takeError();
  options.weightGrowth = *growth;
  options.import.name = arguments.get("--name").value_or("");
  if (arguments.has("--name") && makeModelName(options.import.name) != options.import.name)
    return usageError("--name takes an identifier of C that no C library uses, not '" + options.import.name + "'");
  if (std::optional<std::string> stage = arguments.get("--start-from")) {
    Expected<Stage> parsed = parseStage(*stage);
    if (!parsed)
      return usageError(toString(parsed.takeError()));
    options.startFrom = *parsed;
  }
  options.dumpDir = arguments.get("--dump-stages").value_or("");
  options.printIRAfterAll = arguments.has("--mlir-print-ir-after-all");
  options.timing = arguments.has("--mlir-timing");
  options.statistics = arguments.has("--mlir-pass-statistics");
  options.crashReproducer = arguments.get("--crash-reproducer").value_or("");
  return options;
}

/// Measures for each target that is compiled for, and says what came of it.
static Error tuneTargets(StringRef path, const CompilerOptions &options, StringRef file) {
  std::vector<TargetSpec> targets = options.levels.empty() ? std::vector{options.target} : options.levels;
  for (const TargetSpec &target : targets) {
    CompilerOptions one = options;
    one.target = target;
    Expected<TuningReport> report = tune(path, one, file);
    if (!report)
      return report.takeError();
    errs() << "note: tuned for " << target.name << ": " << report->measured << " of " << report->shapes
           << " shapes measured, " << report->changed << " computed otherwise than the cost model would\n";
  }
  return Error::success();
}

Error readTuning(const Arguments &arguments, StringRef path, CompilerOptions &options) {
  std::optional<std::string> tune = arguments.get("--tune"), tuned = arguments.get("--tuned");
  if (tune && tuned)
    return usageError("give --tune or --tuned, not both");
  if (tune)
    if (Error error = tuneTargets(path, options, *tune))
      return error;
  if (!tune && !tuned)
    return Error::success();
  options.tuningFile = tune ? *tune : *tuned;
  // Before anything is compiled.
  return TuningTable::load(options.tuningFile).takeError();
}

OptionSpec getIsaLevelOption() {
  return {"--isa-level", "NAME", "with several targets: which to run (default: the best that the machine has)"};
}

Expected<std::optional<unsigned>> readIsaLevel(const Arguments &arguments, const CompilerOptions &options) {
  std::optional<std::string> name = arguments.get("--isa-level");
  if (!name)
    return std::nullopt;
  for (auto [i, level] : enumerate(options.levels))
    if (level.name == *name)
      return std::optional<unsigned>(i);
  return usageError("--isa-level takes one of several targets that --target names, not '" + *name + "'");
}

Error keepOneLevel(const Arguments &arguments, CompilerOptions &options) {
  Expected<std::optional<unsigned>> given = readIsaLevel(arguments, options);
  if (!given)
    return given.takeError();
  if (options.levels.empty())
    return Error::success();
  if (*given) {
    options.target = options.levels[**given];
  } else {
    auto best = find_if(reverse(options.levels), canRunOnHost);
    if (best == options.levels.rend())
      return createStringError("this machine has the instructions of none of the targets; use 'leafc verify "
                               "--emit=lib', which knows emulators");
    options.target = *best;
  }
  options.levels.clear();
  return Error::success();
}

void fixOpenDimensions(const NpzFile &inputs, CompilerOptions &options) {
  // Arrays may be large: only strings are taken apart.
  bool hasStrings = llvm::any_of(inputs, [](const auto &entry) { return isStringArray(entry.second); });
  NpzFile split = hasStrings ? splitStrings(inputs) : NpzFile();
  for (const auto &[name, array] : hasStrings ? split : inputs)
    options.import.inputShapes[name] = array.shape;
  options.import.lengthsFromShapes = true;
}

Expected<ModelArguments> readModelArguments(const Arguments &arguments) {
  Expected<std::string> path = arguments.single("model.onnx");
  if (!path)
    return path.takeError();
  Expected<CompilerOptions> options = readModelOptions(arguments);
  if (!options)
    return options.takeError();
  return ModelArguments{std::move(*path), std::move(*options)};
}

Expected<WeightPlacement> readWeightPlacement(const Arguments &arguments) {
  std::string text = arguments.get("--weights").value_or("embed");
  if (text != "embed" && text != "file")
    return usageError("--weights takes embed or file, not '" + text + "'");
  WeightPlacement placement{text == "file", arguments.get("--weights-section").value_or("")};
  if (!arguments.has("--weights-section"))
    return placement;
  auto isNameChar = [](char c) { return isAlnum(c) || c == '_' || c == '.'; };
  if (placement.section.empty() || !all_of(placement.section, isNameChar))
    return usageError("--weights-section takes the name of a section, as .rodata.leaf, not '" + placement.section +
                      "'");
  if (placement.inFile)
    return usageError("--weights-section is for embedded weights; with --weights=file there are none");
  return placement;
}

std::string formatCount(uint64_t count) {
  std::string digits = std::to_string(count);
  for (size_t i = digits.size(); i > 3; i -= 3)
    digits.insert(i - 3, ",");
  return digits;
}

} // namespace leaf
