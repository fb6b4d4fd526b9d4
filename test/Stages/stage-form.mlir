// RUN: leaf-opt %s -split-input-file -leaf-stage-form | FileCheck %s

// Two equal operators share one kernel.
// CHECK-LABEL: func.func @main
// CHECK: plan.call @[[K:[a-z_0-9]+]](%{{.*}} : tensor<1x4xf32>)
// CHECK: plan.call @[[K]](%{{.*}} : tensor<1x4xf32>)
module attributes {leaf.model = "m"} {
  func.func @main(%x: tensor<1x4xf32> {leaf.name = "x"}, %y: tensor<1x4xf32> {leaf.name = "y"})
      -> (tensor<1x4xf32> {leaf.name = "a"}, tensor<1x4xf32> {leaf.name = "b"}) {
    %0 = onnx.Relu(%x) : (tensor<1x4xf32>) -> tensor<1x4xf32>
    %1 = onnx.Relu(%y) : (tensor<1x4xf32>) -> tensor<1x4xf32>
    return %0, %1 : tensor<1x4xf32>, tensor<1x4xf32>
  }
}

// -----

// An empty graph has no kernel.
// CHECK-LABEL: func.func @main
// CHECK-NEXT: return %{{.*}} : tensor<4xf32>
// CHECK-NOT: plan.kernel
module attributes {leaf.model = "m"} {
  func.func @main(%x: tensor<4xf32> {leaf.name = "x"}) -> (tensor<4xf32> {leaf.name = "y"}) {
    return %x : tensor<4xf32>
  }
}
