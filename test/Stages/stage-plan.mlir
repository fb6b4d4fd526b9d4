// RUN: leaf-opt %s -split-input-file -leaf-stage-form -leaf-stage-plan | FileCheck %s

// Values between kernels are in the arena; the last kernel writes the output.
// CHECK: module attributes {{.*}}plan.arena_bytes = 128
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:.*]]: memref<4x4xf32> {{.*}}, %[[Y:.*]]: memref<4x4xf32> {{.*}}plan.output
// CHECK: %[[A:.*]] = plan.slot 0
// CHECK: plan.call @{{.*}}(%[[X]]{{.*}}outs(%[[A]]
// CHECK: %[[S:.*]] = plan.slot 64
// CHECK: plan.call @{{.*}}(%[[A]]{{.*}}outs(%[[S]]
// CHECK: plan.call @{{.*}}outs(%[[Y]]
module attributes {leaf.model = "m"} {
  func.func @main(%x: tensor<4x4xf32> {leaf.name = "x"}) -> (tensor<4x4xf32> {leaf.name = "y"}) {
    %0 = onnx.Softmax(%x) {axis = 1 : i64} : (tensor<4x4xf32>) -> tensor<4x4xf32>
    %1 = onnx.Softmax(%0) {axis = 0 : i64} : (tensor<4x4xf32>) -> tensor<4x4xf32>
    return %1 : tensor<4x4xf32>
  }
}

// -----

// An output that is an input is copied by a kernel.
// CHECK: module attributes {{.*}}plan.arena_bytes = 0
// CHECK-LABEL: func.func @main
// CHECK: plan.call @{{.*}}(%{{.*}} : memref<4xf32>) outs(%{{.*}} : memref<4xf32>)
module attributes {leaf.model = "m"} {
  func.func @main(%x: tensor<4xf32> {leaf.name = "x"}) -> (tensor<4xf32> {leaf.name = "y"}) {
    return %x : tensor<4xf32>
  }
}
