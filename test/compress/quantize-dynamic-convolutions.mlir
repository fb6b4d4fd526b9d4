// RUN: leaf-opt %s -leaf-quantize-dynamic | FileCheck %s

// An input that may be negative has the zero point 128, one behind a Relu has 0 and finer codes. Scales and bias run
// along dimension 1.
// CHECK-LABEL: func.func @main
// CHECK-DAG: %[[ABS:.*]] = onnx.Abs(%arg0)
// CHECK-DAG: %[[MAX:.*]] = onnx.ReduceMax(%[[ABS]], {{.*}}) {keepdims = 0 : i64} : {{.*}} -> tensor<f32>
// CHECK: %[[S:.*]] = onnx.Div
// CHECK: %[[Z:.*]] = onnx.Constant() {value = dense<128> : tensor<ui8>}
// CHECK: %[[Q:.*]] = onnx.QuantizeLinear(%arg0, %[[S]], %[[Z]]) : {{.*}} -> tensor<1x1x4x4xui8>
// CHECK: %[[I:.*]] = onnx.ConvInteger(%[[Q]], %{{.*}}, %[[Z]], %{{.*}}) {kernel_shape = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>} : {{.*}} -> tensor<1x2x6x6xi32>
// CHECK: %[[F:.*]] = onnx.Cast(%[[I]]) {to = 1 : i64}
// CHECK: %[[T:.*]] = onnx.Mul(%[[S]], %{{.*}}) : (tensor<f32>, tensor<2x1x1xf32>) -> tensor<2x1x1xf32>
// CHECK: %[[P:.*]] = onnx.Mul(%[[F]], %[[T]])
// CHECK: %[[C:.*]] = onnx.Add(%[[P]], %{{.*}}) : (tensor<1x2x6x6xf32>, tensor<2x1x1xf32>)
// CHECK: %[[R:.*]] = onnx.Relu(%[[C]])
// CHECK: onnx.ReduceMax(%[[R]]
// CHECK: %[[Z0:.*]] = onnx.Constant() {value = dense<0> : tensor<ui8>}
// CHECK: onnx.QuantizeLinear(%[[R]], %{{.*}}, %[[Z0]])
// CHECK: onnx.ConvInteger
func.func @main(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x6x6xf32> {
  %none = onnx.NoValue : none
  %w = onnx.Constant() {value = dense<[[[[1.27]]], [[[2.54]]]]> : tensor<2x1x1x1xf32>} : () -> tensor<2x1x1x1xf32>
  %b = onnx.Constant() {value = dense<[1.0, -1.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %v = onnx.Constant() {value = dense<[[[[1.27]], [[0.5]]]]> : tensor<1x2x1x1xf32>} : () -> tensor<1x2x1x1xf32>
  %0 = onnx.Conv(%x, %w, %b) {kernel_shape = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>} : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>, tensor<2xf32>) -> tensor<1x2x6x6xf32>
  %1 = onnx.Relu(%0) : (tensor<1x2x6x6xf32>) -> tensor<1x2x6x6xf32>
  %2 = onnx.Conv(%1, %v, %none) : (tensor<1x2x6x6xf32>, tensor<1x2x1x1xf32>, none) -> tensor<1x1x6x6xf32>
  return %2 : tensor<1x1x6x6xf32>
}
