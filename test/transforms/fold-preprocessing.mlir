// RUN: leaf-opt %s -leaf-fold-preprocessing -split-input-file | FileCheck %s

// A camera frame: uint8 NHWC to float32 NCHW, each channel with its own mean and deviation; the Transpose comes last.
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:.*]]: tensor<1x4x5x3xui8> {leaf.dims = ["n", "h", "w", "c"], leaf.element_type = "uint8", leaf.name = "image"}
// CHECK: %[[F:.*]] = onnx.Cast(%[[X]]) {to = 1 : i64} : (tensor<1x4x5x3xui8>) -> tensor<1x4x5x3xf32>
// CHECK: %[[M:.*]] = onnx.Constant() {value = dense<[1.000000e+00, 2.000000e+00, 3.000000e+00]> : tensor<3xf32>}
// CHECK: %[[C:.*]] = onnx.Sub(%[[F]], %[[M]])
// CHECK: %[[D:.*]] = onnx.Constant() {value = dense<[4.000000e+00, 5.000000e+00, 6.000000e+00]> : tensor<3xf32>}
// CHECK: %[[S:.*]] = onnx.Div(%[[C]], %[[D]])
// CHECK: %[[T:.*]] = onnx.Transpose(%[[S]]) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x4x5x3xf32>) -> tensor<1x3x4x5xf32>
// CHECK: onnx.Relu(%[[T]])
func.func @main(%x: tensor<1x3x4x5xf32> {leaf.name = "image", leaf.dims = ["n", "c", "h", "w"], leaf.preprocess = {
      perm = array<i64: 0, 3, 1, 2>, channel_axis = 3 : i64, type = ui8, mean = array<f64: 1.0, 2.0, 3.0>,
      std = array<f64: 4.0, 5.0, 6.0>}}) -> (tensor<1x3x4x5xf32> {leaf.name = "y"}) {
  %0 = onnx.Relu(%x) : (tensor<1x3x4x5xf32>) -> tensor<1x3x4x5xf32>
  return %0 : tensor<1x3x4x5xf32>
}

// -----

// In the model's own layout channels are axis 1; all uses see the result, the returned one too.
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:.*]]: tensor<1x2x4x4xf32>
// CHECK: %[[M:.*]] = onnx.Constant() {value = dense<{{\[\[\[}}1.000000e+00{{\]\]}}, {{\[\[}}2.000000e+00{{\]\]\]}}> : tensor<2x1x1xf32>}
// CHECK: %[[C:.*]] = onnx.Sub(%[[X]], %[[M]])
// CHECK: %[[R:.*]] = onnx.Relu(%[[C]])
// CHECK: return %[[R]], %[[C]]
func.func @main(%x: tensor<1x2x4x4xf32> {leaf.name = "x", leaf.preprocess = {mean = array<f64: 1.0, 2.0>}})
    -> (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) {
  %0 = onnx.Relu(%x) : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  return %0, %x : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>
}

// -----

// Half-precision models get values that were computed in float32.
// CHECK-LABEL: func.func @main
// CHECK: onnx.Cast(%{{.*}}) {to = 1 : i64} : (tensor<4xui8>) -> tensor<4xf32>
// CHECK: %[[D:.*]] = onnx.Div({{.*}}) : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
// CHECK: onnx.Cast(%[[D]]) {to = 10 : i64} : (tensor<4xf32>) -> tensor<4xf16>
func.func @main(%x: tensor<4xf16> {leaf.name = "x", leaf.preprocess = {type = ui8, std = array<f64: 255.0>}}) -> tensor<4xf16> {
  %0 = onnx.Relu(%x) : (tensor<4xf16>) -> tensor<4xf16>
  return %0 : tensor<4xf16>
}

// -----

// A mean of 0, a deviation of 1 and an order that is the same are no ops.
// CHECK-LABEL: func.func @main
// CHECK-NEXT: onnx.Relu
func.func @main(%x: tensor<1x2xf32> {leaf.name = "x", leaf.preprocess = {
      perm = array<i64: 0, 1>, mean = array<f64: 0.0>, std = array<f64: 1.0>, type = f32}}) -> tensor<1x2xf32> {
  %0 = onnx.Relu(%x) : (tensor<1x2xf32>) -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----

// The index of the maximum takes the output's place, whether its rank is known yet or not.
// CHECK-LABEL: func.func @main
// CHECK-SAME: -> (tensor<?x3xi64> {leaf.dims = ["n", ""], leaf.name = "scores"}, tensor<*xi64> {leaf.name = "other"})
// CHECK: onnx.ArgMax(%{{.*}}) {axis = 1 : i64, keepdims = 0 : i64} : (tensor<?x8x3xf32>) -> tensor<?x3xi64>
// CHECK: onnx.ArgMax(%{{.*}}) {axis = -1 : i64, {{.*}}} : (tensor<*xf32>) -> tensor<*xi64>
func.func @main(%x: tensor<?x8x3xf32> {leaf.name = "x", leaf.dims = ["n", "", ""]})
    -> (tensor<?x8x3xf32> {leaf.name = "scores", leaf.dims = ["n", "", ""], leaf.argmax = 1 : i64},
        tensor<*xf32> {leaf.name = "other", leaf.argmax = -1 : i64}) {
  %0 = onnx.Relu(%x) : (tensor<?x8x3xf32>) -> tensor<?x8x3xf32>
  %1 = onnx.Neg(%x) : (tensor<?x8x3xf32>) -> tensor<*xf32>
  return %0, %1 : tensor<?x8x3xf32>, tensor<*xf32>
}
