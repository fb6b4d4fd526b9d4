// RUN: leaf-opt %s -leaf-propagate-transposes -split-input-file | FileCheck %s

// CHECK-LABEL: func.func @cancel_through_elementwise
func.func @cancel_through_elementwise(%x: tensor<1x8x8x4xf32>, %y: tensor<1x8x8x4xf32>) -> tensor<1x8x8x4xf32> {
  // CHECK-NOT: onnx.Transpose
  %0 = onnx.Transpose(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x4xf32>) -> tensor<1x4x8x8xf32>
  %1 = onnx.Transpose(%y) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x4xf32>) -> tensor<1x4x8x8xf32>
  // CHECK: %[[A:.*]] = onnx.Add(%arg0, %arg1) : {{.*}} -> tensor<1x8x8x4xf32>
  %2 = onnx.Add(%0, %1) : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  // CHECK: onnx.Relu(%[[A]])
  %3 = onnx.Relu(%2) : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %4 = onnx.Transpose(%3) {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x4x8x8xf32>) -> tensor<1x8x8x4xf32>
  return %4 : tensor<1x8x8x4xf32>
}

// -----

// A constant per channel is permuted at compile time, a scalar stays.
// CHECK-LABEL: func.func @constants
func.func @constants(%x: tensor<1x8x8x2xf32>) -> tensor<1x8x8x2xf32> {
  %c = onnx.Constant() {value = dense<[[[1.0]], [[2.0]]]> : tensor<2x1x1xf32>} : () -> tensor<2x1x1xf32>
  %s = onnx.Constant() {value = dense<3.0> : tensor<f32>} : () -> tensor<f32>
  %0 = onnx.Transpose(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x2xf32>) -> tensor<1x2x8x8xf32>
  // CHECK: %[[C:.*]] = onnx.Constant() {value = dense<{{.*}}1.0{{.*}}, 2.0{{.*}}> : tensor<1x1x1x2xf32>}
  // CHECK: onnx.Mul(%arg0, %[[C]])
  %1 = onnx.Mul(%0, %c) : (tensor<1x2x8x8xf32>, tensor<2x1x1xf32>) -> tensor<1x2x8x8xf32>
  // CHECK: onnx.Add({{.*}} : (tensor<1x8x8x2xf32>, tensor<f32>)
  %2 = onnx.Add(%1, %s) : (tensor<1x2x8x8xf32>, tensor<f32>) -> tensor<1x2x8x8xf32>
  // CHECK-NOT: onnx.Transpose
  %3 = onnx.Transpose(%2) {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x2x8x8xf32>) -> tensor<1x8x8x2xf32>
  return %3 : tensor<1x8x8x2xf32>
}

// -----

// Axes are renamed; what is left after the spatial reduction moves unit dimensions only.
// CHECK-LABEL: func.func @reduce_and_flatten
func.func @reduce_and_flatten(%x: tensor<1x8x8x4xf32>) -> tensor<1x4xf32> {
  %axes = onnx.Constant() {value = dense<[2, 3]> : tensor<2xi64>} : () -> tensor<2xi64>
  %to = onnx.Constant() {value = dense<[1, 4]> : tensor<2xi64>} : () -> tensor<2xi64>
  %0 = onnx.Transpose(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x4xf32>) -> tensor<1x4x8x8xf32>
  // CHECK: %[[A:.*]] = onnx.Constant() {value = dense<[1, 2]> : tensor<2xi64>}
  // CHECK: onnx.ReduceMean(%arg0, %[[A]])
  %1 = onnx.ReduceMean(%0, %axes) {keepdims = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<2xi64>) -> tensor<1x4x1x1xf32>
  // CHECK-NOT: onnx.Transpose
  // CHECK: onnx.Reshape
  %2 = onnx.Reshape(%1, %to) : (tensor<1x4x1x1xf32>, tensor<2xi64>) -> tensor<1x4xf32>
  return %2 : tensor<1x4xf32>
}

// -----

// Without axes all dimensions are reduced, in whatever order they lie.
// CHECK-LABEL: func.func @reduce_all
func.func @reduce_all(%x: tensor<1x8x8x4xf32>) -> tensor<f32> {
  %none = onnx.NoValue : none
  // CHECK-NOT: onnx.Transpose
  // CHECK: onnx.ReduceMax(%arg0
  %0 = onnx.Transpose(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x4xf32>) -> tensor<1x4x8x8xf32>
  %1 = onnx.ReduceMax(%0, %none) {keepdims = 0 : i64} : (tensor<1x4x8x8xf32>, none) -> tensor<f32>
  return %1 : tensor<f32>
}

// -----

// CHECK-LABEL: func.func @concat_split_softmax
func.func @concat_split_softmax(%x: tensor<1x8x8x4xf32>, %y: tensor<1x8x8x2xf32>)
    -> (tensor<1x8x8x3xf32>, tensor<1x8x8x3xf32>) {
  %0 = onnx.Transpose(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x4xf32>) -> tensor<1x4x8x8xf32>
  %1 = onnx.Transpose(%y) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x2xf32>) -> tensor<1x2x8x8xf32>
  // CHECK: onnx.Concat(%arg0, %arg1) {axis = 3 : i64}
  %2 = onnx.Concat(%0, %1) {axis = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<1x2x8x8xf32>) -> tensor<1x6x8x8xf32>
  // CHECK: onnx.Softmax({{.*}}) {axis = 3 : i64}
  %3 = onnx.Softmax(%2) {axis = 1 : i64} : (tensor<1x6x8x8xf32>) -> tensor<1x6x8x8xf32>
  %none = onnx.NoValue : none
  // CHECK: onnx.Split({{.*}}) {axis = 3 : i64
  %4:2 = onnx.Split(%3, %none) {axis = 1 : i64, num_outputs = 2 : i64}
      : (tensor<1x6x8x8xf32>, none) -> (tensor<1x3x8x8xf32>, tensor<1x3x8x8xf32>)
  // CHECK-NOT: onnx.Transpose
  %5 = onnx.Transpose(%4#0) {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x3x8x8xf32>) -> tensor<1x8x8x3xf32>
  %6 = onnx.Transpose(%4#1) {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x3x8x8xf32>) -> tensor<1x8x8x3xf32>
  return %5, %6 : tensor<1x8x8x3xf32>, tensor<1x8x8x3xf32>
}

// -----

// The weight's rows are permuted instead of the data: row c * 4 + p of the weight belongs to element p * 2 + c.
// CHECK-LABEL: func.func @flatten_gemm
func.func @flatten_gemm(%x: tensor<1x2x2x2xf32>) -> tensor<1x1xf32> {
  %none = onnx.NoValue : none
  %to = onnx.Constant() {value = dense<[1, 8]> : tensor<2xi64>} : () -> tensor<2xi64>
  // CHECK{LITERAL}: dense<[[0.000000e+00, 4.000000e+00, 1.000000e+00, 5.000000e+00, 2.000000e+00, 6.000000e+00, 3.000000e+00, 7.000000e+00]]> : tensor<1x8xf32>
  %w = onnx.Constant() {value = dense<[[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]]> : tensor<1x8xf32>}
      : () -> tensor<1x8xf32>
  // CHECK-NOT: onnx.Transpose
  %0 = onnx.Transpose(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %1 = onnx.Reshape(%0, %to) : (tensor<1x2x2x2xf32>, tensor<2xi64>) -> tensor<1x8xf32>
  %2 = onnx.Gemm(%1, %w, %none) {transB = 1 : i64} : (tensor<1x8xf32>, tensor<1x8xf32>, none) -> tensor<1x1xf32>
  return %2 : tensor<1x1xf32>
}

// -----

// One transposed operand of two: moving would need a Transpose for the other, so nothing moves.
// CHECK-LABEL: func.func @does_not_pay
func.func @does_not_pay(%x: tensor<1x8x8x4xf32>, %y: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  // CHECK: %[[T:.*]] = onnx.Transpose(%arg0)
  %0 = onnx.Transpose(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x4xf32>) -> tensor<1x4x8x8xf32>
  // CHECK: onnx.Add(%[[T]], %arg1)
  %1 = onnx.Add(%0, %y) : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  return %1 : tensor<1x4x8x8xf32>
}
