// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=64 registers=32 l2-bytes=2097152' -canonicalize -cse | FileCheck %s
// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=32 registers=16' -canonicalize -cse | FileCheck %s --check-prefix=NARROW

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (n floordiv 32, k, n mod 32)>
#b = affine_map<(m, n, k) -> (n)>
#o = affine_map<(m, n, k) -> (m, n)>

// A panel of 96 KiB exceeds the first level cache: two blocks of 384 steps, with sums of 56 rows and 32 columns in
// scratch. They begin with zeros; bias and result come after the last block.
// CHECK:         plan.launch @rows({{.*}}) tiles(%{{.*}}) {scratch_bytes = 7168 : i64}
// CHECK-LABEL: func.func private @rows(
// CHECK:         %[[SUMS:.*]] = memref.view
// CHECK:         vector.store %{{.*}}, %[[SUMS]]
// CHECK:         scf.for %[[LOWER:.*]] = %c0 to %c768 step %c384
// CHECK:           %[[UPPER:.*]] = arith.addi %[[LOWER]], %c384
// CHECK:           vector.load %[[SUMS]]
// CHECK:           scf.for %{{.*}} = %[[LOWER]] to %{{.*}} step %c1 iter_args
// CHECK:           vector.store %{{.*}}, %[[SUMS]]
// CHECK:         vector.load %[[SUMS]]
// CHECK:         arith.addf

// NARROW-LABEL: func.func private @rows(
// NARROW-NOT:    memref.view
// NARROW:        return
func.func @main(%x: memref<56x768xf32>, %w: memref<8x768x32xf32>, %b: memref<256xf32>, %y: memref<56x256xf32>) {
  plan.call @rows(%x, %w, %b : memref<56x768xf32>, memref<8x768x32xf32>, memref<256xf32>) outs(%y : memref<56x256xf32>)
  return
}
plan.kernel @rows(%0: tensor<56x768xf32>, %1: tensor<8x768x32xf32>, %2: tensor<256xf32>, %3: tensor<56x256xf32>) -> tensor<56x256xf32> attributes {num_outs = 1 : i64} {
  %r = leaf.contract ins(%0, %1 : tensor<56x768xf32>, tensor<8x768x32xf32>) extras(%2 : tensor<256xf32>) outs(%3 : tensor<56x256xf32>)
    {indexing_maps = [#x, #w, #b, #o], iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%v: f32): leaf.yield %v : f32 }
    epilogue { ^bb0(%acc: f32, %e: f32): %s = arith.addf %acc, %e : f32  leaf.yield %s : f32 } -> tensor<56x256xf32>
  plan.yield %r : tensor<56x256xf32>
}
