// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg -split-input-file | FileCheck %s

// Lines that differ before the axis are iterations; fewer indices than data leave a test of these dimensions.
// CHECK-LABEL: func.func @main
// CHECK: leaf.forall ins({{.*}}) outs(%{{.*}} : tensor<4x5xf32>) extents(%c4)
// CHECK:   memref.store
// CHECK:   arith.cmpi slt
// CHECK:   scf.if
// CHECK:     arith.addf
// CHECK:     memref.store
func.func @main(%x: tensor<4x5xf32>, %i: tensor<2x3xi64>, %u: tensor<2x3xf32>) -> tensor<4x5xf32> {
  %0 = "onnx.ScatterElements"(%x, %i, %u) {axis = 1 : i64, reduction = "add"} : (tensor<4x5xf32>, tensor<2x3xi64>, tensor<2x3xf32>) -> tensor<4x5xf32>
  return %0 : tensor<4x5xf32>
}

// -----

// Neighbours are the innermost loop, so that LLVM finds vectors.
// CHECK-LABEL: func.func @main
// CHECK: leaf.forall ins({{.*}}) outs(%{{.*}} : tensor<4x5xf32>) {
// CHECK: scf.for %[[R:.*]] = %c0{{.*}} to %c2
// CHECK:   scf.for %[[C:.*]] = %c0{{.*}} to %c3
// CHECK:     memref.store %{{.*}}, %{{.*}}[%{{.*}}, %[[C]]] : memref<4x5xf32>
func.func @main(%x: tensor<4x5xf32>, %i: tensor<2x3xi64>, %u: tensor<2x3xf32>) -> tensor<4x5xf32> {
  %0 = "onnx.ScatterElements"(%x, %i, %u) {axis = 0 : i64} : (tensor<4x5xf32>, tensor<2x3xi64>, tensor<2x3xf32>) -> tensor<4x5xf32>
  return %0 : tensor<4x5xf32>
}

// -----

// A slice of the cache is replaced where it exists.
// CHECK-LABEL: func.func @main
// CHECK: leaf.forall ins({{.*}}) outs(%{{.*}} : tensor<2x8x4xf32>) extents(%c2)
// CHECK: arith.cmpi ult
// CHECK: scf.if
// CHECK:   memref.store
func.func @main(%x: tensor<2x8x4xf32>, %u: tensor<2x1x4xf32>, %at: tensor<2xi64>) -> tensor<2x8x4xf32> {
  %0 = "onnx.TensorScatter"(%x, %u, %at) {axis = 1 : i64} : (tensor<2x8x4xf32>, tensor<2x1x4xf32>, tensor<2xi64>) -> tensor<2x8x4xf32>
  return %0 : tensor<2x8x4xf32>
}
