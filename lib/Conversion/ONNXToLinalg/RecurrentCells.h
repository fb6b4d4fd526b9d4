//===- RecurrentCells.h - cells of RNN, GRU and LSTM -------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_RECURRENTCELLS_H
#define LEAF_CONVERSION_ONNXTOLINALG_RECURRENTCELLS_H

#include "Lowering.h"
#include "Scalars.h"

namespace leaf::onnxtolinalg {

/// An activation function of a recurrent operator with its parameters (ONNX LSTM-22, attribute `activations`).
struct RecurrentActivation {
  enum Kind {
    Affine,
    Elu,
    HardSigmoid,
    LeakyRelu,
    Relu,
    ScaledTanh,
    Sigmoid,
    Softplus,
    Softsign,
    Tanh,
    ThresholdedRelu
  };
  Kind kind;
  double alpha = 0, beta = 0;

  mlir::Value emit(Scalar &s, mlir::Value x) const;
};

/// The activations of one direction of `node`, `count` of them; `defaults` are their names where none are given.
mlir::FailureOr<llvm::SmallVector<RecurrentActivation>>
getRecurrentActivations(Node &node, unsigned direction, llvm::ArrayRef<llvm::StringRef> defaults);

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_RECURRENTCELLS_H
