//===- Compiler.h - one model through the stages -----------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_DRIVER_COMPILER_H
#define LEAFCUTTER_DRIVER_COMPILER_H

#include "leafcutter/Import/Import.h"
#include "leafcutter/Pipeline/Pipeline.h"
#include "leafcutter/Target/Emit.h"
#include "leafcutter/Target/IsaLevels.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace leaf {

/// "import", "normalize", …; `emit` included.
llvm::StringRef getStageName(Stage stage);
/// Fails with a message that lists all stages.
llvm::Expected<Stage> parseStage(llvm::StringRef name);
llvm::ArrayRef<Stage> getStages();

/// All dialects and interface implementations that a module of any stage needs.
void registerDialects(mlir::DialectRegistry &registry);
/// Only those that the text of a dumped stage uses.
void registerStageDialects(mlir::DialectRegistry &registry);

struct CompilerOptions {
  ImportOptions import;
  TargetSpec target;
  bool targetGiven = false;               ///< false: a dumped stage's own target is used
  std::vector<TargetSpec> levels;         ///< ISA levels of one library, lowest first, `target` last; empty: one target
  std::optional<TargetSpec> sharedTarget; ///< what the levels' common stages are for; none: `target`
  unsigned maxThreads = 1;
  Precision precision = Precision::F32; ///< --precision
  unsigned winogradTile = 4;            ///< --winograd: FormOptions::winogradTile
  unsigned weightGrowth = 150;          ///< --weight-growth: FormOptions::weightGrowth
  std::string sparse = "auto";          ///< --sparse: FormOptions::sparse
  std::string tuningFile;               ///< --tuned, --tune: measured choices; empty: cost models choose
  CompressOptions compress;             ///< --quantize and what belongs to it
  /// Runs before the stage compress and may change the module: calibration leaves what that stage reads. May be empty.
  std::function<llvm::Error(mlir::ModuleOp)> beforeCompress;
  std::string dumpDir;              ///< --dump-stages; empty: none
  std::optional<Stage> startFrom;   ///< first stage to run on a .mlir; default: the one after its dump
  Stage stopAfter = Stage::Codegen; ///< last stage to run
  bool printIRAfterAll = false, timing = false, statistics = false;
  std::function<void(Stage, mlir::ModuleOp)> onStageEnd; ///< sees the module after each stage; may be empty
  std::string crashReproducer; ///< folder for reproducers; empty: of crashes only, among the temporary files
};

/// What a tuning file calls `target` when it is compiled for with these options: weights that are stored narrower make
/// other kernels of the same shape.
std::string getTuningTarget(const CompilerOptions &options, const TargetSpec &target);
inline std::string getTuningTarget(const CompilerOptions &options) { return getTuningTarget(options, options.target); }

/// Figures gathered on the way; docs/Architecture.md says what each stage holds.
/// What became of a weight that is mostly zero.
struct SparseLayer {
  std::string node;
  double zeros = 0;                  ///< share of its elements
  int64_t block = 0;                 ///< columns of an entry; 0: left dense
  int64_t bytes = 0, denseBytes = 0; ///< as stored; with its zeros
  std::string why;                   ///< a dense one is dense
};

struct CompileFigures {
  int64_t parameters = 0;                 ///< elements of all weights after import
  int64_t macs = 0;                       ///< multiply-accumulates of all contractions, dynamic sizes at their bounds
  int64_t kernelsFormed = 0;              ///< calls in the plan body: groups before deduplication
  int64_t kernels = 0;                    ///< after deduplication
  std::vector<std::string> scalarKernels; ///< "kernel_3 (/Gather)": no vector instruction, on a target that has vectors
  std::vector<SparseLayer> sparseLayers;  ///< in the order of their first use
};

class DiagnosticCollector;

/// Owns the MLIR context and the module of one compilation.
class Compiler {
public:
  explicit Compiler(CompilerOptions options);
  ~Compiler();

  /// Imports `path` (.onnx, or a dumped or hand-written .mlir) and runs the stages up to `stopAfter`. `onStage` is
  /// called before each stage. Errors name the stage and the ONNX node.
  llvm::Error run(llvm::StringRef path, llvm::function_ref<void(Stage)> onStage = [](Stage) {});

  /// The module; with several levels after codegen, that of the highest.
  mlir::ModuleOp getModule() { return *module; }
  /// After codegen: the module for each target, lowest level first.
  std::vector<IsaLevel> getLevels();
  const CompilerOptions &getOptions() const { return options; }
  const TargetSpec &getTarget() const { return options.target; }
  const CompileFigures &getFigures() const { return figures; }

private:
  llvm::Error load(llvm::StringRef path, Stage &next);
  llvm::Error loadStage(llvm::StringRef path, Stage &next);
  llvm::Error runStage(Stage stage, const DiagnosticCollector &diagnostics);
  llvm::Error finishStage(Stage stage);
  llvm::Error runPasses(Stage stage, mlir::ModuleOp on, const TargetSpec &target,
                        const DiagnosticCollector &diagnostics);
  llvm::Error runLowerLevels(const DiagnosticCollector &diagnostics);

  CompilerOptions options;
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<mlir::OwningOpRef<mlir::ModuleOp>> lowerLevels; ///< of options.levels but the last
  CompileFigures figures;
};

} // namespace leaf

#endif // LEAFCUTTER_DRIVER_COMPILER_H
