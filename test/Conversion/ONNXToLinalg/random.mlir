// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// A number is a function of the seed and the element's position: nothing is stored.

// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<3x4xf32>, %ratio: tensor<f32>, %training: tensor<i1>)
    -> (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x2xi32>) {
  // CHECK: linalg.generic
  // CHECK: linalg.index 0
  // CHECK-COUNT-10: arith.muli %{{.*}} : i64
  // CHECK: arith.uitofp %{{.*}} : i32 to f32
  %0 = "onnx.RandomUniformLike"(%x) {seed = 3.0 : f32, low = -1.0 : f32} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // Whether this drops elements is known at run time.
  // CHECK: linalg.generic
  // CHECK-SAME: ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<3x4xf32>, tensor<f32>, tensor<i1>)
  // CHECK: arith.cmpf oge
  %1, %mask = "onnx.Dropout"(%x, %ratio, %training) : (tensor<3x4xf32>, tensor<f32>, tensor<i1>) -> (tensor<3x4xf32>, none)
  // CHECK: leaf.forall
  %2 = "onnx.Multinomial"(%x) {sample_size = 2 : i64} : (tensor<3x4xf32>) -> tensor<3x2xi32>
  return %0, %1, %2 : tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x2xi32>
}
