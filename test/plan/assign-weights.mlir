// RUN: leaf-opt %s -leaf-assign-weights | FileCheck %s

// In the order of first use, each at a multiple of 64; what nothing uses goes.
// CHECK:     module attributes {plan.weight_bytes = 128 : i64}
// CHECK:     leaf.weight @a = {{.*}} {plan.offset = 64 : i64}
// CHECK-NOT: leaf.weight @unused
// CHECK:     leaf.weight @b = {{.*}} {plan.offset = 0 : i64}
leaf.weight @a = dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
leaf.weight @unused = dense<[1.0, 2.0]> : tensor<2xf32>
leaf.weight @b = dense<[1, 2]> : tensor<2xi8>
func.func @main(%y: memref<3xf32>) {
  %u = leaf.load_weight @unused : memref<2xf32>
  %b = leaf.load_weight @b : memref<2xi8>
  %a = leaf.load_weight @a : memref<3xf32>
  plan.call @k(%a, %b : memref<3xf32>, memref<2xi8>) outs(%y : memref<3xf32>)
  return
}
plan.kernel @k(%0: tensor<3xf32>, %1: tensor<2xi8>, %2: tensor<3xf32>) -> tensor<3xf32> attributes {num_outs = 1 : i64} {
  plan.yield %2 : tensor<3xf32>
}
