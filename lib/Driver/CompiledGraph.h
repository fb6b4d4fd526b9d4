//===- CompiledGraph.h - a graph at given sizes, compiled and loaded -*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_COMPILEDGRAPH_H
#define LEAFCUTTER_LIB_DRIVER_COMPILEDGRAPH_H

#include "Dataset.h"
#include "Profile.h"
#include "leafcutter/Driver/ModelRunner.h"
#include "leafcutter/Target/Emit.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/OwningOpRef.h"

namespace leaf {

/// A copy of `module` (after normalize or compress) whose inputs have the given sizes, all other shapes inferred anew.
/// `edit` may change the copy before that: `mapping` leads from the module's values and ops to the copy's.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
specializeShapes(mlir::ModuleOp module, const InputShapes &shapes,
                 llvm::function_ref<void(mlir::ModuleOp, mlir::IRMapping &)> edit = {});

/// Every open dimension of the entry at `size`.
InputShapes fillOpenShapes(mlir::ModuleOp module, int64_t size);

/// Returns `value` from the entry, too, as the output called `name`.
void addOutput(mlir::func::FuncOp main, mlir::Value value, llvm::StringRef name);

/// Compiled for `target` through the remaining stages; what it needs is known, and it runs where `target` is this
/// machine.
class CompiledGraph {
public:
  /// `specialized` is what specializeShapes gave.
  static llvm::Expected<std::unique_ptr<CompiledGraph>> compile(mlir::OwningOpRef<mlir::ModuleOp> specialized,
                                                                const TargetSpec &target);

  llvm::Expected<NpzFile> run(const NpzFile &inputs);
  /// Least time of a run on the inputs of the last one, in nanoseconds; measures for `seconds` at most.
  llvm::Expected<double> measure(double seconds);

  /// Nanoseconds of a run by a cost model, for targets that are not this machine: each kernel takes as long as its
  /// arithmetic or its memory traffic, at one vector operation and 8 bytes in each cycle of 1 GHz. Good for ratios.
  double estimate(const TargetSpec &target) const;

  const ModelInterface &getInterface() const { return interface; }

private:
  ModelInterface interface;
  std::vector<ProfiledLaunch> launches; ///< of a foreign target
  std::unique_ptr<CompiledModel> code;
  std::unique_ptr<ModelRunner> runner;
};

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_COMPILEDGRAPH_H
