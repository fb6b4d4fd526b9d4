// RUN: leaf-opt %s -leaf-bufferize-plan | FileCheck %s

// The last kernel writes the output itself, through a reshape; the intermediate stays an allocation.
// CHECK-LABEL: func.func @main
// CHECK-SAME:  (%[[X:.*]]: memref<4xf32> {leaf.name = "x"}, %[[Y:.*]]: memref<2x2xf32> {leaf.name = "y", plan.output})
// CHECK-DAG:     %[[W:.*]] = leaf.load_weight @w : memref<4xf32>
// CHECK-DAG:     %[[T:.*]] = memref.alloc()
// CHECK-DAG:     plan.call @k(%[[X]], %[[W]] : memref<4xf32>, memref<4xf32>) outs(%[[T]] : memref<4xf32>)
// CHECK-DAG:     %[[V:.*]] = memref.reinterpret_cast %[[Y]] to offset: [0], sizes: [4], strides: [1]
// CHECK:         plan.call @k(%[[T]], %[[W]] : memref<4xf32>, memref<4xf32>) outs(%[[V]] : memref<4xf32>)
// CHECK-NOT:     memref.copy
// CHECK:         return{{$}}
leaf.weight @w = dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
func.func @main(%x: tensor<4xf32> {leaf.name = "x"}) -> (tensor<2x2xf32> {leaf.name = "y"}) {
  %w = leaf.load_weight @w : tensor<4xf32>
  %e0 = tensor.empty() : tensor<4xf32>
  %0 = plan.call @k(%x, %w : tensor<4xf32>, tensor<4xf32>) outs(%e0 : tensor<4xf32>) -> tensor<4xf32>
  %1 = plan.call @k(%0, %w : tensor<4xf32>, tensor<4xf32>) outs(%e0 : tensor<4xf32>) -> tensor<4xf32>
  %2 = tensor.expand_shape %1 [[0, 1]] output_shape [2, 2] : tensor<4xf32> into tensor<2x2xf32>
  return %2 : tensor<2x2xf32>
}

// CHECK: plan.kernel @k(%{{.*}}: tensor<4xf32>, %{{.*}}: tensor<4xf32>, %{{.*}}: tensor<4xf32>) -> tensor<4xf32>
plan.kernel @k(%0: tensor<4xf32>, %1: tensor<4xf32>, %2: tensor<4xf32>) -> tensor<4xf32> attributes {num_outs = 1 : i64} {
  %3 = linalg.add ins(%0, %1 : tensor<4xf32>, tensor<4xf32>) outs(%2 : tensor<4xf32>) -> tensor<4xf32>
  plan.yield %3 : tensor<4xf32>
}
