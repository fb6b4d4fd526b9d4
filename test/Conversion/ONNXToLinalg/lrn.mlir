// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// Squares are summed over a window of padded channels: one before, two after each for an even size of 4. The exponent
// 0.75 needs no logarithm.

// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3 + d4)>
// CHECK-DAG: #[[K:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d4)>
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<1x2x2x8xf32>) -> (tensor<1x2x2x8xf32>, tensor<1x2x2x8xf32>) {
  // CHECK: linalg.generic
  // CHECK: tensor.extract %{{.*}} : tensor<1x2x2x8xf32>
  // CHECK: -> tensor<1x2x2x11xf32>
  // CHECK: linalg.generic {indexing_maps = [#[[X]], #[[K]], #{{.*}}], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
  // CHECK-SAME: ins(%{{.*}}, %{{.*}} : tensor<1x2x2x11xf32>, tensor<4xf32>)
  // CHECK: arith.mulf
  // CHECK: arith.addf
  // CHECK: math.sqrt
  // CHECK: math.sqrt
  // CHECK: arith.divf
  %0 = "onnx.LRN"(%x) {size = 4 : i64, leaf.channels_last} : (tensor<1x2x2x8xf32>) -> tensor<1x2x2x8xf32>
  // CHECK: math.powf
  %1 = "onnx.LRN"(%x) {size = 3 : i64, beta = 0.5 : f32} : (tensor<1x2x2x8xf32>) -> tensor<1x2x2x8xf32>
  return %0, %1 : tensor<1x2x2x8xf32>, tensor<1x2x2x8xf32>
}
