// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// A loop that its condition ends, with room for eight slices: it stops there, and a run that was not done by then ends.
// CHECK-LABEL: func.func @main
// CHECK: %[[MAX:.*]] = arith.minsi
// CHECK: %[[R:.*]]:4 = scf.while (%[[I:.*]] = %{{.*}}, %[[S:.*]] = %{{.*}}, %[[Y:.*]] = %{{.*}}, %[[GO:.*]] = %true)
// CHECK:   %[[MORE:.*]] = arith.cmpi slt, %{{.*}}, %[[MAX]]
// CHECK:   %[[AND:.*]] = arith.andi %[[GO]], %[[MORE]]
// CHECK:   scf.condition(%[[AND]])
// CHECK: do
// CHECK:   tensor.insert_slice
// CHECK:   bufferization.materialize_in_destination
// CHECK:   scf.yield
// CHECK: %[[N:.*]] = leaf.bound %{{.*}}, 8
// CHECK: plan.require %{{.*}}, "a loop needs more iterations than its bound" {bound}
// CHECK: tensor.extract_slice %[[R]]#2[0, 0] [%[[N]], 2] [1, 1]
func.func @main(%x: tensor<2xf32>, %trip: tensor<i64>) -> (tensor<2xf32>, tensor<?x2xf32>) {
  %none = onnx.NoValue : none
  %0:2 = "onnx.Loop"(%trip, %none, %x) ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %s: tensor<2xf32>):
    %1 = onnx.Add(%s, %s) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    %first = onnx.Constant() {value = dense<0> : tensor<i64>} : () -> tensor<i64>
    %e = onnx.Gather(%1, %first) {axis = 0 : i64} : (tensor<2xf32>, tensor<i64>) -> tensor<f32>
    %limit = onnx.Constant() {value = dense<9.0> : tensor<f32>} : () -> tensor<f32>
    %go = onnx.Less(%e, %limit) : (tensor<f32>, tensor<f32>) -> tensor<i1>
    onnx.Yield %go, %1, %s : tensor<i1>, tensor<2xf32>, tensor<2xf32>
  }) {leaf.result_bounds = array<i64: -1, 8>} : (tensor<i64>, none, tensor<2xf32>) -> (tensor<2xf32>, tensor<?x2xf32>)
  return %0#0, %0#1 : tensor<2xf32>, tensor<?x2xf32>
}
