//===- CrashReproducer.h - what is left when a pass fails or crashes -*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_CRASHREPRODUCER_H
#define LEAFCUTTER_LIB_DRIVER_CRASHREPRODUCER_H

#include "Diagnostics.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

namespace leaf {

/// Runs a pipeline so that a crash in it becomes an error, which names a file with MLIR's reproducer: the module before
/// the pipeline, weights included, and the passes.
class CrashReproducer {
public:
  /// `folder` gets the reproducers of crashes and of passes that fail. Empty: only those of crashes are kept, in the
  /// system's folder for temporary files.
  explicit CrashReproducer(std::string folder) : folder(std::move(folder)) {}

  /// `name` tells the pipeline in messages and file names. The errors of the passes are in `diagnostics`; the result
  /// says only that, and where, it failed or crashed.
  llvm::Error run(mlir::PassManager &pm, mlir::ModuleOp module, llvm::StringRef name,
                  const DiagnosticCollector &diagnostics);

private:
  llvm::Expected<std::string> choosePath(llvm::StringRef name) const;

  std::string folder;
};

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_CRASHREPRODUCER_H
