// RUN: leaf-opt %s -leaf-fold-constants -split-input-file | FileCheck %s

// Integer division truncates, a whole chain folds in one run.
// CHECK-LABEL: func.func @integers
func.func @integers() -> tensor<2xi64> {
  %a = onnx.Constant() {value = dense<[-7, 9]> : tensor<2xi64>} : () -> tensor<2xi64>
  %b = onnx.Constant() {value = dense<2> : tensor<i64>} : () -> tensor<i64>
  %c = onnx.Constant() {value = dense<[10, 20]> : tensor<2xi64>} : () -> tensor<2xi64>
  %q = onnx.Div(%a, %b) : (tensor<2xi64>, tensor<i64>) -> tensor<2xi64>
  // CHECK: value = dense<[7, 24]> : tensor<2xi64>
  // CHECK-NOT: onnx.Add
  %r = onnx.Add(%q, %c) : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
  return %r : tensor<2xi64>
}

// -----

// CHECK-LABEL: func.func @slice_backwards
func.func @slice_backwards() -> tensor<2xi64> {
  %x = onnx.Constant() {value = dense<[1, 2, 3, 4]> : tensor<4xi64>} : () -> tensor<4xi64>
  %start = onnx.Constant() {value = dense<-1> : tensor<1xi64>} : () -> tensor<1xi64>
  %end = onnx.Constant() {value = dense<-9223372036854775807> : tensor<1xi64>} : () -> tensor<1xi64>
  %axes = onnx.Constant() {value = dense<0> : tensor<1xi64>} : () -> tensor<1xi64>
  %steps = onnx.Constant() {value = dense<-2> : tensor<1xi64>} : () -> tensor<1xi64>
  // CHECK: value = dense<[4, 2]> : tensor<2xi64>
  %0 = onnx.Slice(%x, %start, %end, %axes, %steps)
      : (tensor<4xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  return %0 : tensor<2xi64>
}

// -----

// CHECK-LABEL: func.func @transpose_and_broadcast
func.func @transpose_and_broadcast() -> tensor<3x2xf32> {
  %x = onnx.Constant() {value = dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>} : () -> tensor<2x3xf32>
  %y = onnx.Constant() {value = dense<[0.5, 2.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %t = onnx.Transpose(%x) {perm = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  // CHECK{LITERAL}: value = dense<[[5.000000e-01, 8.000000e+00], [1.000000e+00, 1.000000e+01], [1.500000e+00, 1.200000e+01]]>
  %m = onnx.Mul(%t, %y) : (tensor<3x2xf32>, tensor<2xf32>) -> tensor<3x2xf32>
  return %m : tensor<3x2xf32>
}

// -----

// Above 256 bytes the value is a weight.
// CHECK-LABEL: func.func @large
func.func @large() -> tensor<100xi64> {
  %a = onnx.Constant() {value = dense<0> : tensor<i64>} : () -> tensor<i64>
  %b = onnx.Constant() {value = dense<100> : tensor<i64>} : () -> tensor<i64>
  %d = onnx.Constant() {value = dense<1> : tensor<i64>} : () -> tensor<i64>
  // CHECK: %[[R:.*]] = leaf.load_weight @[[W:.*]] : tensor<100xi64>
  // CHECK-NEXT: return %[[R]]
  // CHECK: leaf.weight @[[W]] = dense_resource{{.*}} : tensor<100xi64>
  %r = onnx.Range(%a, %b, %d) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<100xi64>
  return %r : tensor<100xi64>
}

// -----

// Division by zero is no value: the op stays.
// CHECK-LABEL: func.func @by_zero
func.func @by_zero() -> tensor<i64> {
  %a = onnx.Constant() {value = dense<1> : tensor<i64>} : () -> tensor<i64>
  %b = onnx.Constant() {value = dense<0> : tensor<i64>} : () -> tensor<i64>
  // CHECK: onnx.Div
  %r = onnx.Div(%a, %b) : (tensor<i64>, tensor<i64>) -> tensor<i64>
  return %r : tensor<i64>
}

// -----

// A quantized weight stays quantized.
leaf.weight @q = dense<1> : tensor<64x8xi8>
// CHECK-LABEL: func.func @dequantize
func.func @dequantize() -> tensor<64x8xf32> {
  %q = leaf.load_weight @q : tensor<64x8xi8>
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %none = onnx.NoValue : none
  // CHECK: onnx.DequantizeLinear
  %r = onnx.DequantizeLinear(%q, %s, %none) : (tensor<64x8xi8>, tensor<f32>, none) -> tensor<64x8xf32>
  return %r : tensor<64x8xf32>
}

// -----

// One scale per row; halves round to even, values saturate.
// CHECK-LABEL: func.func @quantize
func.func @quantize() -> tensor<2x3xi8> {
  %x = onnx.Constant() {value = dense<[[0.5, 1.5, -2.5], [1.0, 300.0, -300.0]]> : tensor<2x3xf32>} : () -> tensor<2x3xf32>
  %s = onnx.Constant() {value = dense<[1.0, 2.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %z = onnx.Constant() {value = dense<[0, 1]> : tensor<2xi8>} : () -> tensor<2xi8>
  // CHECK{LITERAL}: dense<[[0, 2, -2], [1, 127, -128]]> : tensor<2x3xi8>
  %0 = onnx.QuantizeLinear(%x, %s, %z) {axis = 0 : i64} : (tensor<2x3xf32>, tensor<2xf32>, tensor<2xi8>) -> tensor<2x3xi8>
  return %0 : tensor<2x3xi8>
}
