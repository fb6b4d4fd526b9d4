// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// Batch dimensions broadcast through the maps; vectors have no m or n loop.

// CHECK-DAG: #[[L:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
// CHECK-DAG: #[[R:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (0, d1, d4, d3)>
// CHECK-DAG: #[[O:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
// CHECK-DAG: #[[K:.*]] = affine_map<(d0) -> (d0)>
// CHECK-DAG: #[[S:.*]] = affine_map<(d0) -> ()>
// CHECK-LABEL: func.func @main
func.func @main(%a: tensor<2x3x4x5xf32>, %b: tensor<1x3x5x6xf32>, %v: tensor<7xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<f32>) {
  // CHECK: leaf.contract
  // CHECK-SAME: indexing_maps = [#[[L]], #[[R]], #[[O]]]
  // CHECK-SAME: iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]
  %0 = "onnx.MatMul"(%a, %b) : (tensor<2x3x4x5xf32>, tensor<1x3x5x6xf32>) -> tensor<2x3x4x6xf32>
  // CHECK: leaf.contract
  // CHECK-SAME: indexing_maps = [#[[K]], #[[K]], #[[S]]]
  %1 = "onnx.MatMul"(%v, %v) : (tensor<7xf32>, tensor<7xf32>) -> tensor<f32>
  return %0, %1 : tensor<2x3x4x6xf32>, tensor<f32>
}
