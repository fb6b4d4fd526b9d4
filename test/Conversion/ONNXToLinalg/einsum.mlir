// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// A product of matrices per batch is a contraction; anything else a sum of products.
// CHECK-DAG: #[[L:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK-DAG: #[[R:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3)>
// CHECK-DAG: #[[D:.*]] = affine_map<(d0) -> (d0, d0)>
// CHECK-LABEL: func.func @main
// CHECK: leaf.contract ins(%{{.*}}, %{{.*}} : tensor<2x3x4xf32>, tensor<2x5x4xf32>) {{.*}}indexing_maps = [#[[L]], #[[R]], #{{.*}}]
// CHECK: linalg.generic {indexing_maps = [#[[D]], #{{.*}}], iterator_types = ["reduction"]}
func.func @main(%x: tensor<2x3x4xf32>, %y: tensor<2x5x4xf32>, %z: tensor<6x6xf32>) -> (tensor<2x3x5xf32>, tensor<f32>) {
  %0 = "onnx.Einsum"(%x, %y) {equation = "bmk, bnk -> bmn"} : (tensor<2x3x4xf32>, tensor<2x5x4xf32>) -> tensor<2x3x5xf32>
  %1 = "onnx.Einsum"(%z) {equation = "ii->"} : (tensor<6x6xf32>) -> tensor<f32>
  return %0, %1 : tensor<2x3x5xf32>, tensor<f32>
}
