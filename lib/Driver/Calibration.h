//===- Calibration.h - what activations are on real data ---------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_CALIBRATION_H
#define LEAFCUTTER_LIB_DRIVER_CALIBRATION_H

#include "Dataset.h"
#include "leafcutter/Compress/LayerErrors.h"
#include "leafcutter/Compress/Observer.h"
#include "leafcutter/Target/TargetSpec.h"

#include "mlir/IR/BuiltinOps.h"

namespace leaf {

struct CalibrationOptions {
  RangeMethod method = RangeMethod::MSE;
  double percent = 99.99;
  ActivationType activations = ActivationType::UInt8;
  /// Activations that one compiled graph returns together, in bytes; more take several passes over the samples.
  int64_t maxObservedBytes = int64_t(256) << 20;
};

/// What sees each value of a sample.
using ValueSink = llvm::function_ref<llvm::Error(mlir::Value, const NpyArray &)>;

/// Runs the compiled float graph on all samples; `sink` sees each of `values` (of the entry) for each sample. Values of
/// at most `most` bytes together are returned by one graph; more take several passes.
llvm::Error observeValues(mlir::ModuleOp module, const Dataset &data, const TargetSpec &target,
                          llvm::ArrayRef<mlir::Value> values, int64_t most, ValueSink sink);

/// Runs the compiled float graph on all samples and sets `leaf.ranges` of the values that static quantization
/// quantizes. Fails where an activation is NaN or infinite, naming the node.
llvm::Error calibrateRanges(mlir::ModuleOp module, const Dataset &data, const TargetSpec &target,
                            const CalibrationOptions &options);

/// Sets `leaf.channel_max` of what matrix layers read.
llvm::Error calibrateChannels(mlir::ModuleOp module, const Dataset &data, const TargetSpec &target,
                              const CalibrationOptions &options);

/// Loss of one layer by static quantization, over all samples.
struct LayerLoss {
  mlir::Operation *layer = nullptr;
  double noise = 0; ///< squared error over the power of the result
  std::vector<double> bias;
};

/// Runs all layers beside their quantized twins, in one pass over the samples. Ranges are known.
llvm::Expected<std::vector<LayerLoss>> measureLayerLosses(mlir::ModuleOp module, const Dataset &data,
                                                          const TargetSpec &target, const CalibrationOptions &options);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_CALIBRATION_H
