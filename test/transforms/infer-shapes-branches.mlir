// RUN: leaf-opt %s -split-input-file -leaf-infer-shapes | FileCheck %s

// A branch that is taken for sure stands in the graph itself.
// CHECK-LABEL: func.func @main
// CHECK-NOT: onnx.If
// CHECK: %[[R:.*]] = onnx.Relu
// CHECK: return %[[R]]
func.func @main(%x: tensor<4xf32> {leaf.name = "x"}) -> (tensor<4xf32> {leaf.name = "y"}) {
  %yes = onnx.Constant() {value = dense<true> : tensor<i1>} : () -> tensor<i1>
  %0 = "onnx.If"(%yes) ({
    %1 = onnx.Neg(%x) : (tensor<4xf32>) -> tensor<*xf32>
    onnx.Yield %1 : tensor<*xf32>
  }, {
    %1 = onnx.Relu(%x) : (tensor<4xf32>) -> tensor<*xf32>
    onnx.Yield %1 : tensor<*xf32>
  }) : (tensor<i1>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// A branch whose shapes do not fit is an error of the run only; what it yields has the other branch's type.
// CHECK-LABEL: func.func @main
// CHECK: onnx.If
// CHECK-NEXT: onnx.Constant() {value = dense<0.000000e+00> : tensor<4xf32>}
// CHECK-NEXT: onnx.Yield
// CHECK: onnx.Relu
// CHECK: leaf.invalid_else = "'onnx.Squeeze' op shapes do not fit
func.func @main(%x: tensor<4xf32> {leaf.name = "x"}, %c: tensor<i1> {leaf.name = "c"}) -> (tensor<4xf32> {leaf.name = "y"}) {
  %axis = onnx.Constant() {value = dense<0> : tensor<1xi64>} : () -> tensor<1xi64>
  %0 = "onnx.If"(%c) ({
    %1 = onnx.Squeeze(%x, %axis) : (tensor<4xf32>, tensor<1xi64>) -> tensor<*xf32>
    onnx.Yield %1 : tensor<*xf32>
  }, {
    %1 = onnx.Relu(%x) : (tensor<4xf32>) -> tensor<*xf32>
    onnx.Yield %1 : tensor<*xf32>
  }) : (tensor<i1>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
