// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// One contraction projects all inputs; the loop over time carries both states in buffers of its own and appends to y.
// CHECK-LABEL: func.func @main
// CHECK: %[[XW:.*]] = leaf.contract ins(%{{.*}}, %{{.*}} : tensor<7x2x3xf32>, tensor<3x16xf32>)
// CHECK: scf.for %[[T:.*]] = %c0 to %c7 step %c1 iter_args(%[[H:.*]] = %{{.*}}, %[[C:.*]] = %{{.*}}, %[[Y:.*]] = %{{.*}})
// CHECK:   tensor.extract_slice %[[XW]][%[[T]], 0, 0] [1, 2, 16] [1, 1, 1]
// CHECK:   leaf.contract ins(%[[H]], %{{.*}} : tensor<2x4xf32>, tensor<4x16xf32>)
// CHECK:   %[[N:.*]]:3 = linalg.generic
// CHECK:   %[[Y1:.*]] = tensor.insert_slice %{{.*}} into %[[Y]][%[[T]], 0, 0]
// CHECK:   %[[H1:.*]] = bufferization.materialize_in_destination %[[N]]#0 in %[[H]]
// CHECK:   %[[C1:.*]] = bufferization.materialize_in_destination %[[N]]#1 in %[[C]]
// CHECK:   scf.yield %[[H1]], %[[C1]], %[[Y1]]
leaf.weight @w = dense<1.0> : tensor<1x16x3xf32>
leaf.weight @r = dense<1.0> : tensor<1x16x4xf32>
func.func @main(%x: tensor<7x2x3xf32>) -> tensor<7x1x2x4xf32> {
  %w = leaf.load_weight @w : tensor<1x16x3xf32>
  %r = leaf.load_weight @r : tensor<1x16x4xf32>
  %n = onnx.NoValue : none
  %y, %h, %c = "onnx.LSTM"(%x, %w, %r, %n, %n, %n, %n, %n) {hidden_size = 4 : i64} : (tensor<7x2x3xf32>, tensor<1x16x3xf32>, tensor<1x16x4xf32>, none, none, none, none, none) -> (tensor<7x1x2x4xf32>, none, none)
  return %y : tensor<7x1x2x4xf32>
}
