// RUN: leaf-opt %s -leaf-infer-shapes -split-input-file | FileCheck %s

// Only the size that is really unknown stays open, and the target becomes a constant.
// CHECK-LABEL: func.func @split_heads
func.func @split_heads(%x: tensor<1x?x64xf32> {leaf.dims = ["", "seq", ""]}) -> tensor<*xf32> {
  %i = onnx.Constant() {value = dense<1> : tensor<i64>} : () -> tensor<i64>
  %axis = onnx.Constant() {value = dense<0> : tensor<1xi64>} : () -> tensor<1xi64>
  %one = onnx.Constant() {value = dense<1> : tensor<1xi64>} : () -> tensor<1xi64>
  %heads = onnx.Constant() {value = dense<[4, 16]> : tensor<2xi64>} : () -> tensor<2xi64>
  %s = onnx.Shape(%x) : (tensor<1x?x64xf32>) -> tensor<*xi64>
  %n = onnx.Gather(%s, %i) {axis = 0 : i64} : (tensor<*xi64>, tensor<i64>) -> tensor<*xi64>
  %m = onnx.Unsqueeze(%n, %axis) : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
  %t = onnx.Concat(%one, %m, %heads) {axis = 0 : i64} : (tensor<1xi64>, tensor<*xi64>, tensor<2xi64>) -> tensor<*xi64>
  // CHECK: %[[T:.*]] = onnx.Constant() {value = dense<[1, 0, 4, 16]> : tensor<4xi64>}
  // CHECK: onnx.Reshape(%{{.*}}, %[[T]]){{.*}} -> tensor<1x?x4x16xf32>
  %r = onnx.Reshape(%x, %t) : (tensor<1x?x64xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// CHECK-LABEL: func.func @merge_dims
func.func @merge_dims(%x: tensor<?x4x16xf32> {leaf.dims = ["past", "", ""]}) -> tensor<*xf32> {
  %zero = onnx.Constant() {value = dense<0> : tensor<1xi64>} : () -> tensor<1xi64>
  %c64 = onnx.Constant() {value = dense<64> : tensor<1xi64>} : () -> tensor<1xi64>
  %s = onnx.Shape(%x) : (tensor<?x4x16xf32>) -> tensor<*xi64>
  %n = onnx.Gather(%s, %zero) {axis = 0 : i64} : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
  %t = onnx.Concat(%c64, %n) {axis = 0 : i64} : (tensor<1xi64>, tensor<*xi64>) -> tensor<*xi64>
  // CHECK: value = dense<[64, -1]>
  // CHECK: onnx.Reshape{{.*}} -> tensor<64x?xf32>
  %r = onnx.Reshape(%x, %t) : (tensor<?x4x16xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// A size is no negative number, so the usual "-1 keeps the dimension" of exporters is decided here.
// CHECK-LABEL: func.func @expand_keeps
func.func @expand_keeps(%x: tensor<1x?xf32> {leaf.dims = ["", "n"]}) -> tensor<*xi1> {
  %minus = onnx.Constant() {value = dense<-1> : tensor<2xi64>} : () -> tensor<2xi64>
  %s = onnx.Shape(%x) : (tensor<1x?xf32>) -> tensor<*xi64>
  // CHECK: value = dense<false> : tensor<2xi1>
  %e = onnx.Equal(%s, %minus) : (tensor<*xi64>, tensor<2xi64>) -> tensor<*xi1>
  return %e : tensor<*xi1>
}
