// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// Groups of dimensions with equal products are collapsed, then expanded; sizes of 1 join a neighbour.

// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<2x3x4x5xf32>)
    -> (tensor<6x4x5xf32>, tensor<2x12x1x5xf32>, tensor<4x30xf32>, tensor<2x3x4x5x1xf32>) {
  %a = onnx.Constant() {value = dense<[6, -1, 5]> : tensor<3xi64>} : () -> tensor<3xi64>
  %b = onnx.Constant() {value = dense<[0, 12, 1, 5]> : tensor<4xi64>} : () -> tensor<4xi64>
  %c = onnx.Constant() {value = dense<[4, 30]> : tensor<2xi64>} : () -> tensor<2xi64>
  %last = onnx.Constant() {value = dense<-1> : tensor<1xi64>} : () -> tensor<1xi64>
  // CHECK: %[[R:.*]] = linalg.generic
  %r = onnx.Relu(%x) : (tensor<2x3x4x5xf32>) -> tensor<2x3x4x5xf32>
  // CHECK: tensor.collapse_shape %[[R]] {{\[\[}}0, 1], [2], [3]] : tensor<2x3x4x5xf32> into tensor<6x4x5xf32>
  %0 = onnx.Reshape(%r, %a) {allowzero = 0 : i64} : (tensor<2x3x4x5xf32>, tensor<3xi64>) -> tensor<6x4x5xf32>
  // CHECK: %[[C:.*]] = tensor.collapse_shape %[[R]] {{\[\[}}0], [1, 2], [3]] {{.*}} into tensor<2x12x5xf32>
  // CHECK: tensor.expand_shape %[[C]] {{\[\[}}0], [1], [2, 3]] output_shape [2, 12, 1, 5]
  %1 = onnx.Reshape(%r, %b) {allowzero = 0 : i64} : (tensor<2x3x4x5xf32>, tensor<4xi64>) -> tensor<2x12x1x5xf32>
  // CHECK: %[[ALL:.*]] = tensor.collapse_shape %[[R]] {{\[\[}}0, 1, 2, 3]] {{.*}} into tensor<120xf32>
  // CHECK: tensor.expand_shape %[[ALL]] {{\[\[}}0, 1]] output_shape [4, 30]
  %2 = onnx.Reshape(%r, %c) {allowzero = 0 : i64} : (tensor<2x3x4x5xf32>, tensor<2xi64>) -> tensor<4x30xf32>
  // CHECK: tensor.expand_shape %[[R]] {{\[\[}}0], [1], [2], [3, 4]]
  %3 = onnx.Unsqueeze(%r, %last) : (tensor<2x3x4x5xf32>, tensor<1xi64>) -> tensor<2x3x4x5x1xf32>
  return %0, %1, %2, %3 : tensor<6x4x5xf32>, tensor<2x12x1x5xf32>, tensor<4x30xf32>, tensor<2x3x4x5x1xf32>
}
