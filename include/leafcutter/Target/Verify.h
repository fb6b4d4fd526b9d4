//===- Verify.h - builds and runs emitted models as programs -----*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_TARGET_VERIFY_H
#define LEAFCUTTER_TARGET_VERIFY_H

#include "leafcutter/Plan/ModelInterface.h"
#include "leafcutter/Target/TargetSpec.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <optional>
#include <string>
#include <vector>

namespace leaf {

/// Prints verify_main.c, which includes NAME.h, reads in.bin and writes out.bin in its working directory.
///
/// in.bin:  int64 per dynamic dimension (order of ModelInterface::dims), then each input's buffer in full: capacity
///          times element bytes; an aliased input at its capacity strides.
/// out.bin: int64 leaf_status, int64 per size the entry returns, then the buffer in full of each output that is no
///          alias, then that of each aliased input.
/// All little-endian. With `threadPool` it runs on as many threads as the model was compiled for, by leaf_threads.h;
/// with `level` the kernels of that ISA level, not those that NAME_init takes.
llvm::Error emitVerifyDriver(mlir::ModuleOp module, llvm::raw_ostream &out, bool threadPool = false,
                             std::optional<unsigned> level = std::nullopt);

/// What a program run on files gave back.
struct RunResult {
  int64_t status = 0;                     ///< leaf_status
  std::vector<int64_t> sizes;             ///< numDimResults
  std::vector<std::vector<char>> outputs; ///< per output: its buffer in full, or that of the input it shares
};

struct RunOptions {
  std::string compiler;           ///< C compiler command; empty: the one that fits the target
  std::vector<std::string> flags; ///< further flags for it, e.g. -fsanitize=address
  unsigned timeoutSeconds = 600;
};

/// Builds `files` (C sources, objects or archives, NAME.h beside them) in `directory` with the target's compiler and
/// runs the program, under qemu where this machine can't run it. `dims` and `inputs` are what in.bin holds (inputs:
/// buffers in full). Fails with a message that says which Debian package is missing, or shows what the compiler or
/// the program printed.
llvm::Expected<RunResult> runProgram(const ModelInterface &model, const TargetSpec &target, llvm::StringRef directory,
                                     llvm::ArrayRef<std::string> files, llvm::ArrayRef<int64_t> dims,
                                     llvm::ArrayRef<std::vector<char>> inputs, const RunOptions &options = {});

} // namespace leaf

#endif // LEAFCUTTER_TARGET_VERIFY_H
