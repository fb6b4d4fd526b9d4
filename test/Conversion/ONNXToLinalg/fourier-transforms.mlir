// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg -split-input-file | FileCheck %s

// A prime length is one product of rows and the matrix of the transform; one side of the spectrum is fewer columns.
// CHECK-LABEL: func.func @main
// CHECK: leaf.contract
// CHECK-SAME: tensor<3x13xf32>, tensor<13x14xf32>
// CHECK-NOT: leaf.contract
func.func @main(%x: tensor<3x13x1xf32>) -> tensor<3x7x2xf32> {
  %none = onnx.NoValue : none
  %0 = "onnx.DFT"(%x, %none, %none) {onesided = 1 : i64} : (tensor<3x13x1xf32>, none, none) -> tensor<3x7x2xf32>
  return %0 : tensor<3x7x2xf32>
}

// -----

// 4096 = 16 * 16 * 16: three products with small matrices, the first one real.
// CHECK-LABEL: func.func @main
// CHECK: leaf.contract
// CHECK-SAME: tensor<512x16xf32>, tensor<16x32xf32>
// CHECK: leaf.contract
// CHECK-SAME: tensor<512x32xf32>, tensor<32x32xf32>
// CHECK: leaf.contract
// CHECK-SAME: tensor<512x32xf32>, tensor<32x32xf32>
// CHECK-NOT: leaf.contract
func.func @main(%x: tensor<2x4096x1xf32>) -> tensor<2x4096x2xf32> {
  %none = onnx.NoValue : none
  %0 = "onnx.DFT"(%x, %none, %none) : (tensor<2x4096x1xf32>, none, none) -> tensor<2x4096x2xf32>
  return %0 : tensor<2x4096x2xf32>
}

// -----

// Frames overlap in the signal and are multiplied by the window as they are read.
// CHECK: affine_map<(d0, d1, d2, d3) -> (d0, d1 * 8 + d2, d3)>
// CHECK-LABEL: func.func @main
// CHECK: linalg.generic
// CHECK-SAME: tensor<1x64x1xf32>, tensor<16xf32>
// CHECK: arith.mulf
// CHECK: leaf.contract
// CHECK-SAME: tensor<7x16xf32>, tensor<16x18xf32>
func.func @main(%x: tensor<1x64x1xf32>, %w: tensor<16xf32>) -> tensor<1x7x9x2xf32> {
  %none = onnx.NoValue : none
  %step = onnx.Constant() {value = dense<8> : tensor<i64>} : () -> tensor<i64>
  %0 = "onnx.STFT"(%x, %step, %w, %none) : (tensor<1x64x1xf32>, tensor<i64>, tensor<16xf32>, none) -> tensor<1x7x9x2xf32>
  return %0 : tensor<1x7x9x2xf32>
}
