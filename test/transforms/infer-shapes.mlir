// RUN: leaf-opt %s -leaf-infer-shapes -split-input-file | FileCheck %s

// Result types come from the schema, the function's results follow.
// CHECK-LABEL: func.func @gemm
// CHECK-SAME: -> (tensor<1x10xf32> {leaf.name = "logits"})
func.func @gemm(%x: tensor<1x28x28xf32>, %w: tensor<10x784xf32>) -> (tensor<?x?xf32> {leaf.name = "logits"}) {
  %none = onnx.NoValue : none
  // CHECK: onnx.Flatten{{.*}} -> tensor<1x784xf32>
  %0 = onnx.Flatten(%x) {axis = 1 : i64} : (tensor<1x28x28xf32>) -> tensor<*xf32>
  // CHECK: onnx.Gemm{{.*}} -> tensor<1x10xf32>
  %1 = onnx.Gemm(%0, %w, %none) {transB = 1 : i64} : (tensor<*xf32>, tensor<10x784xf32>, none) -> tensor<?x?xf32>
  return %1 : tensor<?x?xf32>
}

// -----

// A target computed from static sizes is folded before it is needed.
// CHECK-LABEL: func.func @reshape_to_own_batch
func.func @reshape_to_own_batch(%x: tensor<2x4x16xf32>) -> tensor<*xf32> {
  %c0 = onnx.Constant() {value = dense<0> : tensor<1xi64>} : () -> tensor<1xi64>
  %c64 = onnx.Constant() {value = dense<64> : tensor<1xi64>} : () -> tensor<1xi64>
  %s = onnx.Shape(%x) : (tensor<2x4x16xf32>) -> tensor<*xi64>
  %b = onnx.Gather(%s, %c0) {axis = 0 : i64} : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
  %t = onnx.Concat(%b, %c64) {axis = 0 : i64} : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
  // CHECK-NOT: onnx.Concat
  // CHECK: value = dense<[2, 64]> : tensor<2xi64>
  // CHECK: onnx.Reshape{{.*}} -> tensor<2x64xf32>
  %r = onnx.Reshape(%x, %t) : (tensor<2x4x16xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// Weights keep their small type: a Cast of a weight is not folded, its shape is known.
leaf.weight @w = dense<1.0> : tensor<64x64xf16>
// CHECK-LABEL: func.func @cast_of_weight
func.func @cast_of_weight() -> tensor<*xf32> {
  %w = leaf.load_weight @w : tensor<64x64xf16>
  // CHECK: onnx.Cast{{.*}} -> tensor<64x64xf32>
  %0 = onnx.Cast(%w) {to = 1 : i64} : (tensor<64x64xf16>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// Absent results at the end are not counted.
// CHECK-LABEL: func.func @batch_normalization
func.func @batch_normalization(%x: tensor<1x2x4xf32>, %p: tensor<2xf32>) -> tensor<*xf32> {
  // CHECK: onnx.BatchNormalization{{.*}} -> (tensor<1x2x4xf32>, none, none)
  %0, %m, %v = onnx.BatchNormalization(%x, %p, %p, %p, %p)
      : (tensor<1x2x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> (tensor<*xf32>, none, none)
  return %0 : tensor<*xf32>
}
