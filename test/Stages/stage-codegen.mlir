// RUN: leaf-opt %s -split-input-file -leaf-stage-form=target=x86-64-v3 -leaf-stage-plan -leaf-stage-codegen=target=x86-64-v3 | FileCheck %s

// Vectors are of native width, kernels take bare pointers and a range of tiles.
// CHECK-LABEL: func.func @main
// CHECK: plan.launch @[[K:[a-z_0-9]+]]
// CHECK: func.func private @[[K]](%{{.*}}: memref<?xf32>{{.*}}, %{{.*}}: memref<?xi8>
// CHECK-SAME: %{{.*}}: index, %{{.*}}: index) attributes {{{.*}}leaf.kernel
// CHECK: vector.load {{.*}} vector<8xf32>
module attributes {leaf.model = "m"} {
  func.func @main(%x: tensor<1x64xf32> {leaf.name = "x"}) -> (tensor<1x64xf32> {leaf.name = "y"}) {
    %0 = onnx.Relu(%x) : (tensor<1x64xf32>) -> tensor<1x64xf32>
    return %0 : tensor<1x64xf32>
  }
}

// -----

// CHECK-LABEL: func.func @main
// CHECK: plan.launch
module attributes {leaf.model = "m"} {
  func.func @main(%x: tensor<4xf32> {leaf.name = "x"}) -> (tensor<4xf32> {leaf.name = "y"}) {
    return %x : tensor<4xf32>
  }
}
