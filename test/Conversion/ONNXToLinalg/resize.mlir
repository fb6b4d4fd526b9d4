// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// Nearest: one pass that picks elements. Linear: one pass per axis that changes.
// CHECK-LABEL: func.func @main
// CHECK:     linalg.generic {{.*}} outs(%{{.*}} : tensor<1x4x4x3xf32>)
// CHECK:     math.ceil
// CHECK-NOT: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x2x4x3xf32>)
// CHECK:     linalg.generic {{.*}} outs(%{{.*}} : tensor<1x4x2x3xf32>)
// CHECK:     math.floor
// CHECK:     linalg.generic {{.*}} outs(%{{.*}} : tensor<1x4x4x3xf32>)
func.func @main(%x: tensor<1x2x2x3xf32>) -> (tensor<1x4x4x3xf32>, tensor<1x4x4x3xf32>) {
  %n = onnx.NoValue : none
  %s = onnx.Constant() {value = dense<[1.0, 2.0, 2.0, 1.0]> : tensor<4xf32>} : () -> tensor<4xf32>
  %0 = "onnx.Resize"(%x, %n, %s, %n) {mode = "nearest"} : (tensor<1x2x2x3xf32>, none, tensor<4xf32>, none) -> tensor<1x4x4x3xf32>
  %1 = "onnx.Resize"(%x, %n, %s, %n) {mode = "linear"} : (tensor<1x2x2x3xf32>, none, tensor<4xf32>, none) -> tensor<1x4x4x3xf32>
  return %0, %1 : tensor<1x4x4x3xf32>, tensor<1x4x4x3xf32>
}
