//===- CompressSession.h - one model, compressed in several ways -*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_COMPRESSSESSION_H
#define LEAFCUTTER_LIB_DRIVER_COMPRESSSESSION_H

#include "CompressReport.h"
#include "Compression.h"

namespace leaf {

using OwnedModule = mlir::OwningOpRef<mlir::ModuleOp>;

/// The normalized float model with its data. Compressed copies are made from it.
class CompressSession {
public:
  /// `target` is what sizes are for, and latencies where it is this machine; accuracy is always measured here.
  CompressSession(mlir::ModuleOp model, TargetSpec target, TargetSpec host)
      : model(model), target(std::move(target)), host(std::move(host)) {}

  /// Reads the data (empty: none). A note tells of a single sample.
  llvm::Error load(llvm::StringRef calibrationPath, llvm::StringRef evaluationPath);

  mlir::ModuleOp getModel() { return model; }
  const Dataset *getCalibration() const { return calibration ? &*calibration : nullptr; }
  const Dataset *getEvaluation() const { return evaluation ? &*evaluation : nullptr; }
  const TargetSpec &getHost() const { return host; }

  /// A copy, ready for the stage compress.
  llvm::Expected<OwnedModule> prepare(const CompressionSettings &settings);
  /// prepare() and the stage.
  llvm::Expected<OwnedModule> compress(const CompressionSettings &settings);

  /// At the samples' sizes; without data open dimensions are 1.
  llvm::Expected<std::unique_ptr<CompiledGraph>> compile(mlir::ModuleOp module, const TargetSpec &spec);
  /// The float model for this machine, compiled once.
  llvm::Expected<CompiledGraph *> getReference();
  /// Size, accuracy and latency of a copy.
  llvm::Expected<Evaluated> evaluateModule(llvm::StringRef kind, mlir::ModuleOp module);

private:
  mlir::ModuleOp model;
  TargetSpec target, host;
  std::optional<Dataset> calibration, evaluation;
  std::unique_ptr<CompiledGraph> reference;
};

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_COMPRESSSESSION_H
