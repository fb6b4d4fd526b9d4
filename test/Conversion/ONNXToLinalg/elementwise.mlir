// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// Splat constants become part of the body, size-1 dimensions are broadcast by the map.

// CHECK-DAG: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (0, d1)>
// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[X:.*]]: tensor<4x8xf32>, %[[Y:.*]]: tensor<1x8xf32>)
func.func @main(%x: tensor<4x8xf32>, %y: tensor<1x8xf32>) -> tensor<4x8xf32> {
  %c = "onnx.Constant"() {value = dense<2.0> : tensor<f32>} : () -> tensor<f32>
  // CHECK: %[[MUL:.*]] = linalg.generic {indexing_maps = [#[[ID]], #[[ID]]]
  // CHECK-SAME: ins(%[[X]] : tensor<4x8xf32>)
  // CHECK: %[[TWO:.*]] = arith.constant 2.000000e+00 : f32
  // CHECK: arith.mulf %{{.*}}, %[[TWO]] : f32
  %0 = "onnx.Mul"(%x, %c) : (tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xf32>
  // CHECK: %[[ADD:.*]] = linalg.generic {indexing_maps = [#[[ID]], #[[ROW]], #[[ID]]]
  // CHECK-SAME: ins(%[[MUL]], %[[Y]] : tensor<4x8xf32>, tensor<1x8xf32>)
  // CHECK: arith.addf
  %1 = "onnx.Add"(%0, %y) : (tensor<4x8xf32>, tensor<1x8xf32>) -> tensor<4x8xf32>
  // CHECK: arith.maximumf
  %2 = "onnx.Relu"(%1) : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return %2 : tensor<4x8xf32>
}
