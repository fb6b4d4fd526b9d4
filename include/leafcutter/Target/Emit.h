//===- Emit.h - objects, archives, C and in-process execution ----*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_TARGET_EMIT_H
#define LEAFCUTTER_TARGET_EMIT_H

#include "leafcutter/Target/TargetSpec.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <memory>

struct leaf_context;

namespace leaf {

/// Figures of an emitted object, in bytes.
struct ObjectStats {
  uint64_t codeBytes = 0;  ///< .text
  uint64_t stackBytes = 0; ///< deepest call chain of NAME_entry, from LLVM's stack sizes
};

/// One of the instruction sets that a model is compiled for.
struct IsaLevel {
  mlir::ModuleOp module; ///< output of `codegen` for `target`
  TargetSpec target;
};

/// Emits an object with NAME_entry and all kernels. `module` is the output of `codegen`; it is cloned, not changed.
/// `name` is the model's C identifier. NAME_weights is left undefined.
llvm::Error emitObject(mlir::ModuleOp module, const TargetSpec &target, llvm::raw_pwrite_stream &out,
                       ObjectStats *stats = nullptr);
/// The same for several levels, lowest first: all of them, NAME_entry, which takes that of leaf_context.isa_level, and
/// NAME_isa_level, which tells the highest one that the machine can run (leafcutter/Target/IsaLevels.h).
llvm::Error emitObject(llvm::ArrayRef<IsaLevel> levels, llvm::raw_pwrite_stream &out, ObjectStats *stats = nullptr);

/// Writes a relocatable ELF object with the weight section as symbol NAME_weights, in the linker section that the
/// module names, else .rodata.leaf.
llvm::Error emitWeightsObject(mlir::ModuleOp module, const TargetSpec &target, llvm::raw_pwrite_stream &out);

/// Writes libNAME.a from both objects (without the second where the weights go to a file); same input, same bytes.
llvm::Error emitArchive(mlir::ModuleOp module, const TargetSpec &target, llvm::raw_ostream &out,
                        ObjectStats *stats = nullptr);
llvm::Error emitArchive(llvm::ArrayRef<IsaLevel> levels, llvm::raw_ostream &out, ObjectStats *stats = nullptr);
/// The same to a file, which appears only when complete.
llvm::Error emitArchive(mlir::ModuleOp module, const TargetSpec &target, llvm::StringRef path,
                        ObjectStats *stats = nullptr);

/// Prints one standalone C99 file (includes NAME.h). Weights are in the file as arrays when `embedWeights`, otherwise
/// NAME_weights is extern.
llvm::Error emitC(mlir::ModuleOp module, const TargetSpec &target, llvm::raw_ostream &out, bool embedWeights = true);
/// The same for several levels, as emitObject.
llvm::Error emitC(llvm::ArrayRef<IsaLevel> levels, llvm::raw_ostream &out, bool embedWeights = true);

/// True where a model can run on the threads of leaf_threads.h: it was compiled for several, and the target has an
/// operating system.
bool usesThreadPool(mlir::ModuleOp module, const TargetSpec &target);

/// Prints NAME.h, example.c, and a CMake snippet; with `threadPool` for a program that runs on leaf_threads.h.
llvm::Error emitHeader(mlir::ModuleOp module, llvm::raw_ostream &out);
llvm::Error emitExample(mlir::ModuleOp module, llvm::raw_ostream &out, bool threadPool = false);
llvm::Error emitCMakeSnippet(mlir::ModuleOp module, llvm::raw_ostream &out, bool threadPool = false);

/// Prints leaf_weights.h and leaf_weights.c, which open weight files; the same for all models.
llvm::Error emitWeightReaderHeader(llvm::raw_ostream &out);
llvm::Error emitWeightReaderSource(llvm::raw_ostream &out);

/// Prints leaf_threads.h and leaf_threads.c, a pool of threads; the same for all models.
llvm::Error emitThreadPoolHeader(llvm::raw_ostream &out);
llvm::Error emitThreadPoolSource(llvm::raw_ostream &out);

/// A model compiled into this process.
class CompiledModel {
public:
  virtual ~CompiledModel() = default;
  /// `module` is the output of `codegen`; weights are copied into an aligned section owned by this object.
  static llvm::Expected<std::unique_ptr<CompiledModel>> create(mlir::ModuleOp module, const TargetSpec &target);
  /// NAME_entry: see docs/Architecture.md. context->weights must be weights().
  virtual int32_t run(const leaf_context *context, void *const *buffers, int64_t *dims) = 0;
  virtual const void *weights() const = 0;
  virtual uint64_t codeBytes() const = 0;
};

/// The weight section of a planned module: plan.weight_bytes bytes, each weight at its plan.offset.
std::vector<char> buildWeightSection(mlir::ModuleOp module);

/// The same, written without being held in memory. Fails where weights have no data.
llvm::Error writeWeightSection(mlir::ModuleOp module, llvm::raw_ostream &out);

} // namespace leaf

#endif // LEAFCUTTER_TARGET_EMIT_H
