// RUN: leaf-opt %s -split-input-file -leaf-stage-optimize | FileCheck %s

// A pool becomes channels last, with transposes around it.
// CHECK-LABEL: func.func @main
// CHECK: onnx.Transpose
// CHECK: onnx.MaxPool{{.*}}leaf.channels_last
// CHECK: onnx.Transpose
func.func @main(%x: tensor<1x3x4x4xf32> {leaf.name = "x"}) -> (tensor<1x3x2x2xf32> {leaf.name = "y"}) {
  %0, %1 = onnx.MaxPool(%x) {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>}
      : (tensor<1x3x4x4xf32>) -> (tensor<1x3x2x2xf32>, none)
  return %0 : tensor<1x3x2x2xf32>
}

// -----

// CHECK-LABEL: func.func @main
// CHECK-NEXT: return %{{.*}} : tensor<4xf32>
func.func @main(%x: tensor<4xf32> {leaf.name = "x"}) -> (tensor<4xf32> {leaf.name = "y"}) {
  return %x : tensor<4xf32>
}
