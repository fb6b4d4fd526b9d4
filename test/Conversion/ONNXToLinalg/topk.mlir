// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// One iteration per line; a heap of the k best in the results, then sorted.
// CHECK-LABEL: func.func @main
// CHECK: %[[R:.*]]:2 = leaf.forall ins(%{{.*}} : tensor<3x10xf32>) outs(%{{.*}}, %{{.*}} : tensor<3x2xf32>, tensor<3x2xi64>) extents(%c3)
// CHECK: ^bb0(%[[ROW:.*]]: index, %[[X:.*]]: memref<3x10xf32>, %[[V:.*]]: memref<3x2xf32>, %[[I:.*]]: memref<3x2xi64>)
// CHECK: memref.load %[[X]][%[[ROW]], %{{.*}}]
// CHECK: arith.cmpf olt
// CHECK: return %[[R]]#0, %[[R]]#1
func.func @main(%x: tensor<3x10xf32>) -> (tensor<3x2xf32>, tensor<3x2xi64>) {
  %k = onnx.Constant() {value = dense<2> : tensor<1xi64>} : () -> tensor<1xi64>
  %0, %1 = "onnx.TopK"(%x, %k) {axis = -1 : i64, largest = 1 : i64, sorted = 1 : i64} : (tensor<3x10xf32>, tensor<1xi64>) -> (tensor<3x2xf32>, tensor<3x2xi64>)
  return %0, %1 : tensor<3x2xf32>, tensor<3x2xi64>
}
