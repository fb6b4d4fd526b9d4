//===- EntryOutputs.h - results of @main become output arguments -*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_PLAN_ENTRYOUTPUTS_H
#define LEAF_LIB_PLAN_ENTRYOUTPUTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace leaf {

/// Gives each dynamically shaped buffer argument of the bufferized `entry` its sizes (a memref.reinterpret_cast) from
/// the index arguments. Fails with an error on a dynamic dimension without an argument.
mlir::LogicalResult sizeDynamicInputs(mlir::func::FuncOp entry);

/// Replaces the memref results of the bufferized `entry` by output arguments (behind the other buffers, marked
/// plan.output). The allocation behind a result becomes the output itself where possible, otherwise it is copied
/// (memref.copy). What is returned instead: one index per dynamic dimension of an output.
mlir::LogicalResult moveResultsToArguments(mlir::func::FuncOp entry);

} // namespace leaf

#endif // LEAF_LIB_PLAN_ENTRYOUTPUTS_H
