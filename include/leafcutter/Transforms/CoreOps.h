//===- CoreOps.h - the onnx operators that form lowers ------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_TRANSFORMS_COREOPS_H
#define LEAFCUTTER_TRANSFORMS_COREOPS_H

#include "mlir/IR/OperationSupport.h"
#include "llvm/ADT/ArrayRef.h"

namespace leaf {

/// Whether `name` is an onnx op that may stand in a graph after `optimize`. The table in lib/Transforms/CoreOps.cpp is
/// what lib/Conversion/ONNXToLinalg lowers; an operator is added to both.
bool isCoreOp(mlir::OperationName name);

/// Whether `name` is a core op that computes each result element from the elements of its operands at the same place,
/// with numpy broadcasting between all operands.
bool isElementwiseOp(mlir::OperationName name);

/// ONNX names of all core ops, sorted.
llvm::ArrayRef<llvm::StringLiteral> getCoreOpNames();

} // namespace leaf

#endif // LEAFCUTTER_TRANSFORMS_COREOPS_H
