// RUN: leaf-opt %s -leaf-correct-biases | FileCheck %s

// CHECK-LABEL: func.func @main
// CHECK: dense<[1.250000e+00, -1.500000e+00]> : tensor<2xf32>
// CHECK: onnx.Gemm(%arg0, %{{.*}}, %{{.*}}) :
// CHECK: %[[M:.*]] = onnx.MatMul(%arg0, %{{.*}}) :
// CHECK: dense<[2.000000e+00, 3.000000e+00]>
// CHECK: onnx.Add(%[[M]], %{{.*}})
func.func @main(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = onnx.Constant() {value = dense<1.0> : tensor<2x2xf32>} : () -> tensor<2x2xf32>
  %b = onnx.Constant() {value = dense<[1.0, -1.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %y = onnx.Gemm(%x, %w, %b) {leaf.bias_error = array<f64: 0.25, -0.5>} : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %z = onnx.MatMul(%x, %w) {leaf.bias_error = array<f64: 2.0, 3.0>} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y, %z : tensor<1x2xf32>, tensor<1x2xf32>
}
