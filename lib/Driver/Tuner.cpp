//===- Tuner.cpp - measures how to compute contractions ------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Tuner.h"

#include "SharedModel.h"
#include "leafcutter/Codegen/Tuning.h"
#include "leafcutter/Support/AtomicFile.h"
#include "leafcutter/Support/Progress.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include <sys/wait.h>
#include <unistd.h>

using namespace llvm;

namespace leaf {

namespace {

/// What the kernels of one shape took, and hashes of their code.
struct Measured {
  double nanoseconds = 0;
  std::string code;
};

/// By shape; shapes in a kernel with others are left out, as its time is not theirs alone.
using Times = std::map<std::string, Measured>;

/// One way to compute a shape that was measured. Several choices may come to the same code: the first one stands for
/// it, with the least time of all.
struct Candidate {
  TuningChoice choice;
  double nanoseconds = 0;
};

/// Changes one decision of a choice.
using Alternative = std::function<void(TuningChoice &)>;

class Tuner {
public:
  Tuner(StringRef path, const CompilerOptions &options, StringRef target, TuningTable table, StringRef folder)
      : path(path), options(options), target(target), table(std::move(table)), folder(folder) {}

  Error run();
  TuningTable takeTable() { return std::move(table); }
  const TuningReport &getReport() const { return report; }

private:
  Expected<Times> measure();
  Error measureInChild(StringRef result);
  void record(const Times &times);
  Error improve(ArrayRef<Alternative> alternatives);

  std::string path;
  CompilerOptions options;
  std::string target;
  TuningTable table; ///< the choices so far; during a measurement those that are tried
  std::string folder;
  Times standard; ///< the cost model's code of the shapes that are measured
  std::map<std::string, std::map<std::string, Candidate>> candidates; ///< by shape, by code
  TuningReport report;
  unsigned step = 0, steps = 1;
  Progress progress;
};

} // namespace

/// Of the cost model's time; less is noise.
static constexpr double kGain = 0.97;
/// Runs of a model, at least and at most, and nanoseconds after which no more are made.
static constexpr unsigned kFewestRuns = 5, kMostRuns = 40;
static constexpr double kEnoughTime = 1e9;

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

static Expected<std::vector<double>> runProfiled(SharedModel &model, unsigned threads) {
  if (Error error = model.load())
    return std::move(error);
  std::unique_ptr<ModelRunner> runner = model.makeRunner(threads);
  if (Error error = runner->setInputs(makeSampleInputs(model.getInterface())))
    return std::move(error);
  if (Error error = runner->run())
    return std::move(error);
  ProfileRecorder recorder(model.getProfileHook(), model.getProfile().launches.size());
  auto start = std::chrono::steady_clock::now();
  for (unsigned i = 0; i < kMostRuns; ++i) {
    std::chrono::nanoseconds time = std::chrono::steady_clock::now() - start;
    if (i >= kFewestRuns && double(time.count()) > kEnoughTime)
      break;
    recorder.beginRun();
    if (Error error = runner->run())
      return std::move(error);
  }
  return recorder.minima();
}

/// Compiles with the current choices, runs, and writes a line "nanoseconds code shape" for each shape.
Error Tuner::measureInChild(StringRef result) {
  Expected<std::unique_ptr<SharedModel>> model = SharedModel::compile(path, options, /*profile=*/true);
  if (!model)
    return model.takeError();
  Expected<std::vector<double>> nanoseconds = runProfiled(**model, options.maxThreads);
  if (!nanoseconds)
    return nanoseconds.takeError();
  Times times;
  for (auto [launch, time] : zip_equal((*model)->getProfile().launches, *nanoseconds))
    if (launch.keys.size() == 1) {
      Measured &measured = times[launch.keys.front()];
      measured.nanoseconds += time;
      measured.code += measured.code.empty() || StringRef(measured.code).contains(launch.code) ? "" : ",";
      measured.code += StringRef(measured.code).contains(launch.code) ? "" : launch.code;
    }
  return writeFileAtomically(result, [&](raw_pwrite_stream &out) {
    for (const auto &[key, measured] : times)
      out << uint64_t(measured.nanoseconds) << ' ' << measured.code << ' ' << key << '\n';
    return Error::success();
  });
}

/// In a process of its own: what was loaded is never unloaded.
Expected<Times> Tuner::measure() {
  progress.update(std::min(++step, steps), steps, "tune " + path);
  if (Error error = table.save(options.tuningFile))
    return std::move(error);
  std::string result = folder + "/times.txt";
  outs().flush();
  errs().flush();
  pid_t child = fork();
  if (child < 0)
    return createStringError("cannot start a process to measure in");
  if (child == 0) {
    // Notes on the model come again when it is compiled.
    (void)freopen("/dev/null", "w", stderr);
    Error error = measureInChild(result);
    bool failed = bool(error);
    std::string message = toString(std::move(error));
    if (failed)
      consumeError(writeFileAtomically(result, [&](raw_pwrite_stream &out) {
        out << message;
        return Error::success();
      }));
    _exit(failed ? 1 : 0);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer = MemoryBuffer::getFile(result);
  if (!buffer || !WIFEXITED(status))
    return createStringError("the process that measures '" + path + "' crashed");
  if (WEXITSTATUS(status) != 0)
    return createStringError((*buffer)->getBuffer());
  Times times;
  SmallVector<StringRef> lines;
  (*buffer)->getBuffer().split(lines, '\n', -1, false);
  for (StringRef line : lines) {
    auto [time, rest] = line.split(' ');
    auto [code, key] = rest.split(' ');
    uint64_t nanoseconds = 0;
    if (!time.getAsInteger(10, nanoseconds))
      times[key.str()] = {double(nanoseconds), code.str()};
  }
  return times;
}

//===----------------------------------------------------------------------===//
// Alternatives
//===----------------------------------------------------------------------===//

/// Register tiles that a target's registers hold and that differ in how they use them: high, square, wide.
static std::vector<Alternative> getTiles(const TargetSpec &target) {
  std::vector<Alternative> tiles;
  int64_t registers = target.vectorRegisters;
  for (int64_t vectors : {1, 2, 4}) {
    int64_t most = (registers - 1 - vectors) / vectors;
    for (int64_t rows : {most, most * 3 / 4, most / 2})
      if (rows >= 2 && rows <= 16 && rows * vectors >= 6)
        tiles.push_back([=](TuningChoice &choice) {
          choice.rows = rows;
          choice.vectors = vectors;
        });
  }
  return tiles;
}

static std::vector<Alternative> getWinograds(const CompilerOptions &options) {
  std::vector<Alternative> result;
  if (options.precision != Precision::F32 || options.winogradTile < 2)
    return result;
  for (int64_t m = 0; m <= options.winogradTile; m += 2)
    result.push_back([=](TuningChoice &choice) { choice.winograd = m; });
  return result;
}

static std::vector<Alternative> getBlocks() {
  std::vector<Alternative> result;
  for (int64_t bytes : {32 << 10, 128 << 10, 512 << 10, 2 << 20})
    result.push_back([=](TuningChoice &choice) { choice.blockBytes = bytes; });
  return result;
}

static std::vector<Alternative> getGrains(const CompilerOptions &options) {
  std::vector<Alternative> result;
  if (options.maxThreads > 1)
    for (bool serial : {true, false})
      result.push_back([=](TuningChoice &choice) { choice.serial = serial; });
  return result;
}

/// Notes what the choices in the table came to.
void Tuner::record(const Times &times) {
  for (const auto &[key, measured] : times) {
    if (!standard.count(key))
      continue;
    auto [it, isNew] =
        candidates[key].try_emplace(measured.code, Candidate{*table.find(target, key), measured.nanoseconds});
    it->second.nanoseconds = std::min(it->second.nanoseconds, measured.nanoseconds);
  }
}

/// Tries each alternative on all shapes at once, and keeps, for each shape, the one that was fastest.
Error Tuner::improve(ArrayRef<Alternative> alternatives) {
  std::map<std::string, TuningChoice> before;
  for (const auto &[key, measured] : standard)
    before[key] = *table.find(target, key);
  for (const Alternative &alternative : alternatives) {
    for (const auto &[key, choice] : before) {
      TuningChoice tried = choice;
      alternative(tried);
      table.set(target, key, tried);
    }
    Expected<Times> times = measure();
    if (!times)
      return times.takeError();
    record(*times);
  }
  for (const auto &[key, measured] : standard) {
    const Candidate *best = &candidates[key][measured.code];
    double limit = best->nanoseconds * kGain;
    for (const auto &[code, candidate] : candidates[key])
      if (candidate.nanoseconds < std::min(limit, best->nanoseconds))
        best = &candidate;
    table.set(target, key, best->choice);
  }
  return Error::success();
}

Error Tuner::run() {
  options.tuningFile = folder + "/trial.json";
  std::vector<std::vector<Alternative>> decisions = {getWinograds(options), getTiles(options.target), getBlocks(),
                                                     getGrains(options)};
  for (const std::vector<Alternative> &decision : decisions)
    steps += decision.size();
  Expected<Times> times = measure();
  if (!times)
    return times.takeError();
  report.shapes = times->size();
  for (const auto &[key, measured] : *times)
    if (!table.find(target, key)) {
      standard[key] = measured;
      table.set(target, key, {});
    }
  report.measured = standard.size();
  if (standard.empty())
    return Error::success();
  record(*times);
  for (const std::vector<Alternative> &decision : decisions)
    if (Error error = improve(decision))
      return error;
  for (const auto &[key, measured] : standard)
    report.changed += !(*table.find(target, key) == TuningChoice());
  return Error::success();
}

Expected<TuningReport> tune(StringRef path, const CompilerOptions &options, StringRef file) {
  if (!canRunOnHost(options.target))
    return createStringError("target '" + options.target.name +
                             "' cannot be measured: this machine does not run its code; tune on one that does and give "
                             "the file by --tuned");
  TuningTable table;
  if (sys::fs::exists(file)) {
    Expected<TuningTable> loaded = TuningTable::load(file);
    if (!loaded)
      return loaded.takeError();
    table = std::move(*loaded);
  }
  SmallString<128> folder;
  if (std::error_code code = sys::fs::createUniqueDirectory("leafc-tune", folder))
    return createStringError("cannot make a temporary folder: " + code.message());
  scope_exit remove([&] { (void)sys::fs::remove_directories(folder); });
  CompilerOptions trial = options;
  trial.dumpDir.clear();
  trial.stopAfter = Stage::Codegen;
  trial.levels.clear();
  Tuner tuner(path, trial, getTuningTarget(options), std::move(table), folder);
  if (Error error = tuner.run())
    return std::move(error);
  if (Error error = tuner.takeTable().save(file))
    return std::move(error);
  return tuner.getReport();
}

} // namespace leaf
