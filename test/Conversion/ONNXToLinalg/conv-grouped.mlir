// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d2 + d5, d3 + d6, d1, d7)>
// CHECK-DAG: #[[W:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d1, d5, d6, d7, d4)>
// CHECK-DAG: #[[Y:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d2, d3, d1, d4)>
// CHECK-DAG: #[[DX:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 + d4, d2 + d5, d3)>
// CHECK-DAG: #[[DW:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d4, d5, d3)>
// CHECK-DAG: #[[DY:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3)>
leaf.weight @w = dense<1.0> : tensor<6x2x3x3xf32>
leaf.weight @d = dense<1.0> : tensor<6x1x3x3xf32>
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<1x8x8x4xf32>) -> tensor<1x4x4x6xf32> {
  %w = leaf.load_weight @w : tensor<6x2x3x3xf32>
  %d = leaf.load_weight @d : tensor<6x1x3x3xf32>
  %none = "onnx.NoValue"() : () -> none
  // CHECK: %[[S:.*]] = tensor.expand_shape %{{.*}} {{\[\[}}0], [1], [2], [3, 4]] {{.*}} into tensor<1x8x8x2x2xf32>
  // CHECK: %[[G:.*]] = leaf.contract ins(%[[S]], %{{.*}} : tensor<1x8x8x2x2xf32>, tensor<2x3x3x2x3xf32>)
  // CHECK-SAME: indexing_maps = [#[[X]], #[[W]], #[[Y]]]
  // CHECK: %[[C:.*]] = tensor.collapse_shape %[[G]] {{.*}} into tensor<1x6x6x6xf32>
  %0 = "onnx.Conv"(%x, %w, %none) {group = 2 : i64, leaf.channels_last}
    : (tensor<1x8x8x4xf32>, tensor<6x2x3x3xf32>, none) -> tensor<1x6x6x6xf32>
  // CHECK: leaf.contract ins(%[[C]], %{{.*}} : tensor<1x6x6x6xf32>, tensor<3x3x6xf32>)
  // CHECK-SAME: indexing_maps = [#[[DX]], #[[DW]], #[[DY]]]
  %1 = "onnx.Conv"(%0, %d, %none) {group = 6 : i64, leaf.channels_last}
    : (tensor<1x6x6x6xf32>, tensor<6x1x3x3xf32>, none) -> tensor<1x4x4x6xf32>
  return %1 : tensor<1x4x4x6xf32>
}
