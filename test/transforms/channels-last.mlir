// RUN: leaf-opt %s -leaf-channels-last | FileCheck %s

// CHECK-LABEL: func.func @conv
func.func @conv(%x: tensor<1x3x8x6xf32>, %w: tensor<4x3x1x1xf32>) -> tensor<1x4x8x6xf32> {
  %none = onnx.NoValue : none
  // CHECK: %[[T:.*]] = onnx.Transpose(%arg0) {perm = array<i64: 0, 2, 3, 1>}{{.*}} -> tensor<1x8x6x3xf32>
  // CHECK: %[[C:.*]] = onnx.Conv(%[[T]], %arg1, %{{.*}}) {{{.*}}leaf.channels_last{{.*}} -> tensor<1x8x6x4xf32>
  // CHECK: %[[R:.*]] = onnx.Transpose(%[[C]]) {perm = array<i64: 0, 3, 1, 2>}{{.*}} -> tensor<1x4x8x6xf32>
  // CHECK: return %[[R]]
  %0 = onnx.Conv(%x, %w, %none) : (tensor<1x3x8x6xf32>, tensor<4x3x1x1xf32>, none) -> tensor<1x4x8x6xf32>
  return %0 : tensor<1x4x8x6xf32>
}

// CHECK-LABEL: func.func @integers
func.func @integers(%x: tensor<1x3x8x6xui8>, %w: tensor<4x3x1x1xi8>, %z: tensor<ui8>) -> tensor<1x4x8x6xi32> {
  %none = onnx.NoValue : none
  // CHECK: onnx.ConvInteger{{.*}}leaf.channels_last{{.*}} -> tensor<1x8x6x4xi32>
  %0 = onnx.ConvInteger(%x, %w, %z, %none)
      : (tensor<1x3x8x6xui8>, tensor<4x3x1x1xi8>, tensor<ui8>, none) -> tensor<1x4x8x6xi32>
  return %0 : tensor<1x4x8x6xi32>
}

// CHECK-LABEL: func.func @one_spatial_dimension
func.func @one_spatial_dimension(%x: tensor<1x3x8xf32>) -> tensor<1x3x4xf32> {
  // CHECK: onnx.Transpose(%arg0) {perm = array<i64: 0, 2, 1>}
  // CHECK: onnx.AveragePool{{.*}}leaf.channels_last{{.*}} -> tensor<1x4x3xf32>
  %0 = onnx.AveragePool(%x) {kernel_shape = array<i64: 2>, strides = array<i64: 2>}
      : (tensor<1x3x8xf32>) -> tensor<1x3x4xf32>
  return %0 : tensor<1x3x4xf32>
}

// CHECK-LABEL: func.func @response_normalization
func.func @response_normalization(%x: tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32> {
  // CHECK: onnx.LRN{{.*}}leaf.channels_last{{.*}} -> tensor<1x8x8x3xf32>
  %0 = onnx.LRN(%x) {size = 3 : i64} : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32>
  return %0 : tensor<1x3x8x8xf32>
}

// The indices of MaxPool are defined by the order of the elements.
// CHECK-LABEL: func.func @indices
func.func @indices(%x: tensor<1x3x8x8xf32>) -> (tensor<1x3x4x4xf32>, tensor<1x3x4x4xi64>) {
  // CHECK-NOT: leaf.channels_last
  %0, %1 = onnx.MaxPool(%x) {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>}
      : (tensor<1x3x8x8xf32>) -> (tensor<1x3x4x4xf32>, tensor<1x3x4x4xi64>)
  return %0, %1 : tensor<1x3x4x4xf32>, tensor<1x3x4x4xi64>
}
