// RUN: leaf-opt %s -leaf-assign-arena | FileCheck %s

// %a dies at the second call, so that %c reuses its place; %b is live beside both.
// CHECK:       module attributes {
// CHECK-SAME:    plan.arena_align = 64
// CHECK-SAME:    plan.arena_bytes = 512
// CHECK-SAME:    plan.arena_lower_bound = 512
// CHECK:         plan.slot [[A:[0-9]+]] bytes 256 : memref<64xf32>
// CHECK:         plan.slot [[B:[0-9]+]] bytes 256 : memref<8x8xf32>
// CHECK:         plan.slot [[A]] bytes 256 : memref<50xf32>
func.func @main(%x: memref<64xf32>, %y: memref<50xf32> {plan.output}) {
  %a = memref.alloc() : memref<64xf32>
  %b = memref.alloc() : memref<8x8xf32>
  %c = memref.alloc() : memref<50xf32>
  plan.call @k0(%x : memref<64xf32>) outs(%a : memref<64xf32>)
  %v = memref.expand_shape %a [[0, 1]] output_shape [8, 8] : memref<64xf32> into memref<8x8xf32>
  plan.call @k1(%v : memref<8x8xf32>) outs(%b : memref<8x8xf32>)
  plan.call @k2(%b : memref<8x8xf32>) outs(%c : memref<50xf32>)
  plan.call @k3(%c : memref<50xf32>) outs(%y : memref<50xf32>)
  return
}
plan.kernel @k0(%0: tensor<64xf32>, %1: tensor<64xf32>) -> tensor<64xf32> attributes {num_outs = 1 : i64} {
  plan.yield %1 : tensor<64xf32>
}
plan.kernel @k1(%0: tensor<8x8xf32>, %1: tensor<8x8xf32>) -> tensor<8x8xf32> attributes {num_outs = 1 : i64} {
  plan.yield %1 : tensor<8x8xf32>
}
plan.kernel @k2(%0: tensor<8x8xf32>, %1: tensor<50xf32>) -> tensor<50xf32> attributes {num_outs = 1 : i64} {
  plan.yield %1 : tensor<50xf32>
}
plan.kernel @k3(%0: tensor<50xf32>, %1: tensor<50xf32>) -> tensor<50xf32> attributes {num_outs = 1 : i64} {
  plan.yield %1 : tensor<50xf32>
}
