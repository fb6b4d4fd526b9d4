// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg -split-input-file -verify-diagnostics

func.func @main(%x: tensor<3x8x1xf32>, %n: tensor<i64>) -> tensor<3x?x2xf32> {
  %none = onnx.NoValue : none
  // expected-error @below {{has a dft_length that is no constant; make it one with --pin INPUT=file.npy}}
  %0 = "onnx.DFT"(%x, %n, %none) : (tensor<3x8x1xf32>, tensor<i64>, none) -> tensor<3x?x2xf32>
  return %0 : tensor<3x?x2xf32>
}

// -----

func.func @main(%x: tensor<3x8x3xf32>) -> tensor<3x8x2xf32> {
  %none = onnx.NoValue : none
  // expected-error @below {{has data whose last dimension is neither 1 (real) nor 2 (real, imaginary)}}
  %0 = "onnx.DFT"(%x, %none, %none) : (tensor<3x8x3xf32>, none, none) -> tensor<3x8x2xf32>
  return %0 : tensor<3x8x2xf32>
}

// -----

func.func @main(%x: tensor<3x8x1xf32>) -> tensor<3x8x2xf32> {
  %none = onnx.NoValue : none
  %axis = onnx.Constant() {value = dense<2> : tensor<i64>} : () -> tensor<i64>
  // expected-error @below {{transforms dimension 2 of data of rank 3}}
  %0 = "onnx.DFT"(%x, %none, %axis) : (tensor<3x8x1xf32>, none, tensor<i64>) -> tensor<3x8x2xf32>
  return %0 : tensor<3x8x2xf32>
}

// -----

func.func @main(%x: tensor<1x64x1xf32>, %step: tensor<i64>, %w: tensor<16xf32>) -> tensor<1x?x9x2xf32> {
  %none = onnx.NoValue : none
  // expected-error @below {{needs a constant positive frame_step and frame length}}
  %0 = "onnx.STFT"(%x, %step, %w, %none) : (tensor<1x64x1xf32>, tensor<i64>, tensor<16xf32>, none) -> tensor<1x?x9x2xf32>
  return %0 : tensor<1x?x9x2xf32>
}
