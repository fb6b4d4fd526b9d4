// RUN: leaf-opt %s -leaf-smooth-quantize -split-input-file | FileCheck %s

// Channel 1: sqrt(16 / 1) = 4 goes from the activation into the weight's row; channel 0 is even already.
// CHECK-LABEL: func.func @main
// CHECK-DAG: dense<[1.000000e+00, 2.500000e-01]> : tensor<2xf32>
// CHECK-DAG: dense<[3.000000e+00, 1.000000e+00]> : tensor<2xf32>
// CHECK-DAG{LITERAL}: dense<[[1.000000e+00], [4.000000e+00]]> : tensor<2x1xf32>
// CHECK-NOT: onnx.Mul
func.func @main(%x: tensor<2x2xf32>) -> tensor<2x1xf32> {
  %s = onnx.Constant() {value = dense<1.0> : tensor<2xf32>} : () -> tensor<2xf32>
  %b = onnx.Constant() {value = dense<[3.0, 4.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %w = onnx.Constant() {value = dense<1.0> : tensor<2x1xf32>} : () -> tensor<2x1xf32>
  %0, %1, %2 = onnx.LayerNormalization(%x, %s, %b) {leaf.channel_max = array<f64: 1.0, 16.0>} : (tensor<2x2xf32>, tensor<2xf32>, tensor<2xf32>) -> (tensor<2x2xf32>, none, none)
  %y = onnx.MatMul(%0, %w) : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// -----

// Something else reads the activation: a Mul of its own divides.
// CHECK-LABEL: func.func @main
// CHECK: %[[R:.*]] = onnx.Relu
// CHECK: dense<[1.000000e+00, 2.500000e-01]>
// CHECK: %[[M:.*]] = onnx.Mul(%[[R]]
// CHECK: onnx.MatMul(%[[M]]
// CHECK: return %{{.*}}, %[[R]]
func.func @main(%x: tensor<2x2xf32>) -> (tensor<2x1xf32>, tensor<2x2xf32>) {
  %w = onnx.Constant() {value = dense<1.0> : tensor<2x1xf32>} : () -> tensor<2x1xf32>
  %0 = onnx.Relu(%x) {leaf.channel_max = array<f64: 1.0, 16.0>} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %y = onnx.MatMul(%0, %w) : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  return %y, %0 : tensor<2x1xf32>, tensor<2x2xf32>
}
