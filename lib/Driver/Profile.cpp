//===- Profile.cpp - time, bytes and operations of each kernel --------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Profile.h"

#include "Plan/Plan.h"
#include "leafcutter/Codegen/Tuning.h"
#include "leafcutter/Support/CText.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/xxhash.h"
#include <numeric>

using namespace llvm;

namespace leaf {

//===----------------------------------------------------------------------===//
// The launches
//===----------------------------------------------------------------------===//

/// Names of ONNX nodes in a location, in order, each once.
static void collectNames(mlir::Location location, std::vector<std::string> &names) {
  location->walk([&](mlir::Location part) {
    if (auto name = dyn_cast<mlir::NameLoc>(part))
      if (!is_contained(names, name.getName().str()))
        names.push_back(name.getName().str());
    return mlir::WalkResult::advance();
  });
}

/// Equal for equal kernels, whatever they are called.
static std::string hashCode(mlir::func::FuncOp kernel) {
  std::string text;
  raw_string_ostream os(text);
  for (mlir::Block &block : kernel.getBody())
    for (mlir::Operation &op : block)
      op.print(os, mlir::OpPrintingFlags().useLocalScope());
  return utohexstr(xxh3_64bits(text), /*LowerCase=*/true);
}

static ProfiledLaunch describe(plan::LaunchOp launch, mlir::func::FuncOp kernel) {
  ProfiledLaunch result;
  result.kernel = launch.getCallee().str();
  result.serial = launch->hasAttr("plan.serial");
  APInt tiles;
  if (mlir::matchPattern(launch.getTiles(), mlir::m_ConstantInt(&tiles)))
    result.tiles = tiles.getSExtValue();
  collectNames(launch.getLoc(), result.nodes);
  if (kernel) {
    if (auto cost = kernel->getAttrOfType<mlir::DenseI64ArrayAttr>("leaf.cost"); cost && cost.size() == 2) {
      result.operations = cost[0];
      result.bytes = cost[1];
    }
    if (auto keys = kernel->getAttrOfType<mlir::ArrayAttr>(kTuningKey)) {
      for (auto key : keys.getAsRange<mlir::StringAttr>())
        result.keys.push_back(key.str());
      result.code = hashCode(kernel) + (result.serial ? "s" : "");
    }
    if (auto nodes = kernel->getAttrOfType<mlir::ArrayAttr>("nodes"); nodes && result.nodes.empty())
      for (auto name : nodes.getAsRange<mlir::StringAttr>())
        result.nodes.push_back(name.str());
  }
  if (result.nodes.empty())
    result.nodes.push_back(result.kernel);
  return result;
}

std::vector<ProfiledLaunch> numberLaunches(mlir::ModuleOp module) {
  std::vector<ProfiledLaunch> launches;
  mlir::SymbolTable symbols(module);
  mlir::Builder builder(module.getContext());
  module.walk([&](plan::LaunchOp launch) {
    launch->setAttr("leaf.profile", builder.getI32IntegerAttr(int32_t(launches.size())));
    launches.push_back(describe(launch, symbols.lookup<mlir::func::FuncOp>(launch.getCallee())));
  });
  return launches;
}

//===----------------------------------------------------------------------===//
// Between the processes
//===----------------------------------------------------------------------===//

json::Value toJSON(const ProfileInfo &info) {
  json::Array launches, bandwidths;
  for (const ProfiledLaunch &launch : info.launches) {
    json::Array nodes;
    for (const std::string &node : launch.nodes)
      nodes.push_back(json::fixUTF8(node));
    launches.push_back(json::Object{{"kernel", launch.kernel},
                                    {"nodes", std::move(nodes)},
                                    {"operations", launch.operations},
                                    {"bytes", launch.bytes},
                                    {"tiles", launch.tiles},
                                    {"serial", launch.serial},
                                    {"keys", json::Array(launch.keys)},
                                    {"code", launch.code}});
  }
  for (const MachinePeaks::Bandwidth &level : info.peaks.bandwidths)
    bandwidths.push_back(json::Array{level.workingSet, level.perNanosecond});
  return json::Object{{"launches", std::move(launches)},
                      {"operationsPerNanosecond", info.peaks.operationsPerNanosecond},
                      {"bandwidths", std::move(bandwidths)}};
}

static bool fromJSON(const json::Value &value, ProfiledLaunch &launch, json::Path path) {
  json::ObjectMapper map(value, path);
  return map && map.map("kernel", launch.kernel) && map.map("nodes", launch.nodes) &&
         map.map("operations", launch.operations) && map.map("bytes", launch.bytes) && map.map("tiles", launch.tiles) &&
         map.map("serial", launch.serial) && map.map("keys", launch.keys) && map.map("code", launch.code);
}

Expected<ProfileInfo> profileInfoFromJSON(const json::Value &value) {
  ProfileInfo info;
  json::Path::Root root("profile");
  json::ObjectMapper map(value, root);
  std::vector<std::vector<double>> bandwidths;
  const json::Array *launches = map ? value.getAsObject()->getArray("launches") : nullptr;
  if (!launches || !map.map("operationsPerNanosecond", info.peaks.operationsPerNanosecond) ||
      !map.map("bandwidths", bandwidths))
    return createStringError("malformed profile description");
  for (const json::Value &launch : *launches)
    if (!fromJSON(launch, info.launches.emplace_back(), root))
      return createStringError("malformed profile description");
  for (const std::vector<double> &level : bandwidths)
    if (level.size() == 2)
      info.peaks.bandwidths.push_back({int64_t(level[0]), level[1]});
  return info;
}

//===----------------------------------------------------------------------===//
// Recording
//===----------------------------------------------------------------------===//

/// The hook has no argument for it.
static ProfileRecorder *active = nullptr;

ProfileRecorder::ProfileRecorder(Hook *hook, size_t launches) : hook(hook), times(launches) {
  active = this;
  *hook = record;
}

ProfileRecorder::~ProfileRecorder() {
  *hook = nullptr;
  active = nullptr;
}

void ProfileRecorder::beginRun() {
  for (std::vector<int64_t> &runs : times)
    runs.push_back(0);
}

void ProfileRecorder::record(int32_t launch, int32_t end) {
  auto now = std::chrono::steady_clock::now();
  if (end && !active->times[launch].empty())
    active->times[launch].back() += std::chrono::nanoseconds(now - active->start).count();
  active->start = now;
}

std::vector<double> ProfileRecorder::medians() const {
  std::vector<double> result;
  for (std::vector<int64_t> runs : times) {
    sort(runs);
    size_t middle = runs.size() / 2;
    result.push_back(runs.empty() ? 0 : (double(runs[middle]) + double(runs[(runs.size() - 1) / 2])) / 2);
  }
  return result;
}

std::vector<double> ProfileRecorder::minima() const {
  std::vector<double> result;
  for (const std::vector<int64_t> &runs : times)
    result.push_back(runs.empty() ? 0 : double(*min_element(runs)));
  return result;
}

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

double MachinePeaks::bandwidth(int64_t bytes) const {
  for (const Bandwidth &level : bandwidths)
    if (bytes <= level.workingSet)
      return level.perNanosecond;
  return bandwidths.empty() ? 0 : bandwidths.back().perNanosecond;
}

/// Of the time that the machine needs at least, by its arithmetic and by the memory that the kernel's data fits into,
/// to what it took; -1 where unknown.
static double roofShare(const ProfileInfo &info, const ProfiledLaunch &launch, double nanoseconds, unsigned threads) {
  const MachinePeaks &peaks = info.peaks;
  if (launch.operations < 0 || nanoseconds <= 0 || peaks.operationsPerNanosecond <= 0)
    return -1;
  double cores = launch.serial || launch.tiles == 1 ? 1 : threads;
  bool inMemory = peaks.bandwidths.empty() || launch.bytes > peaks.bandwidths.back().workingSet / 2;
  double arithmetic = double(launch.operations) / (peaks.operationsPerNanosecond * cores);
  double bandwidth = peaks.bandwidth(launch.bytes) * (inMemory ? 1 : cores);
  return std::max(arithmetic, bandwidth > 0 ? double(launch.bytes) / bandwidth : 0) / nanoseconds;
}

static std::vector<size_t> orderByTime(ArrayRef<double> nanoseconds) {
  std::vector<size_t> order(nanoseconds.size());
  std::iota(order.begin(), order.end(), size_t(0));
  stable_sort(order, [&](size_t a, size_t b) { return nanoseconds[a] > nanoseconds[b]; });
  return order;
}

void printProfile(raw_ostream &out, const ProfileInfo &info, ArrayRef<double> nanoseconds, double runNanoseconds,
                  unsigned threads) {
  double sum = std::accumulate(nanoseconds.begin(), nanoseconds.end(), 0.0);
  out << format("peaks of one core: %.1f GFLOP/s; reads ", info.peaks.operationsPerNanosecond);
  for (const MachinePeaks::Bandwidth &level : info.peaks.bandwidths)
    out << format("%.0f GB/s of %.0f KiB, ", level.perNanosecond, double(level.workingSet) / 1024);
  out << "roof: the share of what these allow\n";
  out << "      us      %  GFLOP/s    GB/s  roof  tiles  kernel     nodes\n";
  for (size_t i : orderByTime(nanoseconds)) {
    const ProfiledLaunch &launch = info.launches[i];
    double time = nanoseconds[i];
    out << format("%8.1f %6.2f ", time / 1e3, sum > 0 ? 100 * time / sum : 0);
    double share = roofShare(info, launch, time, threads);
    if (share >= 0)
      out << format("%8.1f %7.1f %4.0f%% ", double(launch.operations) / time, double(launch.bytes) / time, 100 * share);
    else
      out << "       ?       ?     ? ";
    std::string tiles = launch.serial ? "serial" : launch.tiles < 0 ? "?" : std::to_string(launch.tiles);
    out << right_justify(tiles, 6) << "  " << left_justify(launch.kernel, 10) << ' '
        << escapeMessage(join(launch.nodes, " ")) << '\n';
  }
  out << format("%8.1f sum of %zu kernels; %.1f a run (%.1f%% elsewhere)\n", sum / 1e3, nanoseconds.size(),
                runNanoseconds / 1e3, runNanoseconds > 0 ? 100 * (runNanoseconds - sum) / runNanoseconds : 0);
}

json::Value profileToJSON(const ProfileInfo &info, ArrayRef<double> nanoseconds, double runNanoseconds,
                          unsigned threads) {
  json::Array kernels;
  for (size_t i : orderByTime(nanoseconds)) {
    const ProfiledLaunch &launch = info.launches[i];
    json::Array nodes;
    for (const std::string &node : launch.nodes)
      nodes.push_back(json::fixUTF8(node));
    double share = roofShare(info, launch, nanoseconds[i], threads);
    json::Object kernel{{"median_ns", nanoseconds[i]},
                        {"kernel", launch.kernel},
                        {"nodes", std::move(nodes)},
                        {"serial", launch.serial}};
    if (launch.operations >= 0) {
      kernel["operations"] = launch.operations;
      kernel["bytes"] = launch.bytes;
    }
    if (launch.tiles >= 0)
      kernel["tiles"] = launch.tiles;
    if (share >= 0)
      kernel["roofline_share"] = share;
    kernels.push_back(std::move(kernel));
  }
  json::Array bandwidths;
  for (const MachinePeaks::Bandwidth &level : info.peaks.bandwidths)
    bandwidths.push_back(json::Object{{"working_set", level.workingSet}, {"gb_per_s", level.perNanosecond}});
  return json::Object{{"kernels", std::move(kernels)},
                      {"sum_ns", std::accumulate(nanoseconds.begin(), nanoseconds.end(), 0.0)},
                      {"run_ns", runNanoseconds},
                      {"peak_gflops", info.peaks.operationsPerNanosecond},
                      {"bandwidths", std::move(bandwidths)}};
}

} // namespace leaf
