// RUN: leaf-opt %s | leaf-opt | FileCheck %s
// RUN: leaf-opt %s -mlir-print-op-generic | leaf-opt | FileCheck %s

// CHECK-LABEL: func.func @absent_operands_and_defaults
// CHECK: %[[NONE:.*]] = onnx.NoValue : none
// Attributes at their default are not printed.
// CHECK: onnx.Gemm(%arg0, %arg1, %[[NONE]]) {transB = 1 : i64} : (tensor<1x2xf32>, tensor<3x2xf32>, none) -> tensor<*xf32>
func.func @absent_operands_and_defaults(%x: tensor<1x2xf32>, %w: tensor<3x2xf32>) -> tensor<*xf32> {
  %none = onnx.NoValue : none
  %0 = onnx.Gemm(%x, %w, %none) {alpha = 1.0 : f32, transB = 1 : i64} : (tensor<1x2xf32>, tensor<3x2xf32>, none) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// CHECK-LABEL: func.func @absent_result
// CHECK: onnx.MaxPool(%arg0) {kernel_shape = array<i64: 2, 2>, leaf.channels_last} : (tensor<1x4x4x3xf32>) -> (tensor<1x3x3x3xf32>, none)
func.func @absent_result(%x: tensor<1x4x4x3xf32>) -> tensor<1x3x3x3xf32> {
  %0:2 = onnx.MaxPool(%x) {kernel_shape = array<i64: 2, 2>, leaf.channels_last} : (tensor<1x4x4x3xf32>) -> (tensor<1x3x3x3xf32>, none)
  return %0#0 : tensor<1x3x3x3xf32>
}

// CHECK-LABEL: func.func @regions
// CHECK: onnx.If(%arg0) {
// CHECK:   onnx.Yield %arg1 : tensor<2xf32>
// CHECK: }, {
// CHECK:   onnx.Relu(%arg1)
// CHECK: } : (tensor<i1>) -> tensor<2xf32>
func.func @regions(%c: tensor<i1>, %x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = onnx.If(%c) {
    onnx.Yield %x : tensor<2xf32>
  }, {
    %1 = onnx.Relu(%x) : (tensor<2xf32>) -> tensor<2xf32>
    onnx.Yield %1 : tensor<2xf32>
  } : (tensor<i1>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// CHECK-LABEL: func.func @variadic_and_ml
// CHECK: onnx.Concat(%arg0, %arg0) {axis = -1 : i64} : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
// CHECK: onnx.ml.Scaler(%{{.*}}) {offset = array<f32: 1.000000e+00>
func.func @variadic_and_ml(%x: tensor<2xf32>) -> tensor<4xf32> {
  %0 = onnx.Concat(%x, %x) {axis = -1 : i64} : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
  %1 = onnx.ml.Scaler(%0) {offset = array<f32: 1.0>, scale = array<f32: 2.0>} : (tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}
