// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// Branches become regions of scf.if; one that cannot run with the sizes of this build ends the run.
// CHECK-LABEL: func.func @main
// CHECK: %[[C:.*]] = tensor.extract
// CHECK: %[[R:.*]] = scf.if %[[C]] -> (tensor<4xf32>) {
// CHECK:   linalg.generic
// CHECK:   scf.yield
// CHECK: } else {
// CHECK:   plan.require %false, "too short"
// CHECK:   scf.yield
// CHECK: }
func.func @main(%x: tensor<4xf32>, %c: tensor<i1>) -> tensor<4xf32> {
  %0 = "onnx.If"(%c) ({
    %1 = onnx.Constant() {value = dense<0.0> : tensor<4xf32>} : () -> tensor<4xf32>
    onnx.Yield %1 : tensor<4xf32>
  }, {
    %1 = onnx.Relu(%x) : (tensor<4xf32>) -> tensor<4xf32>
    onnx.Yield %1 : tensor<4xf32>
  }) {leaf.invalid_else = "too short"} : (tensor<i1>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
