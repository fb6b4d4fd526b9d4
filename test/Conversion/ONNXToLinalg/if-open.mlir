// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// Results of several sizes meet in a buffer for the largest, made before; the bound follows from the operands.
// CHECK-LABEL: func.func @main
// CHECK: %[[B:.*]] = tensor.empty() : tensor<6xf32>
// CHECK: %[[R:.*]]:2 = scf.if %{{.*}} -> (tensor<6xf32>, index) {
// CHECK:   tensor.insert_slice %{{.*}} into %[[B]][0] [%{{.*}}] [1]
// CHECK: } else {
// CHECK:   tensor.insert_slice %{{.*}} into %[[B]][0] [6] [1]
// CHECK:   scf.yield %{{.*}}, %c6
// CHECK: }
// CHECK: %[[N:.*]] = leaf.bound %[[R]]#1, 6
// CHECK: tensor.extract_slice %[[R]]#0[0] [%[[N]]] [1]
func.func @main(%x: tensor<6xf32>, %keep: tensor<6xi1>, %c: tensor<i1>) -> tensor<?xf32> {
  %0 = "onnx.If"(%c) ({
    %1 = onnx.Neg(%x) : (tensor<6xf32>) -> tensor<6xf32>
    onnx.Yield %1 : tensor<6xf32>
  }, {
    %1 = onnx.Compress(%x, %keep) : (tensor<6xf32>, tensor<6xi1>) -> tensor<?xf32>
    onnx.Yield %1 : tensor<?xf32>
  }) : (tensor<i1>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
