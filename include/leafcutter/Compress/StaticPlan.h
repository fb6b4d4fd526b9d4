//===- StaticPlan.h - which values static quantization quantizes -*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_COMPRESS_STATICPLAN_H
#define LEAFCUTTER_COMPRESS_STATICPLAN_H

#include "leafcutter/Compress/Layers.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"

namespace leaf {

/// The smallest set of values whose quantization lets every layer read 8 bits: the data of the layers, what is pooled
/// between layers, and, where such a value only is another one moved (Reshape, MaxPool, Concat, …), that one too.
/// Independent of ranges.
struct StaticPlan {
  std::vector<Layer> layers;           ///< to be quantized, in order
  llvm::SetVector<mlir::Value> values; ///< to be quantized
  /// Ops that read quantized values besides the layers: they move or pool them.
  llvm::SetVector<mlir::Operation *> movers;
  /// The value whose scale a value shares, directly or through others; absent: it has its own.
  llvm::DenseMap<mlir::Value, mlir::Value> sharesWith;

  /// The value that stands for all that share a scale with `value`.
  mlir::Value representative(mlir::Value value) const;
};

/// The plan for the layers that are not kept float.
StaticPlan planStatic(mlir::ModuleOp module);

/// Low and high of all values that share a scale, by the one that stands for them.
using GroupRanges = llvm::DenseMap<mlir::Value, std::pair<double, double>>;
GroupRanges groupRanges(const StaticPlan &plan);

/// Range of a value as `leaf.ranges` says; nothing where it is unknown or not finite.
std::optional<std::pair<double, double>> getRange(mlir::Value value);
/// Sets it.
void setRange(mlir::Value value, double low, double high);

/// Whether the value is computed by a convolution, with at most elementwise ops between.
bool comesFromConvolution(mlir::Value value);

} // namespace leaf

#endif // LEAFCUTTER_COMPRESS_STATICPLAN_H
