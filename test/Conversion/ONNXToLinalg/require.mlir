// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// Two sizes that meet and are not known to be equal are compared when the model runs.

module attributes {leaf.bounds = {a = 9 : i64, b = 9 : i64}} {
  // CHECK-LABEL: func.func @main
  func.func @main(%x: tensor<?xf32> {leaf.dims = ["a"]}, %y: tensor<?xf32> {leaf.dims = ["b"]}) -> tensor<?xf32> {
    // CHECK: %[[EQ:.*]] = arith.cmpi eq
    // CHECK: plan.require %[[EQ]]
    // CHECK: linalg.generic
    %0 = "onnx.Add"(%x, %y) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
    return %0 : tensor<?xf32>
  }
}
