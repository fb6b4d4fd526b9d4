// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg -split-input-file | FileCheck %s

// Distances to the vectors are sums of squared differences; decisions of the pairs are a second product.
// CHECK-LABEL: func.func @main
// CHECK: linalg.generic
// CHECK-SAME: ins(%{{.*}}, %{{.*}} : tensor<5x2xf32>, tensor<2x3xf32>)
// CHECK: arith.subf
// CHECK: math.exp
// CHECK: linalg.generic
// CHECK-SAME: ins(%{{.*}}, %{{.*}} : tensor<5x3xf32>, tensor<3x1xf32>)
// CHECK: leaf.forall
func.func @main(%x: tensor<5x2xf32>) -> (tensor<5xi64>, tensor<5x2xf32>) {
  %0:2 = "onnx.ml.SVMClassifier"(%x) {kernel_type = "RBF", kernel_params = array<f32: 0.5, 0.0, 3.0>, vectors_per_class = array<i64: 2, 1>, support_vectors = array<f32: 1.0, 2.0, 3.0, 4.0, 5.0, 6.0>, coefficients = array<f32: 1.0, 1.0, -1.0>, rho = array<f32: 0.5>, classlabels_ints = array<i64: 3, 7>} : (tensor<5x2xf32>) -> (tensor<5xi64>, tensor<5x2xf32>)
  return %0#0, %0#1 : tensor<5xi64>, tensor<5x2xf32>
}
