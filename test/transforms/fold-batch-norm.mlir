// RUN: leaf-opt %s -leaf-fold-batch-norm -split-input-file | FileCheck %s

// factor = 2 / sqrt(4 + 0) = 1, offset = 3 - 5 * 1 = -2 in channel 0; 6 / sqrt(9) = 2 and 1 - 0 = 1 in channel 1.
// CHECK-LABEL: func.func @into_conv
func.func @into_conv(%x: tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %w = onnx.Constant() {value = dense<[[[[1.0]]], [[[10.0]]]]> : tensor<2x1x1x1xf32>} : () -> tensor<2x1x1x1xf32>
  %b = onnx.Constant() {value = dense<[0.5, 0.25]> : tensor<2xf32>} : () -> tensor<2xf32>
  %scale = onnx.Constant() {value = dense<[2.0, 6.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %bias = onnx.Constant() {value = dense<[3.0, 1.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %mean = onnx.Constant() {value = dense<[5.0, 0.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %var = onnx.Constant() {value = dense<[4.0, 9.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  // CHECK{LITERAL}: dense<[[[[1.000000e+00]]], [[[2.000000e+01]]]]> : tensor<2x1x1x1xf32>
  // CHECK: dense<[-1.500000e+00, 1.500000e+00]> : tensor<2xf32>
  %0 = onnx.Conv(%x, %w, %b) {kernel_shape = array<i64: 1, 1>}
      : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  // CHECK: %[[C:.*]] = onnx.Conv
  // CHECK-NEXT: return %[[C]]
  %1, %m, %v = onnx.BatchNormalization(%0, %scale, %bias, %mean, %var) {epsilon = 0.0 : f32}
      : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>)
      -> (tensor<1x2x4x4xf32>, none, none)
  return %1 : tensor<1x2x4x4xf32>
}

// -----

// CHECK-LABEL: func.func @on_its_own
func.func @on_its_own(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %scale = onnx.Constant() {value = dense<[2.0, 6.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %bias = onnx.Constant() {value = dense<[3.0, 1.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %mean = onnx.Constant() {value = dense<[5.0, 0.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %var = onnx.Constant() {value = dense<[4.0, 9.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  // CHECK{LITERAL}: dense<[[[1.000000e+00]], [[2.000000e+00]]]> : tensor<2x1x1xf32>
  // CHECK: %[[M:.*]] = onnx.Mul(%arg0, %
  // CHECK: onnx.Add(%[[M]], %
  %1, %m, %v = onnx.BatchNormalization(%x, %scale, %bias, %mean, %var) {epsilon = 0.0 : f32}
      : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>)
      -> (tensor<1x2x4x4xf32>, none, none)
  return %1 : tensor<1x2x4x4xf32>
}
