// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// One contraction makes the columns of all windows, then each output element gathers those that reach it.
// CHECK-LABEL: func.func @main
// CHECK: %[[COLS:.*]] = leaf.contract ins(%{{.*}}, %{{.*}} : tensor<1x5x1x3xf32>, tensor<1x3x8xf32>) outs(%{{.*}} : tensor<1x1x5x8xf32>)
// CHECK: linalg.generic
// CHECK-COUNT-2: tensor.extract %[[COLS]]
// CHECK-NOT: tensor.extract %[[COLS]]
leaf.weight @w = dense<1.0> : tensor<3x2x4xf32>
func.func @main(%x: tensor<1x5x3xf32>) -> tensor<1x12x2xf32> {
  %w = leaf.load_weight @w : tensor<3x2x4xf32>
  %n = onnx.NoValue : none
  %0 = "onnx.ConvTranspose"(%x, %w, %n) {strides = array<i64: 2>, leaf.channels_last} : (tensor<1x5x3xf32>, tensor<3x2x4xf32>, none) -> tensor<1x12x2xf32>
  return %0 : tensor<1x12x2xf32>
}
