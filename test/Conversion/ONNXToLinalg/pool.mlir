// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// Windows are maps over padded data with a shape-only operand; an average without the padding counts its taps.

// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 * 2 + d4, d2 * 2 + d5, d3)>
// CHECK-DAG: #[[K:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d4, d5)>
// CHECK-DAG: #[[Y:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3)>
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<1x8x8x4xf32>) -> (tensor<1x4x4x4xf32>, tensor<1x4x4x4xf32>) {
  // CHECK: linalg.fill ins(%{{.*}} : f32)
  // CHECK: linalg.generic {indexing_maps = [#[[X]], #[[K]], #[[Y]]], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
  // CHECK-SAME: ins(%{{.*}}, %{{.*}} : tensor<1x8x8x4xf32>, tensor<2x2xf32>)
  // CHECK: arith.maximumf
  %0, %i = "onnx.MaxPool"(%x) {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>, leaf.channels_last}
    : (tensor<1x8x8x4xf32>) -> (tensor<1x4x4x4xf32>, none)
  // CHECK: tensor.extract
  // CHECK: linalg.generic {indexing_maps = [#[[X]], #[[K]], #[[Y]]]
  // CHECK: arith.addf
  // CHECK: linalg.generic
  // CHECK: linalg.index 1
  // CHECK: arith.divf
  %1 = "onnx.AveragePool"(%x) {kernel_shape = array<i64: 3, 3>, strides = array<i64: 2, 2>,
    pads = array<i64: 1, 1, 1, 1>, leaf.channels_last} : (tensor<1x8x8x4xf32>) -> tensor<1x4x4x4xf32>
  return %0, %1 : tensor<1x4x4x4xf32>, tensor<1x4x4x4xf32>
}
