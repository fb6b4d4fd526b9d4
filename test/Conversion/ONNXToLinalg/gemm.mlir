// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// A transposed weight is re-laid out to [k][n] now, and only that form is left.

// CHECK-NOT: leaf.weight @w =
// CHECK-DAG: #[[MK:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[KN:.*]] = affine_map<(d0, d1, d2) -> (d2, d1)>
// CHECK-DAG: #[[N:.*]] = affine_map<(d0, d1, d2) -> (d1)>
// CHECK-DAG: #[[MN:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
leaf.weight @w = dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
leaf.weight @b = dense<[7.0, 8.0]> : tensor<2xf32>
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<4x3xf32>) -> tensor<4x2xf32> {
  // CHECK: %[[W:.*]] = leaf.load_weight @[[NAME:.*]] : tensor<3x2xf32>
  %w = leaf.load_weight @w : tensor<2x3xf32>
  // CHECK: %[[B:.*]] = leaf.load_weight @b
  %b = leaf.load_weight @b : tensor<2xf32>
  // CHECK: leaf.contract ins(%{{.*}}, %[[W]] : tensor<4x3xf32>, tensor<3x2xf32>) extras(%[[B]] : tensor<2xf32>)
  // CHECK-SAME: indexing_maps = [#[[MK]], #[[KN]], #[[N]], #[[MN]]]
  // CHECK: epilogue
  // CHECK: arith.mulf
  // CHECK: arith.addf
  %0 = "onnx.Gemm"(%x, %w, %b) {alpha = 0.5 : f32, beta = 1.0 : f32, transB = 1 : i64}
    : (tensor<4x3xf32>, tensor<2x3xf32>, tensor<2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}
// CHECK: leaf.weight @[[NAME]] = dense_resource
// CHECK: 0x40000000{{0000803F000080400000004000}}
