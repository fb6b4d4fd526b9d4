// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// Each result is a buffer of its own: a reshaped argument is copied, a tensor that is returned twice is copied once.

// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:.*]]: tensor<2x3xf32>
func.func @main(%x: tensor<2x3xf32>) -> (tensor<6xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  %s = onnx.Constant() {value = dense<6> : tensor<1xi64>} : () -> tensor<1xi64>
  // CHECK: %[[V:.*]] = tensor.collapse_shape %[[X]]
  %0 = onnx.Reshape(%x, %s) {allowzero = 0 : i64} : (tensor<2x3xf32>, tensor<1xi64>) -> tensor<6xf32>
  // CHECK: %[[R:.*]] = linalg.generic
  %1 = onnx.Relu(%x) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: %[[C0:.*]] = linalg.generic {{.*}} ins(%[[V]] : tensor<6xf32>)
  // CHECK: %[[C2:.*]] = linalg.generic {{.*}} ins(%[[R]] : tensor<2x3xf32>)
  // CHECK: return %[[C0]], %[[R]], %[[C2]]
  return %0, %1, %1 : tensor<6xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}
