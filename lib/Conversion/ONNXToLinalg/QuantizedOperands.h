//===- QuantizedOperands.h - contractions of quantized tensors ---*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// sum (x - zx) * (w - zw) over bytes x and w is computed as sum x * w' - zx * sum w', where w' = w - zw is stored as
// signed bytes, and the sums of w' over each output channel are known at compile time. So the kernel multiplies the
// bytes as they lie in memory, and all the rest happens once for each output, in the epilogue.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_QUANTIZEDOPERANDS_H
#define LEAF_CONVERSION_ONNXTOLINALG_QUANTIZEDOPERANDS_H

#include "ContractBuilder.h"

namespace leaf::onnxtolinalg {

/// A constant matrix of signed bytes with what the epilogue needs to know of it.
struct QuantizedWeight {
  WeightOperand operand;            ///< stored as i8 without scale or zero point; transpositions still pending
  llvm::SmallVector<int64_t> sums;  ///< of the elements of each output channel
  llvm::SmallVector<double> scales; ///< one, or one for each output channel
};

/// Two quantized operands of a contraction.
struct QuantizedOperands {
  mlir::Value data;            ///< lowered tensor of bytes
  mlir::Type dataType;         ///< its ONNX element type: i8 or ui8
  double scale = 1;            ///< of the data; 1 for the integer operators
  int64_t zero = 0;            ///< zero point of the data where that is constant
  mlir::Value zeroTensor = {}; ///< zero point of the data where that is known at run time only: one element
  QuantizedWeight weight;
  llvm::SmallVector<int64_t> integerBias; ///< in units of the sums; empty: none
  llvm::SmallVector<double> bias;         ///< added to the scaled sums; empty: none
  bool isInteger = false;                 ///< the result is the exact sum, as i32

  /// The element that stands for zero.
  mlir::TypedAttr zeroAttr() const;
};

/// The weight `onnx` (behind DequantizeLinear and transpositions, or plain bytes with the zero point `zero`, which may
/// be null) as signed bytes; nothing where it is no constant, or does not fit. `axis` is the output channels' dimension
/// as the reader sees it.
std::optional<QuantizedWeight> getQuantizedWeight(Lowering &lowering, mlir::Value onnx, mlir::Value zero, int64_t axis);

/// Operands of a Conv, MatMul or Gemm whose inputs come out of DequantizeLinear: data per tensor, weight constant and
/// per tensor or per output channel (`axis` of the weight as the reader sees it). `bias` is the ONNX value of a
/// constant vector over the output channels, or null. Nothing where one of that is otherwise.
std::optional<QuantizedOperands> matchQuantized(Lowering &lowering, Node &node, int64_t axis, mlir::Value bias);

/// Operands of a ConvInteger or MatMulInteger with a constant weight and one zero point for all data.
std::optional<QuantizedOperands> matchInteger(Lowering &lowering, Node &node, int64_t axis);

/// Fills accumulator, element, prologues, extras and epilogue of `contract`. `channels` gives the operand and the map
/// for a vector over the output channels.
void setQuantized(Lowering &lowering, ContractBuilder &contract, const QuantizedOperands &operands,
                  llvm::function_ref<std::pair<mlir::Value, mlir::AffineMap>(mlir::Value)> channels);

/// The numbers that a DequantizeLinear makes of a constant of 32-bit integers, per tensor or per element of a vector;
/// nothing where it does something else.
std::optional<llvm::SmallVector<float>> dequantizeConstant(Lowering &lowering, Node &node);

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_QUANTIZEDOPERANDS_H
