//===- Pipeline.h - the eight stages ----------------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_PIPELINE_PIPELINE_H
#define LEAFCUTTER_PIPELINE_PIPELINE_H

#include "leafcutter/Target/TargetSpec.h"
#include "leafcutter/Transforms/ConstantEvaluator.h"
#include "mlir/Pass/PassManager.h"

namespace leaf {

/// Stages in order; docs/Architecture.md describes the IR after each. Import makes the module, emit ends it.
enum class Stage { Import, Normalize, Compress, Optimize, Form, Plan, Codegen, Emit };

struct NormalizeOptions {
  /// Computes ops on constants that the host evaluator does not know; empty: they are left to the run.
  ConstantFallback evaluate;
};
/// How the stage compress stores weights and activations.
enum class Quantization { None, Int8, Int8Dynamic, Int8Weights, F16Weights, BF16Weights };

struct CompressOptions {
  Quantization quantization = Quantization::None;
  std::string activations = "uint8"; ///< Int8: uint8, int8 or int16
  bool perToken = false;             ///< Int8Dynamic: a scale for each row
};
struct OptimizeOptions {};
/// How the float32 weights of contractions are stored; sums are float32 always.
enum class Precision { F32, F16, BF16 };

/// A file of measured choices (leafcutter/Codegen/Tuning.h) and what it calls the target; no file: cost models choose.
struct TuningOptions {
  std::string file, target;
};

struct FormOptions {
  TargetSpec target;
  Precision precision = Precision::F32; ///< other than F32: no Winograd, whose filters take more memory
  unsigned winogradTile = 4;            ///< largest m of Winograd's F(m x m, 3 x 3); 0: never
  unsigned weightGrowth = 150;          ///< percent of their bytes that weights may grow to by Winograd
  TuningOptions tuning = {};
  unsigned maxThreads = 1;     ///< that the model is compiled for
  std::string sparse = "auto"; ///< weights that are mostly zero: auto, always or off (leaf-encode-sparse-weights)
};
struct PlanOptions {
  unsigned alignment = 64; ///< bytes; of the arena, of each slot
};
/// Which kernels are too small to be spread over threads (lib/Codegen/Grain.h). Handing tiles to a worker that looks
/// for work and waiting for it takes about a microsecond, and its cache has to get the data first.
struct GrainOptions {
  int64_t leastMicroseconds = 5;            ///< kernels that take less by the estimate run on the calling thread
  int64_t operationsPerMicrosecond = 12000; ///< of one lane of a vector, for the estimate
  int64_t bytesPerMicrosecond = 30000;      ///< of one thread
};
struct CodegenOptions {
  TargetSpec target;
  unsigned maxThreads = 1; ///< workers that scratch is reserved for
  GrainOptions grain = {};
  TuningOptions tuning = {};
};

void buildNormalizePipeline(mlir::OpPassManager &pm, const NormalizeOptions &options);
void buildCompressPipeline(mlir::OpPassManager &pm, const CompressOptions &options);
void buildOptimizePipeline(mlir::OpPassManager &pm, const OptimizeOptions &options);
void buildFormPipeline(mlir::OpPassManager &pm, const FormOptions &options);
void buildPlanPipeline(mlir::OpPassManager &pm, const PlanOptions &options);
void buildCodegenPipeline(mlir::OpPassManager &pm, const CodegenOptions &options);

} // namespace leaf

#endif // LEAFCUTTER_PIPELINE_PIPELINE_H
