// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// A layer as a whole: no onnx op is left, weights that nobody reads any more are gone.

// CHECK-NOT: onnx.
// CHECK-NOT: leaf.weight @w =
leaf.weight @w = dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
// CHECK: leaf.weight @b
leaf.weight @b = dense<[1.0, 2.0]> : tensor<2xf32>
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:.*]]: tensor<1x1x2xf32> {leaf.name = "x"}
func.func @main(%x: tensor<1x1x2xf32> {leaf.name = "x"}) -> (tensor<1x2xf32> {leaf.name = "y"}) {
  %w = leaf.load_weight @w : tensor<2x2xf32>
  %b = leaf.load_weight @b : tensor<2xf32>
  // CHECK: %[[F:.*]] = tensor.collapse_shape %[[X]]
  %0 = onnx.Flatten(%x) {axis = 1 : i64} : (tensor<1x1x2xf32>) -> tensor<1x2xf32>
  // CHECK: %[[E:.*]] = tensor.empty
  // CHECK: %[[G:.*]] = leaf.contract ins(%[[F]], {{.*}} outs(%[[E]]
  %1 = onnx.Gemm(%0, %w, %b) {transB = 1 : i64} : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  // CHECK: %[[R:.*]] = linalg.generic {{.*}} ins(%[[G]]
  %2 = onnx.Relu(%1) : (tensor<1x2xf32>) -> tensor<1x2xf32>
  // CHECK: return %[[R]]
  return %2 : tensor<1x2xf32>
}
