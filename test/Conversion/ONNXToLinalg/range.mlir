// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// A causal mask over past + 1 positions: the sizes that meet are the same sum, so nothing is checked at run time.

module attributes {leaf.bounds = {past = 63 : i64}} {
  // CHECK-LABEL: func.func @main
  func.func @main(%k: tensor<1x4x?x16xf32> {leaf.dims = ["", "", "past", ""]}, %n: tensor<1x4x1x16xf32>) -> tensor<1x4x?x16xf32> {
    %axis = onnx.Constant() {value = dense<2> : tensor<i64>} : () -> tensor<i64>
    %zero = onnx.Constant() {value = dense<0> : tensor<i64>} : () -> tensor<i64>
    %one = onnx.Constant() {value = dense<1> : tensor<i64>} : () -> tensor<i64>
    %last = onnx.Constant() {value = dense<1> : tensor<1xi64>} : () -> tensor<1xi64>
    // CHECK: %[[PAST:.*]] = leaf.bound
    // CHECK-NOT: plan.require
    // CHECK: %[[TOTAL:.*]] = arith.addi %[[PAST]], %{{.*}} : index
    %s = onnx.Shape(%k) : (tensor<1x4x?x16xf32>) -> tensor<4xi64>
    %past = onnx.Gather(%s, %axis) {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
    %total = onnx.Add(%past, %one) : (tensor<i64>, tensor<i64>) -> tensor<i64>
    // CHECK: tensor.empty(%[[TOTAL]]) : tensor<?xi64>
    // CHECK: linalg.index 0
    %r = onnx.Range(%zero, %total, %one) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
    %f = onnx.Cast(%r) {to = 1 : i64} : (tensor<?xi64>) -> tensor<?xf32>
    %u = onnx.Unsqueeze(%f, %last) : (tensor<?xf32>, tensor<1xi64>) -> tensor<?x1xf32>
    // CHECK: leaf.concat {{.*}} outs(%{{.*}} : tensor<1x4x?x16xf32>) dim 2
    %c = onnx.Concat(%k, %n) {axis = 2 : i64} : (tensor<1x4x?x16xf32>, tensor<1x4x1x16xf32>) -> tensor<1x4x?x16xf32>
    // CHECK: arith.addf
    %y = onnx.Add(%c, %u) : (tensor<1x4x?x16xf32>, tensor<?x1xf32>) -> tensor<1x4x?x16xf32>
    return %y : tensor<1x4x?x16xf32>
  }
}
