// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=64 registers=32' -canonicalize -cse | FileCheck %s

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (n floordiv 32, k, n mod 32)>
#o = affine_map<(m, n, k) -> (m, n)>

// The first two tiles of 14 rows ask for the panel behind the one they use, 512 rows of 32 floats away: each for one
// line of 16 floats in a step, the second one for its later half. Tiles after them ask for what is there.
// CHECK-LABEL: func.func private @rows(
// CHECK:         %[[TILE:.*]] = arith.divui %{{.*}}, %c14
// CHECK:         %[[HALF:.*]] = arith.muli %[[TILE]], %c8192
// CHECK:         %[[AHEAD:.*]] = arith.addi %[[HALF]], %c16384
// CHECK:         %[[EARLY:.*]] = arith.cmpi ult, %[[TILE]], %c2
// CHECK:         %[[SKIP:.*]] = arith.select %[[EARLY]], %[[AHEAD]], %c0
// CHECK:         %[[FROM:.*]] = arith.addi %{{.*}}, %[[SKIP]]
// CHECK:         scf.for %[[K:.*]] = %c0 to %c512 step %c1
// CHECK:           %[[LINE:.*]] = arith.muli %[[K]], %c16
// CHECK:           %[[AT:.*]] = arith.addi %[[FROM]], %[[LINE]]
// CHECK:           memref.prefetch %{{.*}}[%[[AT]]], read, locality<2>, data : memref<?xf32>

// One row walks over all panels once: 4 KiB ahead.
// CHECK-LABEL: func.func private @one_row(
// CHECK:         arith.addi %{{.*}}, %c1024
// CHECK:         memref.prefetch

// Weights that stay in the cache anyway.
// CHECK-LABEL: func.func private @small(
// CHECK-NOT:     memref.prefetch
// CHECK:         return
func.func @main(%x: memref<64x512xf32>, %w: memref<8x512x32xf32>, %y: memref<64x256xf32>, %x1: memref<1x512xf32>,
                %y1: memref<1x256xf32>, %w2: memref<1x64x32xf32>, %x2: memref<64x64xf32>, %y2: memref<64x32xf32>) {
  plan.call @rows(%x, %w : memref<64x512xf32>, memref<8x512x32xf32>) outs(%y : memref<64x256xf32>)
  plan.call @one_row(%x1, %w : memref<1x512xf32>, memref<8x512x32xf32>) outs(%y1 : memref<1x256xf32>)
  plan.call @small(%x2, %w2 : memref<64x64xf32>, memref<1x64x32xf32>) outs(%y2 : memref<64x32xf32>)
  return
}
plan.kernel @rows(%0: tensor<64x512xf32>, %1: tensor<8x512x32xf32>, %2: tensor<64x256xf32>) -> tensor<64x256xf32> attributes {num_outs = 1 : i64} {
  %r = leaf.contract ins(%0, %1 : tensor<64x512xf32>, tensor<8x512x32xf32>) outs(%2 : tensor<64x256xf32>)
    {indexing_maps = [#x, #w, #o], iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%v: f32): leaf.yield %v : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<64x256xf32>
  plan.yield %r : tensor<64x256xf32>
}
plan.kernel @one_row(%0: tensor<1x512xf32>, %1: tensor<8x512x32xf32>, %2: tensor<1x256xf32>) -> tensor<1x256xf32> attributes {num_outs = 1 : i64} {
  %r = leaf.contract ins(%0, %1 : tensor<1x512xf32>, tensor<8x512x32xf32>) outs(%2 : tensor<1x256xf32>)
    {indexing_maps = [#x, #w, #o], iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%v: f32): leaf.yield %v : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<1x256xf32>
  plan.yield %r : tensor<1x256xf32>
}
plan.kernel @small(%0: tensor<64x64xf32>, %1: tensor<1x64x32xf32>, %2: tensor<64x32xf32>) -> tensor<64x32xf32> attributes {num_outs = 1 : i64} {
  %r = leaf.contract ins(%0, %1 : tensor<64x64xf32>, tensor<1x64x32xf32>) outs(%2 : tensor<64x32xf32>)
    {indexing_maps = [#x, #w, #o], iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%v: f32): leaf.yield %v : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<64x32xf32>
  plan.yield %r : tensor<64x32xf32>
}
