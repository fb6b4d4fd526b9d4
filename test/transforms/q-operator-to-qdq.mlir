// RUN: leaf-opt %s -leaf-q-operator-to-qdq | FileCheck %s

// CHECK-LABEL: func.func @matmul
// CHECK: %[[A:.*]] = onnx.DequantizeLinear(%{{.*}}) {axis = 0 : i64} : (tensor<2x4xui8>, tensor<f32>, tensor<ui8>) -> tensor<2x4xf32>
// CHECK: %[[B:.*]] = onnx.DequantizeLinear(%{{.*}}) : (tensor<4x3xi8>, tensor<3xf32>, tensor<3xi8>) -> tensor<4x3xf32>
// CHECK: %[[P:.*]] = onnx.MatMul(%[[A]], %[[B]])
// CHECK: onnx.QuantizeLinear(%[[P]], {{.*}} -> tensor<2x3xui8>
func.func @matmul(%a: tensor<2x4xui8>, %b: tensor<4x3xi8>, %s: tensor<f32>, %z: tensor<ui8>, %sb: tensor<3xf32>, %zb: tensor<3xi8>) -> tensor<2x3xui8> {
  %0 = "onnx.QLinearMatMul"(%a, %s, %z, %b, %sb, %zb, %s, %z) : (tensor<2x4xui8>, tensor<f32>, tensor<ui8>, tensor<4x3xi8>, tensor<3xf32>, tensor<3xi8>, tensor<f32>, tensor<ui8>) -> tensor<2x3xui8>
  return %0 : tensor<2x3xui8>
}

// The bias is in units of the product of both scales.
// CHECK-LABEL: func.func @conv
// CHECK: %[[S:.*]] = onnx.Mul(%{{.*}}) : (tensor<f32>, tensor<5xf32>) -> tensor<5xf32>
// CHECK: %[[BIAS:.*]] = onnx.DequantizeLinear(%{{.*}}, %[[S]], %{{.*}}) {axis = 0 : i64} : (tensor<5xi32>, tensor<5xf32>, none) -> tensor<5xf32>
// CHECK: onnx.Conv(%{{.*}}, %{{.*}}, %[[BIAS]]) {pads = array<i64: 1, 1, 1, 1>}
// CHECK: onnx.QuantizeLinear
func.func @conv(%x: tensor<1x3x8x8xui8>, %w: tensor<5x3x3x3xi8>, %s: tensor<f32>, %z: tensor<ui8>, %ws: tensor<5xf32>, %wz: tensor<5xi8>, %b: tensor<5xi32>) -> tensor<1x5x8x8xui8> {
  %0 = "onnx.QLinearConv"(%x, %s, %z, %w, %ws, %wz, %s, %z, %b) {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x3x8x8xui8>, tensor<f32>, tensor<ui8>, tensor<5x3x3x3xi8>, tensor<5xf32>, tensor<5xi8>, tensor<f32>, tensor<ui8>, tensor<5xi32>) -> tensor<1x5x8x8xui8>
  return %0 : tensor<1x5x8x8xui8>
}
