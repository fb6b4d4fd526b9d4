// RUN: leaf-opt %s -leaf-propagate-quantization -split-input-file | FileCheck %s

// A pool between equal parameters works on bytes.
// CHECK-LABEL: func.func @pool
// CHECK-NOT:     Linear
// CHECK:         onnx.MaxPool(%arg0) {{.*}} -> (tensor<1x4x4x8xui8>, none)
// CHECK-NOT:     Linear
// CHECK:         return
func.func @pool(%x: tensor<1x8x8x8xui8>) -> tensor<1x4x4x8xui8> {
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %z = onnx.Constant() {value = dense<3> : tensor<ui8>} : () -> tensor<ui8>
  %0 = onnx.DequantizeLinear(%x, %s, %z) : (tensor<1x8x8x8xui8>, tensor<f32>, tensor<ui8>) -> tensor<1x8x8x8xf32>
  %1:2 = onnx.MaxPool(%0) {kernel_shape = array<i64: 2, 2>, leaf.channels_last, strides = array<i64: 2, 2>} : (tensor<1x8x8x8xf32>) -> (tensor<1x4x4x8xf32>, none)
  %2 = onnx.QuantizeLinear(%1#0, %s, %z) : (tensor<1x4x4x8xf32>, tensor<f32>, tensor<ui8>) -> tensor<1x4x4x8xui8>
  return %2 : tensor<1x4x4x8xui8>
}

// -----

// Of a concatenation the part with the result's scale stays as it is, the other is quantized before.
// CHECK-LABEL: func.func @concat
// CHECK:         %[[Q:.*]] = onnx.QuantizeLinear(%arg1
// CHECK:         onnx.Concat(%arg0, %[[Q]]) {{.*}} -> tensor<2x8xi8>
func.func @concat(%x: tensor<2x4xi8>, %y: tensor<2x4xf32>) -> tensor<2x8xi8> {
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %z = onnx.Constant() {value = dense<-3> : tensor<i8>} : () -> tensor<i8>
  %0 = onnx.DequantizeLinear(%x, %s, %z) : (tensor<2x4xi8>, tensor<f32>, tensor<i8>) -> tensor<2x4xf32>
  %1 = onnx.Concat(%0, %y) {axis = 1 : i64} : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x8xf32>
  %2 = onnx.QuantizeLinear(%1, %s, %z) : (tensor<2x8xf32>, tensor<f32>, tensor<i8>) -> tensor<2x8xi8>
  return %2 : tensor<2x8xi8>
}

// -----

// Other parameters are another rounding.
// CHECK-LABEL: func.func @different
// CHECK:         onnx.DequantizeLinear
// CHECK:         onnx.QuantizeLinear
func.func @different(%x: tensor<4xi8>) -> tensor<4xi8> {
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %t = onnx.Constant() {value = dense<0.25> : tensor<f32>} : () -> tensor<f32>
  %z = onnx.Constant() {value = dense<0> : tensor<i8>} : () -> tensor<i8>
  %0 = onnx.DequantizeLinear(%x, %s, %z) : (tensor<4xi8>, tensor<f32>, tensor<i8>) -> tensor<4xf32>
  %1 = onnx.QuantizeLinear(%0, %t, %z) : (tensor<4xf32>, tensor<f32>, tensor<i8>) -> tensor<4xi8>
  return %1 : tensor<4xi8>
}
