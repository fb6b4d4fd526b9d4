// RUN: leaf-opt %s -leaf-fuse-graph-patterns -split-input-file | FileCheck %s

// CHECK-LABEL: func.func @gelu_erf
func.func @gelu_erf(%x: tensor<8xf32>) -> tensor<8xf32> {
  %sqrt2 = onnx.Constant() {value = dense<1.41421354> : tensor<f32>} : () -> tensor<f32>
  %one = onnx.Constant() {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
  %half = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %0 = onnx.Div(%x, %sqrt2) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %1 = onnx.Erf(%0) : (tensor<8xf32>) -> tensor<8xf32>
  %2 = onnx.Add(%1, %one) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %3 = onnx.Mul(%x, %2) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  // CHECK-NEXT: %[[G:.*]] = onnx.Gelu(%arg0) :
  // CHECK-NEXT: return %[[G]]
  %4 = onnx.Mul(%3, %half) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  return %4 : tensor<8xf32>
}

// -----

// x * (0.5 * (1 + tanh(c * (x + 0.044715 * x * x * x)))), the factors in another order.
// CHECK-LABEL: func.func @gelu_tanh
func.func @gelu_tanh(%x: tensor<8xf32>) -> tensor<8xf32> {
  %c3 = onnx.Constant() {value = dense<0.044715> : tensor<f32>} : () -> tensor<f32>
  %c = onnx.Constant() {value = dense<0.797884583> : tensor<f32>} : () -> tensor<f32>
  %one = onnx.Constant() {value = dense<1.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %half = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %0 = onnx.Mul(%c3, %x) : (tensor<f32>, tensor<8xf32>) -> tensor<8xf32>
  %1 = onnx.Mul(%x, %0) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %2 = onnx.Mul(%1, %x) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %3 = onnx.Add(%x, %2) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %4 = onnx.Mul(%c, %3) : (tensor<f32>, tensor<8xf32>) -> tensor<8xf32>
  %5 = onnx.Tanh(%4) : (tensor<8xf32>) -> tensor<8xf32>
  %6 = onnx.Add(%one, %5) : (tensor<1xf32>, tensor<8xf32>) -> tensor<8xf32>
  %7 = onnx.Mul(%half, %6) : (tensor<f32>, tensor<8xf32>) -> tensor<8xf32>
  // CHECK-NEXT: %[[G:.*]] = onnx.Gelu(%arg0) {approximate = "tanh"}
  // CHECK-NEXT: return %[[G]]
  %8 = onnx.Mul(%x, %7) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %8 : tensor<8xf32>
}

// -----

// Another constant is another function.
// CHECK-LABEL: func.func @no_gelu
func.func @no_gelu(%x: tensor<8xf32>) -> tensor<8xf32> {
  %c = onnx.Constant() {value = dense<0.7> : tensor<f32>} : () -> tensor<f32>
  %one = onnx.Constant() {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
  %half = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %0 = onnx.Mul(%x, %c) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  // CHECK: onnx.Erf
  %1 = onnx.Erf(%0) : (tensor<8xf32>) -> tensor<8xf32>
  %2 = onnx.Add(%1, %one) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %3 = onnx.Mul(%x, %2) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %4 = onnx.Mul(%3, %half) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  return %4 : tensor<8xf32>
}

// -----

// CHECK-LABEL: func.func @layer_normalization
func.func @layer_normalization(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %axes = onnx.Constant() {value = dense<-1> : tensor<1xi64>} : () -> tensor<1xi64>
  %two = onnx.Constant() {value = dense<2.0> : tensor<f32>} : () -> tensor<f32>
  %eps = onnx.Constant() {value = dense<1.0e-5> : tensor<f32>} : () -> tensor<f32>
  // CHECK: %[[G:.*]] = onnx.Constant() {value = dense<[1.0{{.*}}, 2.0
  %g = onnx.Constant() {value = dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>} : () -> tensor<4xf32>
  // CHECK: %[[B:.*]] = onnx.Constant() {value = dense<[5.0{{.*}}, 6.0
  %b = onnx.Constant() {value = dense<[5.0, 6.0, 7.0, 8.0]> : tensor<4xf32>} : () -> tensor<4xf32>
  %m = onnx.ReduceMean(%x, %axes) : (tensor<2x3x4xf32>, tensor<1xi64>) -> tensor<2x3x1xf32>
  %d = onnx.Sub(%x, %m) : (tensor<2x3x4xf32>, tensor<2x3x1xf32>) -> tensor<2x3x4xf32>
  %s = onnx.Pow(%d, %two) : (tensor<2x3x4xf32>, tensor<f32>) -> tensor<2x3x4xf32>
  %v = onnx.ReduceMean(%s, %axes) : (tensor<2x3x4xf32>, tensor<1xi64>) -> tensor<2x3x1xf32>
  %e = onnx.Add(%v, %eps) : (tensor<2x3x1xf32>, tensor<f32>) -> tensor<2x3x1xf32>
  %q = onnx.Sqrt(%e) : (tensor<2x3x1xf32>) -> tensor<2x3x1xf32>
  %n = onnx.Div(%d, %q) : (tensor<2x3x4xf32>, tensor<2x3x1xf32>) -> tensor<2x3x4xf32>
  %o = onnx.Mul(%n, %g) : (tensor<2x3x4xf32>, tensor<4xf32>) -> tensor<2x3x4xf32>
  // CHECK: onnx.LayerNormalization(%arg0, %[[G]], %[[B]]) {axis = 2 : i64
  // CHECK-NEXT: return
  %r = onnx.Add(%o, %b) : (tensor<2x3x4xf32>, tensor<4xf32>) -> tensor<2x3x4xf32>
  return %r : tensor<2x3x4xf32>
}

// -----

// CHECK-LABEL: func.func @softmax
func.func @softmax(%x: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %axes = onnx.Constant() {value = dense<1> : tensor<1xi64>} : () -> tensor<1xi64>
  %m = onnx.ReduceMax(%x, %axes) : (tensor<2x8xf32>, tensor<1xi64>) -> tensor<2x1xf32>
  %d = onnx.Sub(%x, %m) : (tensor<2x8xf32>, tensor<2x1xf32>) -> tensor<2x8xf32>
  %e = onnx.Exp(%d) : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %s = onnx.ReduceSum(%e, %axes) : (tensor<2x8xf32>, tensor<1xi64>) -> tensor<2x1xf32>
  // CHECK-NEXT: onnx.Softmax(%arg0) {axis = 1 : i64}
  // CHECK-NEXT: return
  %r = onnx.Div(%e, %s) : (tensor<2x8xf32>, tensor<2x1xf32>) -> tensor<2x8xf32>
  return %r : tensor<2x8xf32>
}
