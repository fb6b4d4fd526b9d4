// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// Lines along the axis are independent; fewer indices than data leave a test of the other dimensions.
// CHECK-LABEL: func.func @main
// CHECK: leaf.forall ins({{.*}}) outs(%{{.*}} : tensor<4x5xf32>) extents(%c5)
// CHECK:   memref.store
// CHECK:   arith.cmpi slt
// CHECK:   scf.if
// CHECK:     arith.addf
// CHECK:     memref.store
func.func @main(%x: tensor<4x5xf32>, %i: tensor<2x3xi64>, %u: tensor<2x3xf32>) -> tensor<4x5xf32> {
  %0 = "onnx.ScatterElements"(%x, %i, %u) {axis = 0 : i64, reduction = "add"} : (tensor<4x5xf32>, tensor<2x3xi64>, tensor<2x3xf32>) -> tensor<4x5xf32>
  return %0 : tensor<4x5xf32>
}
