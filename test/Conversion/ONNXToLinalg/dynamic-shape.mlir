// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// One index argument per dynamic dimension name; shape arithmetic is scalars, sizes known equal need no check.

// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:.*]]: tensor<1x?x8xf32> {{.*}}, %[[N:.*]]: index {leaf.dim = "seq"})
module attributes {leaf.bounds = {seq = 63 : i64}} {
  func.func @main(%x: tensor<1x?x8xf32> {leaf.name = "x", leaf.dims = ["", "seq", ""]}) -> tensor<?x?x2x4xf32> {
    // CHECK: %[[B:.*]] = leaf.bound %[[N]], 63
    // CHECK-NOT: plan.require
    // CHECK-NOT: tensor.dim
    // CHECK: tensor.expand_shape %[[X]] {{.*}} output_shape [1, %[[B]], 2, 4] : tensor<1x?x8xf32> into tensor<1x?x2x4xf32>
    %s = "onnx.Shape"(%x) : (tensor<1x?x8xf32>) -> tensor<3xi64>
    %one = "onnx.Constant"() {value = dense<1> : tensor<i64>} : () -> tensor<i64>
    %zero = "onnx.Constant"() {value = dense<0> : tensor<1xi64>} : () -> tensor<1xi64>
    %first = "onnx.Constant"() {value = dense<1> : tensor<1xi64>} : () -> tensor<1xi64>
    %tail = "onnx.Constant"() {value = dense<[2, -1]> : tensor<2xi64>} : () -> tensor<2xi64>
    %n = "onnx.Gather"(%s, %one) {axis = 0 : i64} : (tensor<3xi64>, tensor<i64>) -> tensor<i64>
    %n1 = "onnx.Unsqueeze"(%n, %zero) : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
    %shape = "onnx.Concat"(%first, %n1, %tail) {axis = 0 : i64}
      : (tensor<1xi64>, tensor<1xi64>, tensor<2xi64>) -> tensor<4xi64>
    %r = "onnx.Reshape"(%x, %shape) {allowzero = 0 : i64} : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
    // CHECK: linalg.generic
    %y = "onnx.Relu"(%r) : (tensor<?x?x2x4xf32>) -> tensor<?x?x2x4xf32>
    return %y : tensor<?x?x2x4xf32>
  }
}
