//===- LayerErrors.h - quantized twins of layers ------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_COMPRESS_LAYERERRORS_H
#define LEAFCUTTER_COMPRESS_LAYERERRORS_H

#include "leafcutter/Compress/Quantization.h"

#include "mlir/IR/BuiltinOps.h"

namespace leaf {

/// What one layer loses by static quantization, as values of the graph. The layer's float inputs are quantized, not
/// what earlier layers would have given, so that all layers are judged in one run.
struct LayerError {
  mlir::Operation *layer;
  mlir::Value meanByChannel; ///< [channels]: mean of float minus quantized; null for layers without a weight
  mlir::Value squared;       ///< []: mean of the squared difference
  mlir::Value power;         ///< []: mean of the squared float result
};

/// Adds a quantized twin beside each layer of the plan (leafcutter/Compress/StaticPlan.h) whose range is known, and
/// what compares the two. The layers themselves stay as they are.
std::vector<LayerError> addLayerErrors(mlir::ModuleOp module, ActivationType type);

} // namespace leaf

#endif // LEAFCUTTER_COMPRESS_LAYERERRORS_H
