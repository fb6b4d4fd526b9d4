// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

leaf.weight @s = dense<1.0> : tensor<8xf32>
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %s = leaf.load_weight @s : tensor<8xf32>
  %none = "onnx.NoValue"() : () -> none
  // CHECK: %[[MEAN:.*]] = linalg.generic {{.*}} iterator_types = ["parallel"]
  // CHECK: arith.divf
  // CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%{{.*}}, %[[MEAN]]
  // CHECK: %[[D:.*]] = arith.subf
  // CHECK: arith.mulf %[[D]], %[[D]]
  // CHECK: math.sqrt
  // CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]
  %0:3 = "onnx.LayerNormalization"(%x, %s, %none) {axis = -1 : i64, epsilon = 1.0e-5 : f32}
    : (tensor<4x8xf32>, tensor<8xf32>, none) -> (tensor<4x8xf32>, none, none)
  return %0#0 : tensor<4x8xf32>
}
