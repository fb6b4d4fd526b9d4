// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg -verify-diagnostics

func.func @main(%x: tensor<4xf32>) -> tensor<?xi64> {
  // expected-error @below {{has no lowering}}
  %0 = "onnx.NonZero"(%x) : (tensor<4xf32>) -> tensor<?xi64>
  return %0 : tensor<?xi64>
}
