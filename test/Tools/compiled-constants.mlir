// RUN: leafc compile %s -o %t.out --start-from=normalize --stop-after=normalize --dump-stages=%t.stages
// RUN: FileCheck %s < %t.stages/02.normalize.mlir

// A product of constants, which the host evaluator does not know, is computed by compiled code.
// CHECK-NOT: onnx.MatMul
// CHECK: onnx.Constant() {value = dense<{{\[}}[1.900000e+01, 2.200000e+01], [4.300000e+01, 5.000000e+01]]>
// CHECK-NOT: onnx.MatMul
module attributes {leaf.model = "m"} {
  func.func @main(%x: tensor<2x2xf32> {leaf.name = "x"}) -> (tensor<2x2xf32> {leaf.name = "y"}) {
    %a = onnx.Constant() {value = dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>} : () -> tensor<2x2xf32>
    %b = onnx.Constant() {value = dense<[[5.0, 6.0], [7.0, 8.0]]> : tensor<2x2xf32>} : () -> tensor<2x2xf32>
    %m = onnx.MatMul(%a, %b) : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
    %y = onnx.Add(%x, %m) : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
    return %y : tensor<2x2xf32>
  }
}
