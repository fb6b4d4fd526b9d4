// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// Rounds half to even and saturates in float; the signedness of the ONNX type decides the range.

// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<4x8xf32>, %s: tensor<8xf32>) -> (tensor<4x8xui8>, tensor<4x8xf32>) {
  %scale = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %zero = onnx.Constant() {value = dense<128> : tensor<ui8>} : () -> tensor<ui8>
  %none = onnx.NoValue : none
  // CHECK: arith.divf
  // CHECK: math.roundeven
  // CHECK: arith.maximumf
  // CHECK: arith.minimumf
  // CHECK: arith.fptosi %{{.*}} : f32 to i32
  // CHECK: arith.trunci %{{.*}} : i32 to i8
  %0 = onnx.QuantizeLinear(%x, %scale, %zero) : (tensor<4x8xf32>, tensor<f32>, tensor<ui8>) -> tensor<4x8xui8>
  // CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[S:.*]], #{{.*}}], {{.*}} ins(%{{.*}}, %{{.*}} : tensor<4x8xi8>, tensor<8xf32>)
  // CHECK: arith.extui %{{.*}} : i8 to i32
  // CHECK: arith.mulf
  %1 = onnx.DequantizeLinear(%0, %s, %none) {axis = 1 : i64} : (tensor<4x8xui8>, tensor<8xf32>, none) -> tensor<4x8xf32>
  return %0, %1 : tensor<4x8xui8>, tensor<4x8xf32>
}
