//===- Profile.h - time, bytes and operations of each kernel ----*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_PROFILE_H
#define LEAFCUTTER_LIB_DRIVER_PROFILE_H

#include "leafcutter/Target/TargetSpec.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>
#include <string>
#include <vector>

namespace leaf {

/// One launch of the plan body.
struct ProfiledLaunch {
  std::string kernel;
  std::vector<std::string> nodes; ///< of the ONNX graph; never empty
  int64_t operations = -1;        ///< estimate; -1: unknown
  int64_t bytes = -1;             ///< read and written, each buffer once; -1: unknown
  int64_t tiles = -1;             ///< -1: depends on a dynamic size
  bool serial = false;            ///< runs on the calling thread
  std::vector<std::string> keys;  ///< shapes of its contractions (leafcutter/Codegen/Tuning.h); when tuning only
  std::string code;               ///< a hash of the kernel and how it is launched; when tuning only
};

/// What one core of this machine does at most.
struct MachinePeaks {
  struct Bandwidth {
    int64_t workingSet;   ///< bytes
    double perNanosecond; ///< bytes read
  };
  double operationsPerNanosecond = 0;
  std::vector<Bandwidth> bandwidths; ///< by working set

  /// Bytes per nanosecond for a kernel that touches `bytes`.
  double bandwidth(int64_t bytes) const;
};

/// All that a profile needs to know of a compiled model.
struct ProfileInfo {
  std::vector<ProfiledLaunch> launches;
  MachinePeaks peaks;
};

/// Numbers the launches of a module after stage codegen, so that its code calls NAME_profile_hook around each.
std::vector<ProfiledLaunch> numberLaunches(mlir::ModuleOp module);
/// Measures this machine by code for `target`: multiply-adds in registers, reads of working sets from L1 to memory.
/// Takes about 0.2 seconds.
llvm::Expected<MachinePeaks> measurePeaks(const TargetSpec &target);

llvm::json::Value toJSON(const ProfileInfo &info);
llvm::Expected<ProfileInfo> profileInfoFromJSON(const llvm::json::Value &value);

/// Sums up the time of each launch in each run. One at a time in a process.
class ProfileRecorder {
public:
  using Hook = void (*)(int32_t launch, int32_t end);

  /// Installs itself at `hook` (NAME_profile_hook).
  ProfileRecorder(Hook *hook, size_t launches);
  ~ProfileRecorder();
  void beginRun();
  /// Median over the runs, nanoseconds; one per launch.
  std::vector<double> medians() const;
  /// Least of the runs.
  std::vector<double> minima() const;

private:
  static void record(int32_t launch, int32_t end);

  Hook *hook;
  std::vector<std::vector<int64_t>> times; ///< by launch, by run
  std::chrono::steady_clock::time_point start;
};

/// Prints the launches by time, with their sum. `runNanoseconds`: the median of a whole run.
void printProfile(llvm::raw_ostream &out, const ProfileInfo &info, llvm::ArrayRef<double> nanoseconds,
                  double runNanoseconds, unsigned threads);
llvm::json::Value profileToJSON(const ProfileInfo &info, llvm::ArrayRef<double> nanoseconds, double runNanoseconds,
                                unsigned threads);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_PROFILE_H
