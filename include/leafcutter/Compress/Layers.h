//===- Layers.h - contractions with weights, as compression sees them -*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_COMPRESS_LAYERS_H
#define LEAFCUTTER_COMPRESS_LAYERS_H

#include "leafcutter/Transforms/HostTensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace leaf {

namespace attrs {
/// Ops, and arguments of the entry: low and high of each result in calibration (f64 array); NaN where unknown.
inline constexpr llvm::StringLiteral kRanges = "leaf.ranges";
/// Ops: why the layer stays float (string).
inline constexpr llvm::StringLiteral kFloat = "leaf.float";
/// Ops, and arguments of the entry: largest magnitude of each channel (last axis) of the first result (f64 array).
inline constexpr llvm::StringLiteral kChannelMax = "leaf.channel_max";
/// Layers: mean of float minus quantized result for each output channel (f64 array).
inline constexpr llvm::StringLiteral kBiasError = "leaf.bias_error";
} // namespace attrs

/// A Conv, ConvTranspose, Gemm or MatMul.
struct Layer {
  mlir::Operation *op = nullptr;
  int weightOperand = -1;              ///< -1: no operand is constant (a product of activations)
  int64_t channelAxis = 0;             ///< axis of the weight that output channels run along
  int64_t inputAxis = 0;               ///< axis of the weight that input channels run along
  llvm::SmallVector<unsigned> data;    ///< operands that are activations
  std::optional<unsigned> biasOperand; ///< where a bias stands, or may stand

  bool hasWeight() const { return weightOperand >= 0; }
  mlir::Value weight() const { return op->getOperand(weightOperand); }
  /// Axis of the result that output channels run along.
  int64_t resultChannelAxis() const;
};

/// `op` as a layer of float32. Nothing for other ops, and where the weight is already stored in integers.
std::optional<Layer> matchLayer(mlir::Operation *op);

/// The weight's float32 values: those of a constant, or of a Cast of one that is stored in half precision.
std::optional<HostTensor> getFloatWeight(mlir::Value weight);

/// All layers of the entry function in order; those in branches and loops are left out.
std::vector<Layer> collectLayers(mlir::ModuleOp module);

/// The entry function; null where there is none.
mlir::func::FuncOp getEntry(mlir::ModuleOp module);

/// Sets `leaf.float`, unless a reason is there already.
void keepFloat(mlir::Operation *op, const llvm::Twine &reason);

/// Whether the op has a reason to stay float.
bool isKeptFloat(mlir::Operation *op);

/// Largest magnitudes along `axis`.
std::vector<double> largestAlong(const HostTensor &tensor, int64_t axis);

/// `tensor` with each element times factor[its index along `axis`].
HostTensor scaleAlong(const HostTensor &tensor, int64_t axis, llvm::ArrayRef<double> factor);

/// How many elements one step along `axis` spans.
int64_t strideOf(llvm::ArrayRef<int64_t> shape, int64_t axis);

} // namespace leaf

#endif // LEAFCUTTER_COMPRESS_LAYERS_H
