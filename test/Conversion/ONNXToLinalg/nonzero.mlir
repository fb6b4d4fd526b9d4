// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// The positions are found in a buffer of the largest size, with their number beside it; the result has that size.
// CHECK-LABEL: func.func @main
// CHECK: %[[FOUND:.*]]:2 = leaf.forall ins(%{{.*}} : tensor<6xf32>) outs(%{{.*}}, %{{.*}} : tensor<2x6xi64>, tensor<1xi64>)
// CHECK: %[[N:.*]] = tensor.extract %[[FOUND]]#1[%c0]
// CHECK: %[[I:.*]] = arith.index_cast %[[N]]
// CHECK: %[[P:.*]] = arith.maxsi %[[I]]
// CHECK: %[[S:.*]] = arith.minsi %[[P]]
// CHECK: tensor.empty(%[[S]]) : tensor<2x?xi64>
// CHECK: linalg.generic
// CHECK:   tensor.extract %[[FOUND]]#0
func.func @main(%x: tensor<2x3xf32>) -> tensor<2x?xi64> {
  %0 = "onnx.NonZero"(%x) : (tensor<2x3xf32>) -> tensor<2x?xi64>
  return %0 : tensor<2x?xi64>
}
