// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// Permutations and broadcasts are maps; other access reads a captured tensor.

// CHECK-DAG: #[[T:.*]] = affine_map<(d0, d1) -> (d1, d0)>
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:.*]]: tensor<4x8xf32>, %[[I:.*]]: tensor<3xi64>
func.func @main(%x: tensor<4x8xf32>, %i: tensor<3xi64>)
    -> (tensor<8x4xf32>, tensor<2x8xf32>, tensor<3x8xf32>, tensor<8x8xf32>) {
  // CHECK: linalg.generic {indexing_maps = [#[[T]], #{{.*}}], {{.*}} ins(%[[X]]
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 1, 0>} : (tensor<4x8xf32>) -> tensor<8x4xf32>
  %start = "onnx.Constant"() {value = dense<-2> : tensor<1xi64>} : () -> tensor<1xi64>
  %end = "onnx.Constant"() {value = dense<9223372036854775807> : tensor<1xi64>} : () -> tensor<1xi64>
  %axis = "onnx.Constant"() {value = dense<0> : tensor<1xi64>} : () -> tensor<1xi64>
  %none = "onnx.NoValue"() : () -> none
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x8xf32>)
  // CHECK: %[[R:.*]] = arith.addi
  // CHECK: %[[C:.*]] = linalg.index 1
  // CHECK: tensor.extract %[[X]][%[[R]], %[[C]]]
  %1 = "onnx.Slice"(%x, %start, %end, %axis, %none)
    : (tensor<4x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<2x8xf32>
  // CHECK: linalg.generic {{.*}} ins(%[[I]] : tensor<3xi64>) outs(%{{.*}} : tensor<3x8xf32>)
  // CHECK: arith.select
  // CHECK: %[[C:.*]] = linalg.index 1
  // CHECK: tensor.extract %[[X]][%{{.*}}, %[[C]]]
  %2 = "onnx.Gather"(%x, %i) {axis = 0 : i64} : (tensor<4x8xf32>, tensor<3xi64>) -> tensor<3x8xf32>
  // CHECK: leaf.concat ins(%[[X]], %[[X]] : tensor<4x8xf32>, tensor<4x8xf32>) outs(%{{.*}} : tensor<8x8xf32>) dim 0
  %3 = "onnx.Concat"(%x, %x) {axis = 0 : i64} : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<8x8xf32>
  return %0, %1, %2, %3 : tensor<8x4xf32>, tensor<2x8xf32>, tensor<3x8xf32>, tensor<8x8xf32>
}
