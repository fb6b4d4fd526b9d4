// RUN: leaf-opt %s -leaf-sparsify-weights=least=0 | FileCheck %s
// RUN: leaf-opt %s -leaf-sparsify-weights="least=0 pattern=2:4" | FileCheck %s --check-prefix=NM
// RUN: leaf-opt %s -leaf-sparsify-weights="least=0 pattern=block2x1" | FileCheck %s --check-prefix=BLOCK
// RUN: leaf-opt %s -leaf-sparsify-weights | FileCheck %s --check-prefix=FEW

// Small layers stay dense: there is little to win.
// FEW-NOT: 0.000000e+00, 5.000000e+00
// Columns of the matrix are output channels: 2 of 4 stay in each column, or half of all, or half of the pairs of columns.
// CHECK{LITERAL}: %1 = onnx.Constant() {value = dense<[[0.000000e+00, 5.000000e+00], [0.000000e+00, -6.000000e+00], [3.000000e+00, 0.000000e+00], [-4.000000e+00, 0.000000e+00]]>
// NM{LITERAL}: %1 = onnx.Constant() {value = dense<[[0.000000e+00, 5.000000e+00], [0.000000e+00, -6.000000e+00], [3.000000e+00, 0.000000e+00], [-4.000000e+00, 0.000000e+00]]>
// BLOCK{LITERAL}: %1 = onnx.Constant() {value = dense<[[1.000000e+00, 5.000000e+00], [2.000000e+00, -6.000000e+00], [0.000000e+00, 0.000000e+00], [0.000000e+00, 0.000000e+00]]>
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x2xf32> {
  %w = onnx.Constant() {value = dense<[[1.0, 5.0], [2.0, -6.0], [3.0, 0.5], [-4.0, 2.0]]> : tensor<4x2xf32>} : () -> tensor<4x2xf32>
  %y = onnx.MatMul(%x, %w) : (tensor<1x4xf32>, tensor<4x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
