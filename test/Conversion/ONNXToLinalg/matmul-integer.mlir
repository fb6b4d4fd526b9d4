// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// Constant zero points go into the prologues; the sum is an i32.

// CHECK-LABEL: func.func @main
func.func @main(%a: tensor<4x3xui8>, %b: tensor<3x2xi8>) -> tensor<4x2xi32> {
  %az = onnx.Constant() {value = dense<128> : tensor<ui8>} : () -> tensor<ui8>
  %none = onnx.NoValue : none
  // CHECK: leaf.contract ins(%{{.*}}, %{{.*}} : tensor<4x3xi8>, tensor<3x2xi8>) outs(%{{.*}} : tensor<4x2xi32>)
  // CHECK: lhs {
  // CHECK: arith.extui %{{.*}} : i8 to i32
  // CHECK: arith.subi
  // CHECK: rhs {
  // CHECK: arith.extsi %{{.*}} : i8 to i32
  // CHECK: epilogue {
  %0 = onnx.MatMulInteger(%a, %b, %az, %none) : (tensor<4x3xui8>, tensor<3x2xi8>, tensor<ui8>, none) -> tensor<4x2xi32>
  return %0 : tensor<4x2xi32>
}
