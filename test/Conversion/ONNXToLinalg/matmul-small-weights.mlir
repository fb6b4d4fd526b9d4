// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// Cast and DequantizeLinear of a weight go into the rhs prologue: the stored weight keeps its dtype.

leaf.weight @half = dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf16>
leaf.weight @byte = dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>
leaf.weight @scale = dense<[0.5, 0.25]> : tensor<2xf32>
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %half = leaf.load_weight @half : tensor<2x2xf16>
  %byte = leaf.load_weight @byte : tensor<2x2xi8>
  %scale = leaf.load_weight @scale : tensor<2xf32>
  %none = "onnx.NoValue"() : () -> none
  %0 = "onnx.Cast"(%half) {to = 1 : i64} : (tensor<2x2xf16>) -> tensor<2x2xf32>
  // CHECK: leaf.contract ins(%{{.*}}, %{{.*}} : tensor<4x2xf32>, tensor<2x2xf16>)
  // CHECK: rhs {
  // CHECK: arith.extf %{{.*}} : f16 to f32
  // CHECK: epilogue
  %1 = "onnx.MatMul"(%x, %0) : (tensor<4x2xf32>, tensor<2x2xf32>) -> tensor<4x2xf32>
  %2 = "onnx.DequantizeLinear"(%byte, %scale, %none) {axis = 1 : i64}
    : (tensor<2x2xi8>, tensor<2xf32>, none) -> tensor<2x2xf32>
  // CHECK: leaf.contract ins(%{{.*}}, %{{.*}} : tensor<4x2xf32>, tensor<2x2xi8>) extras(%{{.*}} : tensor<2xf32>)
  // CHECK-SAME: num_rhs_extras = 1
  // CHECK: rhs {
  // CHECK: ^bb0(%[[W:.*]]: i8, %[[S:.*]]: f32):
  // CHECK: %[[F:.*]] = arith.sitofp %[[W]] : i8 to f32
  // CHECK: arith.mulf %[[F]], %[[S]] : f32
  // CHECK: epilogue
  %3 = "onnx.MatMul"(%1, %2) : (tensor<4x2xf32>, tensor<2x2xf32>) -> tensor<4x2xf32>
  return %3 : tensor<4x2xf32>
}
