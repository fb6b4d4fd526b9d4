//===- OutputNames.h - names of a node and its outputs -----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_DIALECTS_LEAF_OUTPUTNAMES_H
#define LEAF_DIALECTS_LEAF_OUTPUTNAMES_H

#include "mlir/IR/Location.h"
#include <string>

namespace leaf {

namespace attrs {
/// DenseI64ArrayAttr on an onnx op: per result what --bound gives for its open dimensions; -1: nothing.
inline constexpr llvm::StringLiteral kResultBounds = "leaf.result_bounds";
} // namespace attrs

/// The location of an ONNX node: its name, around the names of its outputs. Passes need not keep the latter: they are
/// for messages.
mlir::Location makeNodeLocation(mlir::MLIRContext *context, llvm::StringRef node, llvm::ArrayRef<std::string> outputs);

/// `location` of a node with the name of its output `i` alone.
mlir::Location getOutputLocation(mlir::Location location, unsigned i);

/// "--bound NODE.OUTPUT=N", the option that bounds output `i` of what stands at `location`; with NODE and OUTPUT
/// spelled out where they are known.
std::string getBoundOption(mlir::Location location, unsigned i = 0);

} // namespace leaf

#endif // LEAF_DIALECTS_LEAF_OUTPUTNAMES_H
