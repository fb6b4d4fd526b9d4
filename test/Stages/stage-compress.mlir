// RUN: leaf-opt %s -split-input-file -leaf-stage-compress | FileCheck %s

// Without options nothing changes.
// CHECK-LABEL: func.func @main
// CHECK-NEXT: %[[R:.*]] = onnx.Relu
// CHECK-NEXT: return %[[R]]
func.func @main(%x: tensor<1x4xf32> {leaf.name = "x"}) -> (tensor<1x4xf32> {leaf.name = "y"}) {
  %0 = onnx.Relu(%x) : (tensor<1x4xf32>) -> tensor<1x4xf32>
  return %0 : tensor<1x4xf32>
}

// -----

// CHECK-LABEL: func.func @main
// CHECK-NEXT: return %{{.*}} : tensor<4xf32>
func.func @main(%x: tensor<4xf32> {leaf.name = "x"}) -> (tensor<4xf32> {leaf.name = "y"}) {
  return %x : tensor<4xf32>
}
