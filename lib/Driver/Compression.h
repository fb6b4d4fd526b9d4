//===- Compression.h - a model compressed as asked ---------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_COMPRESSION_H
#define LEAFCUTTER_LIB_DRIVER_COMPRESSION_H

#include "Calibration.h"
#include "Sparsification.h"
#include "leafcutter/Driver/Arguments.h"
#include "leafcutter/Driver/Compiler.h"

namespace leaf {

/// What --quantize, --sparsify and the options beside them say.
struct CompressionSettings {
  CompressOptions stage;
  CalibrationOptions calibration;
  SparsitySettings sparsity;
  std::string calibrationPath;
  bool equalize = false, correctBiases = true;
  std::optional<double> smooth;       ///< SmoothQuant's alpha
  std::vector<std::string> keepFloat; ///< names of nodes

  bool isAsked() const { return stage.quantization != Quantization::None || sparsity.isAsked(); }
};

/// The options, for the help of commands that take them.
std::vector<OptionSpec> getCompressionOptions();
/// Reads them. Fails with a usage error.
llvm::Expected<CompressionSettings> readCompression(const Arguments &arguments);

/// "f32", "int8", …: what --quantize takes.
llvm::StringRef getKindName(Quantization kind);

/// What comes before the stage compress, on a normalized module: nodes kept float, pruning, equalization, calibration,
/// bias correction.
llvm::Error prepareCompression(mlir::ModuleOp module, const CompressionSettings &settings, const TargetSpec &target);
/// The same with data at hand (null: not needed).
llvm::Error prepareCompression(mlir::ModuleOp module, const CompressionSettings &settings, const TargetSpec &target,
                               const Dataset *data);

/// Runs the stage compress on a prepared module.
llvm::Error runCompressStage(mlir::ModuleOp module, const CompressionSettings &settings);

/// Makes `options` compress as `settings` say.
void addCompression(const CompressionSettings &settings, CompilerOptions &options);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_COMPRESSION_H
