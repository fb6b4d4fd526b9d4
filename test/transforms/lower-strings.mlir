// RUN: leaf-opt %s -leaf-lower-strings -split-input-file -verify-diagnostics | FileCheck %s

// Elements are moved by their places; what reads bytes gets both, and a result is both.
// CHECK-LABEL: func.func @main
// CHECK-SAME: -> (tensor<1x3xi1> {leaf.name = "m"}, tensor<1x3xi64> {leaf.element_type = "string", leaf.name = "y"}, tensor<24xui8> {leaf.name = "y.bytes"})
// CHECK: %[[Y:.*]] = onnx.Reshape(%arg0, %{{.*}}) : (tensor<3xi64>, tensor<2xi64>) -> tensor<1x3xi64>
// CHECK: %[[M:.*]] = onnx.StringNode "RegexFullMatch"(%[[Y]], %arg1) {pattern = "a+"}
// CHECK-NOT: onnx.Strings
// CHECK: return %[[M]], %[[Y]], %arg1
func.func @main(%spans: tensor<3xi64>, %pool: tensor<24xui8>)
    -> (tensor<1x3xi1> {leaf.name = "m"}, tensor<1x3x!onnx.String> {leaf.name = "y"}) {
  %x = onnx.Strings %spans, %pool : (tensor<3xi64>, tensor<24xui8>) -> tensor<3x!onnx.String>
  %shape = onnx.Constant() {value = dense<[1, 3]> : tensor<2xi64>} : () -> tensor<2xi64>
  %y = onnx.Reshape(%x, %shape) : (tensor<3x!onnx.String>, tensor<2xi64>) -> tensor<1x3x!onnx.String>
  %m = onnx.RegexFullMatch(%y) {pattern = "a+"} : (tensor<1x3x!onnx.String>) -> tensor<1x3xi1>
  return %m, %y : tensor<1x3xi1>, tensor<1x3x!onnx.String>
}

// -----

// Where elements of two tensors come together, the second pool follows the first, and its places are shifted.
// CHECK-LABEL: func.func @main
// CHECK: %[[SHIFT:.*]] = onnx.Constant() {value = dense<34359738368> : tensor<i64>}
// CHECK: %[[POOL:.*]] = onnx.Concat(%arg1, %arg3) {axis = 0 : i64} : (tensor<8xui8>, tensor<5xui8>) -> tensor<13xui8>
// CHECK: %[[B:.*]] = onnx.Add(%arg2, %[[SHIFT]])
// CHECK: %[[ALL:.*]] = onnx.Concat(%arg0, %[[B]]) {axis = 0 : i64} : (tensor<3xi64>, tensor<2xi64>) -> tensor<5xi64>
// CHECK: return %[[ALL]], %[[POOL]]
func.func @main(%s: tensor<3xi64>, %p: tensor<8xui8>, %t: tensor<2xi64>, %q: tensor<5xui8>) -> (tensor<5x!onnx.String> {leaf.name = "y"}) {
  %a = onnx.Strings %s, %p : (tensor<3xi64>, tensor<8xui8>) -> tensor<3x!onnx.String>
  %b = onnx.Strings %t, %q : (tensor<2xi64>, tensor<5xui8>) -> tensor<2x!onnx.String>
  %y = onnx.Concat(%a, %b) {axis = 0 : i64} : (tensor<3x!onnx.String>, tensor<2x!onnx.String>) -> tensor<5x!onnx.String>
  return %y : tensor<5x!onnx.String>
}

// -----

// A concatenation has room for what both operands hold, as often as their elements are repeated.
// CHECK-LABEL: func.func @main
// CHECK: onnx.StringNode "StringConcat"(%arg0, %arg1, %arg2, %arg3) : (tensor<3xi64>, tensor<8xui8>, tensor<1xi64>, tensor<5xui8>) -> (tensor<3xi64>, tensor<23xui8>)
func.func @main(%s: tensor<3xi64>, %p: tensor<8xui8>, %t: tensor<1xi64>, %q: tensor<5xui8>) -> (tensor<3x!onnx.String> {leaf.name = "y"}) {
  %a = onnx.Strings %s, %p : (tensor<3xi64>, tensor<8xui8>) -> tensor<3x!onnx.String>
  %b = onnx.Strings %t, %q : (tensor<1xi64>, tensor<5xui8>) -> tensor<1x!onnx.String>
  %y = onnx.StringConcat(%a, %b) : (tensor<3x!onnx.String>, tensor<1x!onnx.String>) -> tensor<3x!onnx.String>
  return %y : tensor<3x!onnx.String>
}

// -----

func.func @main(%s: tensor<3xi64>, %p: tensor<8xui8>) -> (tensor<3xf32> {leaf.name = "y"}) {
  %a = onnx.Strings %s, %p : (tensor<3xi64>, tensor<8xui8>) -> tensor<3x!onnx.String>
  // expected-error @+1 {{on strings is not supported}}
  %y = onnx.Cast(%a) {to = 1 : i64} : (tensor<3x!onnx.String>) -> tensor<3xf32>
  return %y : tensor<3xf32>
}
