//===- BenchCommand.cpp - leafc bench ----------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ModelOptions.h"
#include "ProcessMemory.h"
#include "SharedModel.h"
#include "leafcutter/Driver/Commands.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include <algorithm>
#include <chrono>

using namespace llvm;

namespace leaf {

namespace {

struct Measurement {
  std::vector<int64_t> nanoseconds; ///< sorted
  uint64_t peakBytes = 0, loadPeakBytes = 0;
  std::vector<double> kernels; ///< median nanoseconds of each launch, with --profile

  /// Linear between the two nearest runs, as numpy.percentile.
  double percentile(double percent) const {
    double position = percent / 100 * double(nanoseconds.size() - 1);
    size_t low = size_t(position), high = std::min(low + 1, nanoseconds.size() - 1);
    return double(nanoseconds[low]) + (position - double(low)) * double(nanoseconds[high] - nanoseconds[low]);
  }
};

} // namespace

/// A session stops after this time, but not before three runs.
static constexpr double maxSeconds = 5;

static Error measure(SharedModel &model, const NpzFile &inputs, unsigned threads, uint64_t runs, Measurement &result,
                     NpzFile &outputs) {
  uint64_t idle = readProcessMemory("VmRSS");
  resetPeakMemory();
  if (Error error = model.load())
    return error;
  std::unique_ptr<ModelRunner> runner = model.makeRunner(threads);
  if (Error error = runner->setInputs(inputs))
    return error;
  if (Error error = runner->run())
    return error;
  result.loadPeakBytes = std::max(readProcessMemory("VmHWM"), idle) - idle;
  resetPeakMemory();
  double total = 0;
  std::optional<ProfileRecorder> recorder;
  if (ProfileRecorder::Hook *hook = model.getProfileHook())
    recorder.emplace(hook, model.getProfile().launches.size());
  while (result.nanoseconds.size() < runs && (total < maxSeconds * 1e9 || result.nanoseconds.size() < 3)) {
    if (recorder)
      recorder->beginRun();
    auto start = std::chrono::steady_clock::now();
    if (Error error = runner->run())
      return error;
    std::chrono::nanoseconds time = std::chrono::steady_clock::now() - start;
    result.nanoseconds.push_back(time.count());
    total += double(time.count());
  }
  result.peakBytes = std::max(readProcessMemory("VmHWM"), idle) - idle;
  if (recorder)
    result.kernels = recorder->medians();
  std::sort(result.nanoseconds.begin(), result.nanoseconds.end());
  outputs = runner->getOutputs();
  return Error::success();
}

static void printJSON(raw_ostream &out, const SharedModel &model, const Measurement &result, unsigned threads,
                      bool profile) {
  json::Object object{{"median_ns", result.percentile(50)},
                      {"p10_ns", result.percentile(10)},
                      {"peak_rss_bytes", int64_t(result.peakBytes)},
                      {"load_peak_rss_bytes", int64_t(result.loadPeakBytes)},
                      {"arena_bytes", model.getInterface().arenaBytes},
                      {"weights_bytes", model.getInterface().weightBytes},
                      {"code_bytes", int64_t(model.getCodeBytes())},
                      {"compile_ns", int64_t(model.getCompileNanoseconds())}};
  if (profile)
    object["profile"] = profileToJSON(model.getProfile(), result.kernels, result.percentile(50), threads);
  out << json::Value(std::move(object)) << '\n';
}

static void printTable(raw_ostream &out, const SharedModel &model, const Measurement &result) {
  const ModelInterface &interface = model.getInterface();
  out << interface.name << '\n'
      << format("  median      %.1f us (10%% below %.1f us), %zu runs\n", result.percentile(50) / 1e3,
                result.percentile(10) / 1e3, result.nanoseconds.size())
      << format("  peak RSS    %.2f MiB over idle while running\n", double(result.peakBytes) / (1 << 20))
      << "  arena       " << formatCount(interface.arenaBytes) << " bytes\n"
      << "  weights     " << formatCount(interface.weightBytes) << " bytes\n"
      << "  code        " << formatCount(model.getCodeBytes()) << " bytes\n"
      << format("  compiled in %.2f s\n", double(model.getCompileNanoseconds()) / 1e9);
}

static Expected<int> bench(const Arguments &arguments) {
  Expected<ModelArguments> given = readModelArguments(arguments);
  if (!given)
    return given.takeError();
  auto &[path, options] = *given;
  if (Error error = keepOneLevel(arguments, options))
    return std::move(error);
  Expected<uint64_t> threads = arguments.getNumber("--threads", 1, 1, 1024);
  if (!threads)
    return threads.takeError();
  Expected<uint64_t> runs = arguments.getNumber("--runs", 25, 1, 1'000'000);
  if (!runs)
    return runs.takeError();
  options.maxThreads = std::max<unsigned>(options.maxThreads, *threads);
  bool profile = arguments.has("--profile");
  NpzFile inputs;
  std::optional<std::string> inputFile = arguments.get("--inputs");
  if (inputFile) {
    Expected<NpzFile> read = readNpz(*inputFile);
    if (!read)
      return read.takeError();
    inputs = std::move(*read);
    fixOpenDimensions(inputs, options);
  } else {
    options.import.defaultBatchToOne = true;
  }
  if (Error error = readTuning(arguments, path, options))
    return std::move(error);
  Expected<std::unique_ptr<SharedModel>> model = SharedModel::compile(path, std::move(options), profile);
  if (!model)
    return model.takeError();
  if (!inputFile)
    inputs = makeSampleInputs((*model)->getInterface());
  Measurement result;
  NpzFile outputs;
  if (Error error = measure(**model, inputs, *threads, *runs, result, outputs))
    return error;
  if (std::optional<std::string> file = arguments.get("--outputs"))
    if (Error error = writeNpz(*file, outputs))
      return error;
  if (arguments.has("--json"))
    printJSON(outs(), **model, result, *threads, profile);
  else
    printTable(outs(), **model, result);
  if (profile && !arguments.has("--json"))
    printProfile(outs(), (*model)->getProfile(), result.kernels, result.percentile(50), *threads);
  return 0;
}

Command makeBenchCommand() {
  return {{"bench", "model.onnx",
           "measures time and memory of a compiled model\nThe model is compiled by another process; one untimed run "
           "comes before the timed ones.",
           withModelOptions({{"--inputs", "IN.npz", "arrays named after the inputs (default: made up)"},
                             {"--outputs", "OUT.npz", "where the outputs go"},
                             {"--threads", "N", "threads to run on (1)"},
                             getIsaLevelOption(),
                             {"--runs", "N", "timed runs (25); a session ends after 5 seconds"},
                             {"--profile", "",
                              "time, operations, bytes and share of the roofline of each kernel, with its\nONNX nodes; "
                              "the peaks are measured"},
                             {"--json", "", "prints one JSON object as the last line"}}),
           "leafc bench model.onnx\n"
           "leafc bench model.onnx --profile\n"
           "leafc bench model.onnx --inputs in.npz --outputs out.npz --threads 2 --runs 100 --json"},
          bench};
}

} // namespace leaf
