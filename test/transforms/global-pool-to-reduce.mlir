// RUN: leaf-opt %s -leaf-global-pool-to-reduce | FileCheck %s

// CHECK-LABEL: func.func @pools
func.func @pools(%x: tensor<1x8x7x7xf32>, %y: tensor<1x8x7xf32>) -> (tensor<1x8x1x1xf32>, tensor<1x8x1xf32>) {
  // CHECK: %[[A:.*]] = onnx.Constant() {value = dense<[2, 3]> : tensor<2xi64>}
  // CHECK: onnx.ReduceMean(%arg0, %[[A]])
  %0 = onnx.GlobalAveragePool(%x) : (tensor<1x8x7x7xf32>) -> tensor<1x8x1x1xf32>
  // CHECK: %[[B:.*]] = onnx.Constant() {value = dense<2> : tensor<1xi64>}
  // CHECK: onnx.ReduceMax(%arg1, %[[B]])
  %1 = onnx.GlobalMaxPool(%y) : (tensor<1x8x7xf32>) -> tensor<1x8x1xf32>
  return %0, %1 : tensor<1x8x1x1xf32>, tensor<1x8x1xf32>
}
