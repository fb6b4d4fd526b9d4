// RUN: leaf-opt %s -leaf-equalize-layers -split-input-file | FileCheck %s

// Channel 0: 16 and 1 become 4 and 4; channel 1 is even already.
// CHECK-LABEL: func.func @main
// CHECK-DAG{LITERAL}: dense<[[4.000000e+00, 1.000000e+00]]> : tensor<1x2xf32>
// CHECK-DAG: dense<[2.000000e+00, 3.000000e+00]> : tensor<2xf32>
// CHECK-DAG{LITERAL}: dense<[[4.000000e+00], [1.000000e+00]]> : tensor<2x1xf32>
func.func @main(%x: tensor<1x1xf32>) -> tensor<1x1xf32> {
  %n = onnx.NoValue : none
  %w = onnx.Constant() {value = dense<[[16.0, 1.0]]> : tensor<1x2xf32>} : () -> tensor<1x2xf32>
  %b = onnx.Constant() {value = dense<[8.0, 3.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %v = onnx.Constant() {value = dense<[[1.0], [1.0]]> : tensor<2x1xf32>} : () -> tensor<2x1xf32>
  %0 = onnx.Gemm(%x, %w, %b) : (tensor<1x1xf32>, tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %1 = onnx.Relu(%0) : (tensor<1x2xf32>) -> tensor<1x2xf32>
  %2 = onnx.Gemm(%1, %v, %n) : (tensor<1x2xf32>, tensor<2x1xf32>, none) -> tensor<1x1xf32>
  return %2 : tensor<1x1xf32>
}

// -----

// A Sigmoid does not scale along.
// CHECK-LABEL: func.func @main
// CHECK{LITERAL}: dense<[[1.600000e+01, 1.000000e+00]]>
func.func @main(%x: tensor<1x1xf32>) -> tensor<1x1xf32> {
  %w = onnx.Constant() {value = dense<[[16.0, 1.0]]> : tensor<1x2xf32>} : () -> tensor<1x2xf32>
  %v = onnx.Constant() {value = dense<[[1.0], [1.0]]> : tensor<2x1xf32>} : () -> tensor<2x1xf32>
  %0 = onnx.MatMul(%x, %w) : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %1 = onnx.Sigmoid(%0) : (tensor<1x2xf32>) -> tensor<1x2xf32>
  %2 = onnx.MatMul(%1, %v) : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
  return %2 : tensor<1x1xf32>
}
