//===- Containers.h - sequences and optionals of known structure -*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_TRANSFORMS_CONTAINERS_H
#define LEAF_LIB_TRANSFORMS_CONTAINERS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace leaf {

/// Whether `type` is a sequence or an optional.
bool isContainer(mlir::Type type);

/// A sequence whose length is known stands in the IR as the onnx.SequenceConstruct (or onnx.SequenceEmpty) that makes
/// it, an optional of known presence as an onnx.Optional. Rewrites one op that takes such containers apart, puts them
/// together or hands them on: afterwards its tensors are used directly. A Loop that carries or reads containers is
/// unrolled where its trip count is known, an If that yields them yields their elements. Returns the op to look at
/// next, which comes first of those made, or nothing where `op` is no such op, or what it needs is not known (yet).
std::optional<mlir::Operation *> resolveContainers(mlir::Operation *op);

/// Replaces results of the entry that are containers by their tensors: NAME[0], NAME[1], ... of a sequence, NAME of an
/// optional that has a value.
void expandContainerResults(mlir::func::FuncOp entry);

/// Erases what made containers that nothing uses any more; an error for each op that still makes one.
mlir::LogicalResult checkContainers(mlir::func::FuncOp entry);

} // namespace leaf

#endif // LEAF_LIB_TRANSFORMS_CONTAINERS_H
