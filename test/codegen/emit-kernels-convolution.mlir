// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=32 registers=16' -canonicalize -cse | FileCheck %s

// Window columns and input channels are one contiguous reduction: 3 * 8 steps inside the loop over window rows.
// CHECK-LABEL: func.func private @conv(
// CHECK:         scf.for %{{.*}} = %c0 to %c3 step %c1 iter_args({{(%[^,]*, ){11}%[^,]*}}) ->
// CHECK:           scf.for %{{.*}} = %c0 to %c24 step %c1 iter_args({{(%[^,]*, ){11}%[^,]*}}) ->

// Depthwise: channels are the lanes, the window is unrolled; six pixels share their inputs: 3 * 8 loads and 9 weights.
// CHECK-LABEL: func.func private @depthwise(
// CHECK-NOT:       iter_args
// CHECK-COUNT-33:  vector.load %{{.*}} : memref<?xf32>, vector<8xf32>
// CHECK-NOT:       vector.load
// CHECK-COUNT-6:   vector.store
func.func @main(%x: memref<1x8x8x8xf32>, %w: memref<1x3x3x8x16xf32>, %o: memref<1x6x6x16xf32>, %d: memref<3x3x8xf32>, %p: memref<1x6x6x8xf32>) {
  plan.call @conv(%x, %w : memref<1x8x8x8xf32>, memref<1x3x3x8x16xf32>) outs(%o : memref<1x6x6x16xf32>)
  plan.call @depthwise(%x, %d : memref<1x8x8x8xf32>, memref<3x3x8xf32>) outs(%p : memref<1x6x6x8xf32>)
  return
}
plan.kernel @conv(%0: tensor<1x8x8x8xf32>, %1: tensor<1x3x3x8x16xf32>, %2: tensor<1x6x6x16xf32>) -> tensor<1x6x6x16xf32> attributes {num_outs = 1 : i64} {
  %r = leaf.contract ins(%0, %1 : tensor<1x8x8x8xf32>, tensor<1x3x3x8x16xf32>) outs(%2 : tensor<1x6x6x16xf32>)
    {indexing_maps = [affine_map<(b, h, w, n, i, j, k) -> (b, h + i, w + j, k)>,
                      affine_map<(b, h, w, n, i, j, k) -> (n floordiv 16, i, j, k, n mod 16)>,
                      affine_map<(b, h, w, n, i, j, k) -> (b, h, w, n)>],
     iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
    rhs { ^bb0(%q: f32): leaf.yield %q : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<1x6x6x16xf32>
  plan.yield %r : tensor<1x6x6x16xf32>
}
plan.kernel @depthwise(%0: tensor<1x8x8x8xf32>, %1: tensor<3x3x8xf32>, %2: tensor<1x6x6x8xf32>) -> tensor<1x6x6x8xf32> attributes {num_outs = 1 : i64} {
  %r = leaf.contract ins(%0, %1 : tensor<1x8x8x8xf32>, tensor<3x3x8xf32>) outs(%2 : tensor<1x6x6x8xf32>)
    {indexing_maps = [affine_map<(b, h, w, c, i, j) -> (b, h + i, w + j, c)>, affine_map<(b, h, w, c, i, j) -> (i, j, c)>,
                      affine_map<(b, h, w, c, i, j) -> (b, h, w, c)>],
     iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
    rhs { ^bb0(%q: f32): leaf.yield %q : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<1x6x6x8xf32>
  plan.yield %r : tensor<1x6x6x8xf32>
}
