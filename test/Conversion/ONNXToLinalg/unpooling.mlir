// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg -split-input-file | FileCheck %s

// Values and positions of maxima in one loop; taps in the padding are left out.
// CHECK-LABEL: func.func @main
// CHECK: leaf.forall
// CHECK-SAME: outs(%{{.*}}, %{{.*}} : tensor<1x2x3x3xf32>, tensor<1x2x3x3xi64>)
// CHECK: scf.if
// CHECK: arith.cmpf ogt
// CHECK: scf.if
func.func @main(%x: tensor<1x2x5x5xf32>) -> (tensor<1x2x3x3xf32>, tensor<1x2x3x3xi64>) {
  %0:2 = "onnx.MaxPool"(%x) {kernel_shape = array<i64: 3, 3>, strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>} : (tensor<1x2x5x5xf32>) -> (tensor<1x2x3x3xf32>, tensor<1x2x3x3xi64>)
  return %0#0, %0#1 : tensor<1x2x3x3xf32>, tensor<1x2x3x3xi64>
}

// -----

// Positions may repeat and lie anywhere, so they are written one after another; those outside are dropped.
// CHECK-LABEL: func.func @main
// CHECK: leaf.forall
// CHECK-NOT: extents
// CHECK: arith.remui
// CHECK: scf.if
func.func @main(%x: tensor<1x1x2x2xf32>, %i: tensor<1x1x2x2xi64>) -> tensor<1x1x4x4xf32> {
  %none = onnx.NoValue : none
  %0 = "onnx.MaxUnpool"(%x, %i, %none) {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x1x2x2xf32>, tensor<1x1x2x2xi64>, none) -> tensor<1x1x4x4xf32>
  return %0 : tensor<1x1x4x4xf32>
}

// -----

// An element of the image gathers from the windows over it.
// CHECK-LABEL: func.func @main
// CHECK: leaf.forall ins(%{{.*}} : tensor<1x1x1x5x5x1xf32>) outs(%{{.*}} : tensor<1x1x5x5xf32>)
// CHECK: arith.divui
// CHECK: scf.if
func.func @main(%x: tensor<1x5x5xf32>) -> tensor<1x1x5x5xf32> {
  %image = onnx.Constant() {value = dense<5> : tensor<2xi64>} : () -> tensor<2xi64>
  %block = onnx.Constant() {value = dense<[1, 5]> : tensor<2xi64>} : () -> tensor<2xi64>
  %0 = "onnx.Col2Im"(%x, %image, %block) : (tensor<1x5x5xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<1x1x5x5xf32>
  return %0 : tensor<1x1x5x5xf32>
}
