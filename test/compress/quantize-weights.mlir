// RUN: leaf-opt %s -leaf-quantize-weights -split-input-file | FileCheck %s
// RUN: leaf-opt %s -leaf-quantize-weights=type=float16 -split-input-file | FileCheck %s --check-prefix=HALF

// Rows of the table are gathered as codes and then decoded.
// CHECK-LABEL: func.func @main
// CHECK: %[[G:.*]] = onnx.Gather(%{{.*}}, %arg0) : (tensor<32x2xi8>, tensor<3xi64>) -> tensor<3x2xi8>
// CHECK: %[[D:.*]] = onnx.DequantizeLinear(%[[G]], {{.*}}) :
// CHECK: return %[[D]]
// HALF: %[[C:.*]] = onnx.Cast(%{{.*}}) {to = 1 : i64} : (tensor<32x2xf16>) -> tensor<32x2xf32>
// HALF: onnx.Gather(%[[C]]
func.func @main(%i: tensor<3xi64>) -> tensor<3x2xf32> {
  %t = onnx.Constant() {value = dense<0.5> : tensor<32x2xf32>} : () -> tensor<32x2xf32>
  %y = onnx.Gather(%t, %i) {axis = 0 : i64} : (tensor<32x2xf32>, tensor<3xi64>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

// 1e6 is beyond float16, and fits 8 bits with its scale. Small weights are left alone.
// CHECK-LABEL: func.func @main
// CHECK: %[[W:.*]] = onnx.DequantizeLinear({{.*}}) : (tensor<8x8xi8>
// CHECK: onnx.MatMul(%arg0, %[[W]])
// CHECK: onnx.MatMul({{.*}}) : (tensor<2x8xf32>, tensor<8x1xf32>)
// HALF: onnx.MatMul(%arg0, %{{.*}}) {leaf.float = "its weight has values beyond half precision"}
func.func @main(%x: tensor<2x8xf32>) -> tensor<2x1xf32> {
  %w = onnx.Constant() {value = dense<1.0e6> : tensor<8x8xf32>} : () -> tensor<8x8xf32>
  %v = onnx.Constant() {value = dense<1.0> : tensor<8x1xf32>} : () -> tensor<8x1xf32>
  %y = onnx.MatMul(%x, %w) : (tensor<2x8xf32>, tensor<8x8xf32>) -> tensor<2x8xf32>
  %z = onnx.MatMul(%y, %v) : (tensor<2x8xf32>, tensor<8x1xf32>) -> tensor<2x1xf32>
  return %z : tensor<2x1xf32>
}
