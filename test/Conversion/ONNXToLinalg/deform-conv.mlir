// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// Interpolated taps are gathered into columns; each group is a product with its part of the weights, packed here.
// CHECK-LABEL: func.func @main
// CHECK: leaf.forall
// CHECK-SAME: outs(%{{.*}} : tensor<2x1x3x3x3x2x2xf32>)
// CHECK: math.floor
// CHECK: leaf.contract
// CHECK-SAME: tensor<2x9x12xf32>, tensor<2x12x4xf32>
func.func @main(%x: tensor<1x6x4x4xf32>, %o: tensor<1x8x3x3xf32>) -> tensor<1x8x3x3xf32> {
  %none = onnx.NoValue : none
  %weight = onnx.Constant() {value = dense<2.0> : tensor<8x3x2x2xf32>} : () -> tensor<8x3x2x2xf32>
  %0 = "onnx.DeformConv"(%x, %weight, %o, %none, %none) {group = 2 : i64} : (tensor<1x6x4x4xf32>, tensor<8x3x2x2xf32>, tensor<1x8x3x3xf32>, none, none) -> tensor<1x8x3x3xf32>
  return %0 : tensor<1x8x3x3xf32>
}
