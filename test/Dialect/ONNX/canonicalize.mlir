// RUN: leaf-opt %s -canonicalize -cse | FileCheck %s

// Pure ops without uses go, equal constants are merged, random ops stay.
// CHECK-LABEL: func.func @effects
// CHECK-NEXT: onnx.Constant() {value = dense<1.000000e+00> : tensor<2xf32>}
// CHECK-NEXT: onnx.RandomNormal() {shape = array<i64: 2>} : () -> tensor<2xf32>
// CHECK-NEXT: onnx.Add
// CHECK-NEXT: return
func.func @effects() -> tensor<2xf32> {
  %a = onnx.Constant() {value = dense<1.0> : tensor<2xf32>} : () -> tensor<2xf32>
  %b = onnx.Constant() {value = dense<1.0> : tensor<2xf32>} : () -> tensor<2xf32>
  %unused = onnx.Relu(%a) : (tensor<2xf32>) -> tensor<2xf32>
  %random = onnx.RandomNormal() {shape = array<i64: 2>} : () -> tensor<2xf32>
  %0 = onnx.Add(%a, %b) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
