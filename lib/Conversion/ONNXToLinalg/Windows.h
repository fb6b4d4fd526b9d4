//===- Windows.h - sliding windows of convolutions and pools -----*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_WINDOWS_H
#define LEAF_CONVERSION_ONNXTOLINALG_WINDOWS_H

#include "Lowering.h"

namespace leaf::onnxtolinalg {

/// Per spatial dimension: the window and what it covers.
struct Window {
  llvm::SmallVector<int64_t> kernel, strides, dilations;
  Sizes padBegin; ///< zeros (or neutral elements) before the data
  Sizes padEnd;   ///< after it, as the attributes say
  Sizes outSizes; ///< positions of the window
  Sizes covered;  ///< extent that the windows touch, from -padBegin on; at least padBegin + size + padEnd unless cut

  unsigned rank() const { return kernel.size(); }
  bool hasPadding(SizeArithmetic &sizes, llvm::ArrayRef<Size> spatial) const;
};

/// Reads strides, dilations, pads, auto_pad and ceil_mode of a Conv or pool over data of sizes `spatial`.
mlir::FailureOr<Window> getWindow(Lowering &lowering, Node &node, llvm::ArrayRef<int64_t> kernel,
                                  llvm::ArrayRef<Size> spatial);

/// Dimensions of a tensor N,C,spatial... or, channels last, N,spatial...,C.
struct Layout {
  bool channelsLast;
  unsigned spatialRank;
  unsigned channel() const { return channelsLast ? spatialRank + 1 : 1; }
  unsigned spatial(unsigned i) const { return channelsLast ? 1 + i : 2 + i; }
};
Layout getLayout(Node &node, int64_t rank);

/// A tensor of `outSizes` that holds `tensor` from position `begin` on and `value` elsewhere; `tensor` itself if equal.
mlir::Value padConstant(Lowering &lowering, mlir::Value tensor, llvm::ArrayRef<Size> begin,
                        llvm::ArrayRef<Size> outSizes, mlir::TypedAttr value);

/// The same with a value that is emitted in the body.
mlir::Value padWith(Lowering &lowering, mlir::Value tensor, llvm::ArrayRef<Size> begin, llvm::ArrayRef<Size> outSizes,
                    llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location)> value);

/// Pads the spatial dimensions of `tensor` to what the window covers.
mlir::Value padForWindow(Lowering &lowering, mlir::Value tensor, const Window &window, const Layout &layout,
                         mlir::TypedAttr value);

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_WINDOWS_H
