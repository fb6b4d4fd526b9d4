// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// Padding is a generic of its own; the weight is stored as [kh][kw][ci][co].

// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1 * 2 + d4, d2 * 2 + d5, d6)>
// CHECK-DAG: #[[W:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d4, d5, d6, d3)>
// CHECK-DAG: #[[B:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d3)>
// CHECK-DAG: #[[Y:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, d2, d3)>
leaf.weight @w = dense<1.0> : tensor<4x3x3x3xf32>
leaf.weight @b = dense<1.0> : tensor<4xf32>
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<1x8x8x3xf32>) -> tensor<1x4x4x4xf32> {
  %w = leaf.load_weight @w : tensor<4x3x3x3xf32>
  %b = leaf.load_weight @b : tensor<4xf32>
  // CHECK: %[[PAD:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<1x9x9x3xf32>)
  // CHECK: %[[IN:.*]] = arith.cmpi ult
  // CHECK: %[[V:.*]] = tensor.extract %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}] : tensor<1x8x8x3xf32>
  // CHECK: arith.select %{{.*}}, %[[V]], %{{.*}} : f32
  // CHECK: leaf.contract ins(%[[PAD]], %{{.*}} : tensor<1x9x9x3xf32>, tensor<3x3x3x4xf32>) extras(%{{.*}} : tensor<4xf32>)
  // CHECK-SAME: outs(%{{.*}} : tensor<1x4x4x4xf32>)
  // CHECK-SAME: indexing_maps = [#[[X]], #[[W]], #[[B]], #[[Y]]]
  // CHECK-SAME: iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]
  %0 = "onnx.Conv"(%x, %w, %b) {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 1, 1>, leaf.channels_last}
    : (tensor<1x8x8x3xf32>, tensor<4x3x3x3xf32>, tensor<4xf32>) -> tensor<1x4x4x4xf32>
  return %0 : tensor<1x4x4x4xf32>
}
