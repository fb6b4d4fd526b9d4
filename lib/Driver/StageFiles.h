//===- StageFiles.h - dumped stages and their weights ------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_STAGEFILES_H
#define LEAFCUTTER_LIB_DRIVER_STAGEFILES_H

#include "leafcutter/Pipeline/Pipeline.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"
#include <optional>

namespace leaf {

/// What the first line of a dump says: `// leafc-stage form target host triple … cpu … features …`.
struct StageHeader {
  std::optional<Stage> stage; ///< the stage that ended; nothing in a hand-written file
  std::optional<TargetSpec> target;
};

/// Writes DIR/NN.stage.mlir, weights elided, and DIR/NN.stage.weights with their bytes by symbol.
llvm::Error writeStage(mlir::ModuleOp module, Stage stage, const TargetSpec &target, llvm::StringRef dir);

/// Reads a .mlir of any stage into `context`; weights without bytes get theirs from the .weights file beside it, which
/// stays mapped as long as the context needs it.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> readStage(mlir::MLIRContext *context, llvm::StringRef path,
                                                            StageHeader &header);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_STAGEFILES_H
