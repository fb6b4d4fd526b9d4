// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// A state is overwritten in its own buffer by each iteration, a collected output gets one slice.
// CHECK-LABEL: func.func @main
// CHECK: scf.for %[[I:.*]] = %c0 to %c3 step %c1 iter_args(%[[S:.*]] = %{{.*}}, %[[Y:.*]] = %{{.*}}) -> (tensor<2xf32>, tensor<3x2xf32>)
// CHECK:   tensor.extract_slice %{{.*}}[%[[I]], 0] [1, 2] [1, 1]
// CHECK:   %[[SUM:.*]] = linalg.generic
// CHECK:   %[[Y1:.*]] = tensor.insert_slice %{{.*}} into %[[Y]][%[[I]], 0] [1, 2] [1, 1]
// CHECK:   %[[S1:.*]] = bufferization.materialize_in_destination %[[SUM]] in %[[S]]
// CHECK:   scf.yield %[[S1]], %[[Y1]]
func.func @main(%s: tensor<2xf32>, %x: tensor<3x2xf32>) -> (tensor<2xf32>, tensor<3x2xf32>) {
  %0:2 = "onnx.Scan"(%s, %x) ({
  ^bb0(%a: tensor<2xf32>, %b: tensor<2xf32>):
    %1 = onnx.Add(%a, %b) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    onnx.Yield %1, %1 : tensor<2xf32>, tensor<2xf32>
  }) {num_scan_inputs = 1 : i64} : (tensor<2xf32>, tensor<3x2xf32>) -> (tensor<2xf32>, tensor<3x2xf32>)
  return %0#0, %0#1 : tensor<2xf32>, tensor<3x2xf32>
}
