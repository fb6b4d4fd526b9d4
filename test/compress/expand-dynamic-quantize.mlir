// RUN: leaf-opt %s -leaf-expand-dynamic-quantize | FileCheck %s

// CHECK-LABEL: func.func @main
// CHECK-DAG: %[[LOW:.*]] = onnx.ReduceMin(%arg0
// CHECK-DAG: %[[HIGH:.*]] = onnx.ReduceMax(%arg0
// CHECK: onnx.Min(%[[LOW]]
// CHECK: onnx.Max(%[[HIGH]]
// CHECK: onnx.Sub
// CHECK: onnx.Div
// CHECK: %[[S:.*]] = onnx.Where
// CHECK: %[[Z:.*]] = onnx.Cast({{.*}}) {to = 2 : i64}
// CHECK: %[[Q:.*]] = onnx.QuantizeLinear(%arg0, %[[S]], %[[Z]])
// CHECK: return %[[Q]], %[[S]], %[[Z]]
func.func @main(%x: tensor<8xf32>) -> (tensor<8xui8>, tensor<f32>, tensor<ui8>) {
  %q, %s, %z = onnx.DynamicQuantizeLinear(%x) : (tensor<8xf32>) -> (tensor<8xui8>, tensor<f32>, tensor<ui8>)
  return %q, %s, %z : tensor<8xui8>, tensor<f32>, tensor<ui8>
}
