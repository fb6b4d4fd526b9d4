// RUN: leaf-opt %s -leaf-quantize-static -split-input-file | FileCheck %s
// RUN: leaf-opt %s -leaf-quantize-static=activations=int8 -split-input-file | FileCheck %s --check-prefix=SIGNED

// Range 2.55 in 255 steps: scale 0.01, zero point 100 (int8: -28). Columns of the weight: 1.27 and 2.54 at most.
// CHECK-LABEL: func.func @main
// CHECK-DAG: %[[SCALE:.*]] = onnx.Constant() {value = dense<0.00999999977> : tensor<f32>}
// CHECK-DAG: %[[ZERO:.*]] = onnx.Constant() {value = dense<100> : tensor<ui8>}
// CHECK: %[[Q:.*]] = onnx.QuantizeLinear(%arg0, %[[SCALE]], %[[ZERO]])
// CHECK: %[[D:.*]] = onnx.DequantizeLinear(%[[Q]], %[[SCALE]], %[[ZERO]])
// CHECK{LITERAL}: dense<[[127, 64], [-100, -127]]> : tensor<2x2xi8>
// CHECK: dense<[0.00999999977, 2.000000e-02]> : tensor<2xf32>
// CHECK: %[[W:.*]] = onnx.DequantizeLinear({{.*}}tensor<2x2xi8>, tensor<2xf32>, tensor<2xi8>)
// The bias in units of both scales: 0.01 * 0.01 and 0.01 * 0.02.
// CHECK: dense<[10000, -5000]> : tensor<2xi32>
// CHECK: %[[B:.*]] = onnx.DequantizeLinear(%{{.*}}) {axis = 0 : i64} : (tensor<2xi32>
// CHECK: onnx.Gemm(%[[D]], %[[W]], %[[B]])
// SIGNED: dense<-28> : tensor<i8>
func.func @main(%x: tensor<1x2xf32> {leaf.ranges = array<f64: -1.0, 1.55>}) -> tensor<1x2xf32> {
  %w = onnx.Constant() {value = dense<[[1.27, 1.28], [-1.0, -2.54]]> : tensor<2x2xf32>} : () -> tensor<2x2xf32>
  %b = onnx.Constant() {value = dense<[1.0, -1.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %y = onnx.Gemm(%x, %w, %b) : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

// A Relu between two convolutions is the first one's epilogue; a MaxPool passes codes on, with one scale on both sides.
// CHECK-LABEL: func.func @main
// CHECK: onnx.Conv
// CHECK-NEXT: %[[R:.*]] = onnx.Relu
// CHECK: %[[Q:.*]] = onnx.QuantizeLinear(%[[R]], %[[S:.*]], %
// CHECK: %[[D:.*]] = onnx.DequantizeLinear(%[[Q]]
// CHECK: %[[P:[^,]*]], %{{.*}} = onnx.MaxPool(%[[D]])
// CHECK: dense<2.000000e-02> : tensor<f32>
// CHECK: %[[Q2:.*]] = onnx.QuantizeLinear(%[[P]]
// CHECK: %[[D2:.*]] = onnx.DequantizeLinear(%[[Q2]]
// CHECK: onnx.Conv(%[[D2]]
func.func @main(%x: tensor<1x1x4x4xf32> {leaf.ranges = array<f64: 0.0, 1.0>}) -> tensor<1x1x2x2xf32> {
  %n = onnx.NoValue : none
  %w = onnx.Constant() {value = dense<2.0> : tensor<1x1x1x1xf32>} : () -> tensor<1x1x1x1xf32>
  %0 = onnx.Conv(%x, %w, %n) {kernel_shape = array<i64: 1, 1>} : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>, none) -> tensor<1x1x4x4xf32>
  %1 = onnx.Relu(%0) {leaf.ranges = array<f64: 0.0, 5.1>} : (tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
  %2, %i = onnx.MaxPool(%1) {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>, leaf.ranges = array<f64: 0.0, 4.0, 0x7FF8000000000000, 0x7FF8000000000000>} : (tensor<1x1x4x4xf32>) -> (tensor<1x1x2x2xf32>, none)
  %3 = onnx.Conv(%2, %w, %n) {kernel_shape = array<i64: 1, 1>} : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>, none) -> tensor<1x1x2x2xf32>
  return %3 : tensor<1x1x2x2xf32>
}

// -----

// Without a range, or with a reason, a layer stays float, and says why.
// CHECK-LABEL: func.func @main
// CHECK-NOT: onnx.QuantizeLinear
// CHECK: onnx.MatMul{{.*}} {leaf.float = "calibration gave no finite range of its input"}
// CHECK: onnx.MatMul{{.*}} {leaf.float = "asked for"}
func.func @main(%x: tensor<1x2xf32>, %z: tensor<1x2xf32> {leaf.ranges = array<f64: 0.0, 1.0>}) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = onnx.Constant() {value = dense<1.0> : tensor<2x2xf32>} : () -> tensor<2x2xf32>
  %y = onnx.MatMul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %v = onnx.MatMul(%z, %w) {leaf.float = "asked for"} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y, %v : tensor<1x2xf32>, tensor<1x2xf32>
}

// -----

// What a normalization gives is quantized for the product only: the residual keeps its precision.
// CHECK-LABEL: func.func @main
// CHECK: %[[N:.*]], %{{.*}}, %{{.*}} = onnx.LayerNormalization
// CHECK: %[[M:.*]] = onnx.MatMul
// CHECK: onnx.Add(%[[M]], %[[N]])
func.func @main(%x: tensor<2x2xf32>, %s: tensor<2xf32>) -> tensor<2x2xf32> {
  %n = onnx.NoValue : none
  %w = onnx.Constant() {value = dense<1.0> : tensor<2x2xf32>} : () -> tensor<2x2xf32>
  %0, %1, %2 = onnx.LayerNormalization(%x, %s, %n) {leaf.ranges = array<f64: -1.0, 1.0, 0.0, 0.0, 0.0, 0.0>} : (tensor<2x2xf32>, tensor<2xf32>, none) -> (tensor<2x2xf32>, none, none)
  %y = onnx.MatMul(%0, %w) : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %z = onnx.Add(%y, %0) : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return %z : tensor<2x2xf32>
}
