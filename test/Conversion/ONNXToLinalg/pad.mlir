// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<4x8xf32>) -> (tensor<6x8xf32>, tensor<7x8xf32>, tensor<6x8xf32>) {
  %p = onnx.Constant() {value = dense<[1, 0, 1, 0]> : tensor<4xi64>} : () -> tensor<4xi64>
  %q = onnx.Constant() {value = dense<[2, 1]> : tensor<2xi64>} : () -> tensor<2xi64>
  %axes = onnx.Constant() {value = dense<0> : tensor<1xi64>} : () -> tensor<1xi64>
  %v = onnx.Constant() {value = dense<3.0> : tensor<f32>} : () -> tensor<f32>
  %none = onnx.NoValue : none
  // CHECK: %[[IN:.*]] = arith.cmpi ult
  // CHECK: %[[V:.*]] = arith.constant 3.000000e+00 : f32
  // CHECK: %[[X:.*]] = tensor.extract
  // CHECK: arith.select %[[IN]], %[[X]], %[[V]] : f32
  %0 = onnx.Pad(%x, %p, %v, %none) : (tensor<4x8xf32>, tensor<4xi64>, tensor<f32>, none) -> tensor<6x8xf32>
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<7x8xf32>)
  // CHECK-NOT: arith.select
  // CHECK: arith.minsi
  // CHECK: arith.maxsi
  // CHECK: tensor.extract
  %1 = onnx.Pad(%x, %q, %none, %axes) {mode = "edge"} : (tensor<4x8xf32>, tensor<2xi64>, none, tensor<1xi64>) -> tensor<7x8xf32>
  // CHECK: arith.remsi
  %2 = onnx.Pad(%x, %p, %none, %none) {mode = "wrap"} : (tensor<4x8xf32>, tensor<4xi64>, none, none) -> tensor<6x8xf32>
  return %0, %1, %2 : tensor<6x8xf32>, tensor<7x8xf32>, tensor<6x8xf32>
}
