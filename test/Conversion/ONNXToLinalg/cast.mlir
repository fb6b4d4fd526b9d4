// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<4xf32>, %u: tensor<4xui8>) -> (tensor<4xi64>, tensor<4xi1>, tensor<4xf32>, tensor<4xi8>) {
  // CHECK: arith.fptosi %{{.*}} : f32 to i64
  %0 = "onnx.Cast"(%x) {to = 7 : i64} : (tensor<4xf32>) -> tensor<4xi64>
  // CHECK: arith.cmpf une
  %1 = "onnx.Cast"(%x) {to = 9 : i64} : (tensor<4xf32>) -> tensor<4xi1>
  // CHECK: arith.uitofp %{{.*}} : i8 to f32
  %2 = "onnx.Cast"(%u) {to = 1 : i64} : (tensor<4xui8>) -> tensor<4xf32>
  // CHECK: %[[I:.*]] = arith.fptosi %{{.*}} : f32 to i32
  // CHECK: arith.trunci %[[I]] : i32 to i8
  %3 = "onnx.Cast"(%x) {to = 3 : i64} : (tensor<4xf32>) -> tensor<4xi8>
  return %0, %1, %2, %3 : tensor<4xi64>, tensor<4xi1>, tensor<4xf32>, tensor<4xi8>
}
