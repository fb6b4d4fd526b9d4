// RUN: leaf-opt %s -leaf-quantize-dynamic | FileCheck %s
// RUN: leaf-opt %s -leaf-quantize-dynamic=per-token | FileCheck %s --check-prefix=ROWS

// Two products read x: it is quantized once. The transposed weight of Gemm is turned around.
// CHECK-LABEL: func.func @main
// CHECK: %[[Q:.*]], %[[S:.*]], %[[Z:.*]] = onnx.DynamicQuantizeLinear(%arg0)
// CHECK-NOT: onnx.DynamicQuantizeLinear
// CHECK{LITERAL}: dense<[[127, -64], [64, 127]]> : tensor<2x2xi8>
// CHECK: dense<[0.00999999977, 2.000000e-02]> : tensor<2xf32>
// CHECK: %[[I:.*]] = onnx.MatMulInteger(%[[Q]], %{{.*}}, %[[Z]], %{{.*}}) : {{.*}} -> tensor<3x2xi32>
// CHECK: %[[F:.*]] = onnx.Cast(%[[I]]) {to = 1 : i64}
// CHECK: %[[T:.*]] = onnx.Mul(%[[S]], %{{.*}}) : (tensor<f32>, tensor<2xf32>) -> tensor<2xf32>
// CHECK: %[[P:.*]] = onnx.Mul(%[[F]], %[[T]])
// CHECK: onnx.MatMulInteger(%[[Q]]
// CHECK: onnx.Add
// CHECK: return %[[P]]

// ROWS: onnx.Abs
// ROWS: onnx.ReduceMax{{.*}} -> tensor<3x1xf32>
// ROWS: %[[S:.*]] = onnx.Div({{.*}} -> tensor<3x1xf32>
// ROWS: %[[Q:.*]] = onnx.Cast({{.*}} -> tensor<3x2xi8>
// ROWS: onnx.MatMulInteger(%[[Q]]
// ROWS: onnx.Mul({{.*}}, %[[S]])
func.func @main(%x: tensor<3x2xf32>) -> (tensor<3x2xf32>, tensor<3x2xf32>) {
  %w = onnx.Constant() {value = dense<[[1.27, -1.28], [0.64, 2.54]]> : tensor<2x2xf32>} : () -> tensor<2x2xf32>
  %b = onnx.Constant() {value = dense<[1.0, -1.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %y = onnx.MatMul(%x, %w) : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  %z = onnx.Gemm(%x, %w, %b) {transB = 1 : i64} : (tensor<3x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<3x2xf32>
  return %y, %z : tensor<3x2xf32>, tensor<3x2xf32>
}
