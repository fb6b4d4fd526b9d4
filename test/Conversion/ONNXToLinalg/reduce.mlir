// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// Kept loops first, reduced loops last; what is left to do is a generic after it.

// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2) -> (d0, d2, d1)>
// CHECK-DAG: #[[Y:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<2x3x4xf32>) -> (tensor<2x1x4xf32>, tensor<2x3xi64>) {
  %axes = "onnx.Constant"() {value = dense<1> : tensor<1xi64>} : () -> tensor<1xi64>
  // CHECK: %[[F:.*]] = linalg.fill
  // CHECK: linalg.generic {indexing_maps = [#[[X]], #[[Y]]], iterator_types = ["parallel", "parallel", "reduction"]}
  // CHECK-SAME: outs(%[[F]] : tensor<2x4xf32>)
  // CHECK: arith.addf
  // CHECK: arith.divf
  // CHECK: tensor.expand_shape %{{.*}} into tensor<2x1x4xf32>
  %0 = "onnx.ReduceMean"(%x, %axes) {keepdims = 1 : i64} : (tensor<2x3x4xf32>, tensor<1xi64>) -> tensor<2x1x4xf32>
  // CHECK: linalg.generic
  // CHECK: arith.cmpf ogt
  // CHECK: linalg.yield %{{.*}}, %{{.*}} : f32, i64
  %1 = "onnx.ArgMax"(%x) {axis = -1 : i64, keepdims = 0 : i64} : (tensor<2x3x4xf32>) -> tensor<2x3xi64>
  return %0, %1 : tensor<2x1x4xf32>, tensor<2x3xi64>
}
