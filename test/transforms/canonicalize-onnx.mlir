// RUN: leaf-opt %s -leaf-canonicalize-onnx -split-input-file | FileCheck %s

// CHECK-LABEL: func.func @identities
func.func @identities(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %none = onnx.NoValue : none
  %0 = onnx.Identity(%x) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %1 = onnx.Cast(%0) {to = 1 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %2, %mask = onnx.Dropout(%1, %none, %none) : (tensor<2x3xf32>, none, none) -> (tensor<2x3xf32>, none)
  %3 = onnx.Transpose(%2) {perm = array<i64: 0, 1>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK-NEXT: return %arg0
  return %3 : tensor<2x3xf32>
}

// -----

// CHECK-LABEL: func.func @regroupings
func.func @regroupings(%x: tensor<1x4x2x2xf32>) -> tensor<16xf32> {
  %axes = onnx.Constant() {value = dense<0> : tensor<1xi64>} : () -> tensor<1xi64>
  %0 = onnx.Flatten(%x) {axis = 1 : i64} : (tensor<1x4x2x2xf32>) -> tensor<1x16xf32>
  // CHECK: %[[S:.*]] = onnx.Constant() {value = dense<16> : tensor<1xi64>}
  // CHECK-NEXT: onnx.Reshape(%arg0, %[[S]])
  // CHECK-NEXT: return
  %1 = onnx.Squeeze(%0, %axes) : (tensor<1x16xf32>, tensor<1xi64>) -> tensor<16xf32>
  return %1 : tensor<16xf32>
}

// -----

// CHECK-LABEL: func.func @kept_dims
func.func @kept_dims(%x: tensor<2x3xf32>) -> tensor<2x1xf32> {
  %axes = onnx.Constant() {value = dense<1> : tensor<1xi64>} : () -> tensor<1xi64>
  %to = onnx.Constant() {value = dense<[2, 1]> : tensor<2xi64>} : () -> tensor<2xi64>
  // CHECK: %[[R:.*]] = onnx.ReduceSum({{.*}}) : {{.*}} -> tensor<2x1xf32>
  // CHECK-NEXT: return %[[R]]
  %0 = onnx.ReduceSum(%x, %axes) {keepdims = 0 : i64} : (tensor<2x3xf32>, tensor<1xi64>) -> tensor<2xf32>
  %1 = onnx.Reshape(%0, %to) : (tensor<2xf32>, tensor<2xi64>) -> tensor<2x1xf32>
  return %1 : tensor<2x1xf32>
}

// -----

// CHECK-LABEL: func.func @broadcasting_user
func.func @broadcasting_user(%x: tensor<2x1xf32>, %y: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %to = onnx.Constant() {value = dense<[2, 3]> : tensor<2xi64>} : () -> tensor<2xi64>
  %0 = onnx.Expand(%x, %to) : (tensor<2x1xf32>, tensor<2xi64>) -> tensor<2x3xf32>
  // CHECK-NOT: onnx.Expand
  // CHECK: onnx.Add(%arg0, %arg1)
  %1 = onnx.Add(%0, %y) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return %1 : tensor<2x3xf32>
}

// -----

// A reversal keeps the shape, not the order.
// CHECK-LABEL: func.func @reversal
func.func @reversal(%x: tensor<4xf32>) -> tensor<4xf32> {
  %start = onnx.Constant() {value = dense<-1> : tensor<1xi64>} : () -> tensor<1xi64>
  %end = onnx.Constant() {value = dense<-5> : tensor<1xi64>} : () -> tensor<1xi64>
  %axes = onnx.Constant() {value = dense<0> : tensor<1xi64>} : () -> tensor<1xi64>
  // CHECK: onnx.Slice
  %0 = onnx.Slice(%x, %start, %end, %axes, %start)
      : (tensor<4xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func @neutral
func.func @neutral(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %inf = onnx.Constant() {value = dense<0xFF800000> : tensor<f32>} : () -> tensor<f32>
  %one = onnx.Constant() {value = dense<1.0> : tensor<1x1xf32>} : () -> tensor<1x1xf32>
  %0 = onnx.Max(%inf, %x) : (tensor<f32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %1 = onnx.Mul(%0, %one) : (tensor<2x3xf32>, tensor<1x1xf32>) -> tensor<2x3xf32>
  // CHECK-NEXT: return %arg0
  return %1 : tensor<2x3xf32>
}

// All parts of a Split beside each other are what was split; parts in another order are not.
// CHECK-LABEL: func.func @split_and_concat
// CHECK-NOT:     onnx.Split
// CHECK:         onnx.Concat(%arg0, %arg1) {axis = 1 : i64}
// CHECK-LABEL: func.func @swapped
// CHECK:         %[[S:.*]]:2 = onnx.Split
// CHECK:         onnx.Concat(%[[S]]#1, %[[S]]#0)
func.func @split_and_concat(%x: tensor<1x8x4xf32>, %y: tensor<1x2x4xf32>) -> tensor<1x10x4xf32> {
  %none = onnx.NoValue : none
  %0:2 = onnx.Split(%x, %none) {axis = 1 : i64, num_outputs = 2 : i64} : (tensor<1x8x4xf32>, none) -> (tensor<1x4x4xf32>, tensor<1x4x4xf32>)
  %1 = onnx.Concat(%0#0, %0#1, %y) {axis = 1 : i64} : (tensor<1x4x4xf32>, tensor<1x4x4xf32>, tensor<1x2x4xf32>) -> tensor<1x10x4xf32>
  return %1 : tensor<1x10x4xf32>
}
func.func @swapped(%x: tensor<1x8x4xf32>) -> tensor<1x8x4xf32> {
  %none = onnx.NoValue : none
  %0:2 = onnx.Split(%x, %none) {axis = 1 : i64, num_outputs = 2 : i64} : (tensor<1x8x4xf32>, none) -> (tensor<1x4x4xf32>, tensor<1x4x4xf32>)
  %1 = onnx.Concat(%0#1, %0#0) {axis = 1 : i64} : (tensor<1x4x4xf32>, tensor<1x4x4xf32>) -> tensor<1x8x4xf32>
  return %1 : tensor<1x8x4xf32>
}
