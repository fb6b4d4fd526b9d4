//===- JitSession.h - a model compiled into this process ---------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_JITSESSION_H
#define LEAFCUTTER_LIB_DRIVER_JITSESSION_H

#include "leafcutter/Driver/Compiler.h"
#include "leafcutter/Driver/ModelRunner.h"
#include "leafcutter/Target/Emit.h"

namespace leaf {

/// Compiles `path` for this machine and runs it once on `inputs`. Only --target=host (the default) is accepted.
llvm::Expected<NpzFile> compileAndRun(llvm::StringRef path, CompilerOptions options, const NpzFile &inputs,
                                      unsigned threads);

/// Loads `module`, the output of `codegen`, into this process and runs it once. Fails where it needs more memory than
/// the machine has.
llvm::Expected<NpzFile> runInProcess(mlir::ModuleOp module, const TargetSpec &target, const NpzFile &inputs,
                                     unsigned threads = 1);

/// Runs `compiler` on `path` with a status line on a terminal.
llvm::Error compileWithProgress(Compiler &compiler, llvm::StringRef path);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_JITSESSION_H
