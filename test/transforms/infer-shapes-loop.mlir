// RUN: leaf-opt %s -leaf-infer-shapes | FileCheck %s

// A state keeps the shape that it starts with; what is collected has the trip count in front.
// CHECK-LABEL: func.func @main
// CHECK: onnx.Loop
// CHECK: ^bb0(%{{.*}}: tensor<i64>, %{{.*}}: tensor<i1>, %{{.*}}: tensor<2x3xf32>)
// CHECK: -> (tensor<2x3xf32>, tensor<5x2x3xf32>)
func.func @main(%x: tensor<2x3xf32> {leaf.name = "x"}) -> (tensor<2x3xf32> {leaf.name = "y"}, tensor<5x2x3xf32> {leaf.name = "z"}) {
  %n = onnx.NoValue : none
  %m = onnx.Constant() {value = dense<5> : tensor<i64>} : () -> tensor<i64>
  %0:2 = "onnx.Loop"(%m, %n, %x) ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %s: tensor<*xf32>):
    %1 = onnx.Relu(%s) : (tensor<*xf32>) -> tensor<*xf32>
    onnx.Yield %c, %1, %1 : tensor<i1>, tensor<*xf32>, tensor<*xf32>
  }) : (tensor<i64>, none, tensor<2x3xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  %a = onnx.Identity(%0#0) : (tensor<*xf32>) -> tensor<2x3xf32>
  %b = onnx.Identity(%0#1) : (tensor<*xf32>) -> tensor<5x2x3xf32>
  return %a, %b : tensor<2x3xf32>, tensor<5x2x3xf32>
}
