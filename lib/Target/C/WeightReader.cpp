//===- WeightReader.cpp - leaf_weights.h and leaf_weights.c --------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Target/Emit.h"

/// Files of the runtime, embedded at build time.
static const char kHeader[] =
#include "WeightsHeader.inc"
    ;
static const char kSource[] =
#include "WeightsSource.inc"
    ;

llvm::Error leaf::emitWeightReaderHeader(llvm::raw_ostream &out) {
  out << kHeader;
  return llvm::Error::success();
}

llvm::Error leaf::emitWeightReaderSource(llvm::raw_ostream &out) {
  out << kSource;
  return llvm::Error::success();
}
