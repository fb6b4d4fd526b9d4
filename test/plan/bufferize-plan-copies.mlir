// RUN: leaf-opt %s -leaf-bufferize-plan | FileCheck %s

// Inputs, reshapes of inputs, weights, and values returned twice are copied into their outputs by one kernel per type.
// CHECK-LABEL: func.func @main
// CHECK-SAME:  (%[[X:.*]]: memref<4xf32>, %[[A:.*]]: memref<4xf32> {plan.output}, %[[B:.*]]: memref<2x2xf32> {plan.output}, %[[C:.*]]: memref<4xf32> {plan.output}, %[[D:.*]]: memref<4xf32> {plan.output}, %[[E:.*]]: memref<4xf32> {plan.output})
// CHECK-DAG:     %[[W:.*]] = leaf.load_weight @w : memref<4xf32>
// CHECK-DAG:     plan.call @k(%[[X]] : memref<4xf32>) outs(%[[D]] : memref<4xf32>)
// CHECK:         plan.call @copy(%[[X]] : memref<4xf32>) outs(%[[A]] : memref<4xf32>)
// CHECK:         plan.call @copy_{{.*}} : memref<2x2xf32>) outs(%[[B]] : memref<2x2xf32>)
// CHECK:         plan.call @copy(%[[W]] : memref<4xf32>) outs(%[[C]] : memref<4xf32>)
// CHECK:         plan.call @copy(%[[D]] : memref<4xf32>) outs(%[[E]] : memref<4xf32>)
// CHECK:         return{{$}}
leaf.weight @w = dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<2x2xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %w = leaf.load_weight @w : tensor<4xf32>
  %r = tensor.expand_shape %x [[0, 1]] output_shape [2, 2] : tensor<4xf32> into tensor<2x2xf32>
  %e = tensor.empty() : tensor<4xf32>
  %0 = plan.call @k(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %x, %r, %w, %0, %0 : tensor<4xf32>, tensor<2x2xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

plan.kernel @k(%0: tensor<4xf32>, %1: tensor<4xf32>) -> tensor<4xf32> attributes {num_outs = 1 : i64} {
  %3 = linalg.exp ins(%0 : tensor<4xf32>) outs(%1 : tensor<4xf32>) -> tensor<4xf32>
  plan.yield %3 : tensor<4xf32>
}

// CHECK: plan.kernel @copy(%[[S:.*]]: tensor<4xf32>, %[[T:.*]]: tensor<4xf32>) -> tensor<4xf32>
// CHECK:   linalg.generic {{.*}} ins(%[[S]] : tensor<4xf32>) outs(%[[T]] : tensor<4xf32>)
