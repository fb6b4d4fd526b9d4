//===- MissingC.cpp - until lib/Target/C is there ----------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Target/Emit.h"

static llvm::Error missing() { return llvm::createStringError("C is not linked into this build of leafc"); }

namespace leaf {
llvm::Error emitC(mlir::ModuleOp, const TargetSpec &, llvm::raw_ostream &, bool) { return missing(); }
llvm::Error emitHeader(mlir::ModuleOp, llvm::raw_ostream &) { return missing(); }
llvm::Error emitExample(mlir::ModuleOp, llvm::raw_ostream &) { return missing(); }
llvm::Error emitCMakeSnippet(mlir::ModuleOp, llvm::raw_ostream &) { return missing(); }
} // namespace leaf
