// RUN: leaf-opt %s -leaf-plan-in-place | FileCheck %s

// %b takes over %a, which dies at the call; %c does not take over %b, which is read again.
// CHECK-LABEL: func.func @main
// CHECK:         %[[A:.*]] = memref.alloc() : memref<8xf32>
// CHECK:         %[[C:.*]] = memref.alloc() : memref<2x4xf32>
// CHECK-NOT:     memref.alloc
// CHECK:         plan.call @k(%{{.*}} : memref<8xf32>) outs(%[[A]] : memref<8xf32>)
// CHECK:         plan.call @k(%[[A]] : memref<8xf32>) outs(%[[A]] : memref<8xf32>)
// CHECK:         plan.call @k(%[[A]] : memref<8xf32>) outs(%[[CV:.*]] : memref<8xf32>)
// CHECK:         plan.call @k2(%[[CV]], %[[A]]
func.func @main(%x: memref<8xf32>, %y: memref<8xf32>) {
  %a = memref.alloc() : memref<8xf32>
  %b = memref.alloc() : memref<8xf32>
  %c = memref.alloc() : memref<2x4xf32>
  %cv = memref.collapse_shape %c [[0, 1]] : memref<2x4xf32> into memref<8xf32>
  plan.call @k(%x : memref<8xf32>) outs(%a : memref<8xf32>)
  plan.call @k(%a : memref<8xf32>) outs(%b : memref<8xf32>)
  plan.call @k(%b : memref<8xf32>) outs(%cv : memref<8xf32>)
  plan.call @k2(%cv, %b : memref<8xf32>, memref<8xf32>) outs(%y : memref<8xf32>)
  return
}

plan.kernel @k(%0: tensor<8xf32>, %1: tensor<8xf32>) -> tensor<8xf32> attributes {num_outs = 1 : i64, in_place = array<i64: 0>} {
  plan.yield %1 : tensor<8xf32>
}
plan.kernel @k2(%0: tensor<8xf32>, %1: tensor<8xf32>, %2: tensor<8xf32>) -> tensor<8xf32> attributes {num_outs = 1 : i64, in_place = array<i64: -1>} {
  plan.yield %2 : tensor<8xf32>
}
