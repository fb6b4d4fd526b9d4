//===- TargetTable.h - the named targets -------------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_TARGET_TARGETTABLE_H
#define LEAFCUTTER_LIB_TARGET_TARGETTABLE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace leaf {

/// A named target as LLVM knows it. All other facts of its TargetSpec are derived from LLVM's features.
struct NamedTarget {
  llvm::StringLiteral name;
  llvm::StringLiteral triple; ///< "" for the machine we run on
  llvm::StringLiteral cpu;    ///< "" for the CPU we run on
  llvm::StringLiteral features;
};

/// Every row, in the order of --help.
llvm::ArrayRef<NamedTarget> getNamedTargets();

} // namespace leaf

#endif // LEAFCUTTER_LIB_TARGET_TARGETTABLE_H
