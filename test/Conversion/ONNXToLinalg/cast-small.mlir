// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// Floats of 8 and 4 bits are their bits in an i8; integers of 4 and 2 bits are numbers in an i8.

// CHECK-LABEL: func.func @main
// CHECK-SAME: %{{.*}}: tensor<4xi8> {leaf.element_type = "float8e4m3fn"}, %{{.*}}: tensor<4xi8> {leaf.element_type = "int4"}
// CHECK-SAME: -> (tensor<4xf32>, tensor<4xi8> {leaf.element_type = "float8e5m2"}, tensor<4xi8> {leaf.element_type = "uint4"}, tensor<4xf16>)
func.func @main(%f: tensor<4xf8E4M3FN>, %i: tensor<4xi4>, %x: tensor<4xf32>, %d: tensor<4xf64>)
    -> (tensor<4xf32>, tensor<4xf8E5M2>, tensor<4xui4>, tensor<4xf16>) {
  // The exponent is put together as that of an f32; 0x7f is NaN.
  // CHECK: arith.uitofp %{{.*}} : i32 to f32
  // CHECK: arith.mulf
  // CHECK: arith.bitcast %{{.*}} : i32 to f32
  // CHECK-NEXT: linalg.yield
  %0 = "onnx.Cast"(%f) {to = 1 : i64} : (tensor<4xf8E4M3FN>) -> tensor<4xf32>
  // CHECK: arith.bitcast %{{.*}} : f32 to i32
  // CHECK: arith.trunci %{{.*}} : i32 to i8
  // CHECK-NEXT: linalg.yield
  %1 = "onnx.Cast"(%x) {to = 19 : i64} : (tensor<4xf32>) -> tensor<4xf8E5M2>
  // The high bits go.
  // CHECK: arith.shli %{{.*}} : i8
  // CHECK: arith.shrui %{{.*}} : i8
  %2 = "onnx.Cast"(%i) {to = 21 : i64} : (tensor<4xi4>) -> tensor<4xui4>
  // Rounded to odd on the way, so that it is rounded once.
  // CHECK: arith.truncf %{{.*}} : f64 to f32
  // CHECK: arith.extf %{{.*}} : f32 to f64
  // CHECK: arith.truncf %{{.*}} : f32 to f16
  %3 = "onnx.Cast"(%d) {to = 10 : i64} : (tensor<4xf64>) -> tensor<4xf16>
  return %0, %1, %2, %3 : tensor<4xf32>, tensor<4xf8E5M2>, tensor<4xui4>, tensor<4xf16>
}
