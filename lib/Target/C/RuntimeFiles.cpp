//===- RuntimeFiles.cpp - leaf_weights.{h,c} and leaf_threads.{h,c} ------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
// Files of the runtime that are written beside models that need them. They are embedded at build time.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Plan/ModelInterface.h"
#include "leafcutter/Target/Emit.h"

static const char kWeightsHeader[] =
#include "WeightsHeader.inc"
    ;
static const char kWeightsSource[] =
#include "WeightsSource.inc"
    ;
static const char kThreadsHeader[] =
#include "ThreadsHeader.inc"
    ;
static const char kThreadsSource[] =
#include "ThreadsSource.inc"
    ;

static llvm::Error print(llvm::raw_ostream &out, const char *text) {
  out << text;
  return llvm::Error::success();
}

llvm::Error leaf::emitWeightReaderHeader(llvm::raw_ostream &out) { return print(out, kWeightsHeader); }

llvm::Error leaf::emitWeightReaderSource(llvm::raw_ostream &out) { return print(out, kWeightsSource); }

bool leaf::usesThreadPool(mlir::ModuleOp module, const TargetSpec &target) {
  return !target.bareMetal && getModelInterface(module).maxWorkers > 1;
}

llvm::Error leaf::emitThreadPoolHeader(llvm::raw_ostream &out) { return print(out, kThreadsHeader); }

llvm::Error leaf::emitThreadPoolSource(llvm::raw_ostream &out) { return print(out, kThreadsSource); }
