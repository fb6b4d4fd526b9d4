// RUN: leaf-opt %s -leaf-unsigned-activations -split-input-file | FileCheck %s

// CHECK-LABEL: func.func @between
// CHECK:         %[[Z:.*]] = onnx.Constant() {value = dense<125> : tensor<ui8>}
// CHECK:         %[[Q:.*]] = onnx.QuantizeLinear(%arg0, %{{.*}}, %[[Z]]) : {{.*}} -> tensor<2x2xui8>
// CHECK:         %[[R:.*]] = onnx.Reshape(%[[Q]], {{.*}} -> tensor<4xui8>
// CHECK:         onnx.DequantizeLinear(%[[R]], %{{.*}}, %{{.*}}) : (tensor<4xui8>, tensor<f32>, tensor<ui8>) -> tensor<4xf32>
func.func @between(%x: tensor<2x2xf32>) -> tensor<4xf32> {
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %z = onnx.Constant() {value = dense<-3> : tensor<i8>} : () -> tensor<i8>
  %n = onnx.Constant() {value = dense<4> : tensor<1xi64>} : () -> tensor<1xi64>
  %0 = onnx.QuantizeLinear(%x, %s, %z) : (tensor<2x2xf32>, tensor<f32>, tensor<i8>) -> tensor<2x2xi8>
  %1 = onnx.Reshape(%0, %n) : (tensor<2x2xi8>, tensor<1xi64>) -> tensor<4xi8>
  %2 = onnx.DequantizeLinear(%1, %s, %z) : (tensor<4xi8>, tensor<f32>, tensor<i8>) -> tensor<4xf32>
  return %2 : tensor<4xf32>
}

// -----

// Who reads the bytes themselves gets what the model says.
// CHECK-LABEL: func.func @result
// CHECK:         onnx.QuantizeLinear{{.*}} -> tensor<2xi8>
func.func @result(%x: tensor<2xf32>) -> tensor<2xi8> {
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %z = onnx.Constant() {value = dense<-3> : tensor<i8>} : () -> tensor<i8>
  %0 = onnx.QuantizeLinear(%x, %s, %z) : (tensor<2xf32>, tensor<f32>, tensor<i8>) -> tensor<2xi8>
  return %0 : tensor<2xi8>
}
