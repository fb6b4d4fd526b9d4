// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg -split-input-file -verify-diagnostics

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{has data of rank 1, but normalizes over dimension 1}}
  %0 = "onnx.LRN"(%x) {size = 3 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<1x4x2xf32>) -> tensor<1x4x2xf32> {
  // expected-error @below {{has size 0, which must be positive}}
  %0 = "onnx.LRN"(%x) {size = 0 : i64} : (tensor<1x4x2xf32>) -> tensor<1x4x2xf32>
  return %0 : tensor<1x4x2xf32>
}
