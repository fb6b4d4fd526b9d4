// RUN: leaf-opt %s -leaf-prune-channels -leaf-infer-shapes | FileCheck %s

// Channels 1 and 2 are the larger ones. Their filters, biases and depthwise filters stay, and what the next layer reads
// of them behind the Flatten: two elements each. The input of the last layer is an output too and keeps its channels.
// CHECK:       %[[W1:.*]] = onnx.Constant() {{.*}}[3.000000e+00]{{.*}}[4.000000e+00]{{.*}}tensor<2x1x1x1xf32>
// CHECK:       onnx.Conv(%{{.*}}, %{{.*}}, %{{.*}}) {{.*}}-> tensor<1x2x1x2xf32>
// CHECK:       onnx.Relu
// CHECK:       onnx.Conv{{.*}}group = 2 : {{.*}}-> tensor<1x2x1x2xf32>
// CHECK:       onnx.Flatten{{.*}}-> tensor<1x4xf32>
// CHECK:       onnx.Constant() {value = dense<{{\[\[}}2.000000e+00], [3.000000e+00], [4.000000e+00], [5.000000e+00]]> : tensor<4x1xf32>}
// CHECK:       onnx.MatMul{{.*}}(tensor<1x4xf32>, tensor<4x1xf32>) -> tensor<1x1xf32>
func.func @main(%x: tensor<1x1x1x2xf32>) -> tensor<1x1xf32> {
  %none = onnx.NoValue : none
  %w1 = onnx.Constant() {value = dense<[[[[1.0]]], [[[3.0]]], [[[4.0]]], [[[0.5]]]]> : tensor<4x1x1x1xf32>} : () -> tensor<4x1x1x1xf32>
  %b1 = onnx.Constant() {value = dense<[0.0, 1.0, 2.0, 3.0]> : tensor<4xf32>} : () -> tensor<4xf32>
  %w2 = onnx.Constant() {value = dense<[[[[1.0]]], [[[2.0]]], [[[3.0]]], [[[4.0]]]]> : tensor<4x1x1x1xf32>} : () -> tensor<4x1x1x1xf32>
  %w3 = onnx.Constant() {value = dense<[[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0]]> : tensor<8x1xf32>} : () -> tensor<8x1xf32>
  %0 = onnx.Conv(%x, %w1, %b1) : (tensor<1x1x1x2xf32>, tensor<4x1x1x1xf32>, tensor<4xf32>) -> tensor<1x4x1x2xf32>
  %1 = onnx.Relu(%0) : (tensor<1x4x1x2xf32>) -> tensor<1x4x1x2xf32>
  %2 = onnx.Conv(%1, %w2, %none) {group = 4 : i64} : (tensor<1x4x1x2xf32>, tensor<4x1x1x1xf32>, none) -> tensor<1x4x1x2xf32>
  %3 = onnx.Flatten(%2) : (tensor<1x4x1x2xf32>) -> tensor<1x8xf32>
  %4 = onnx.MatMul(%3, %w3) : (tensor<1x8xf32>, tensor<8x1xf32>) -> tensor<1x1xf32>
  return %4 : tensor<1x1xf32>
}
