// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=32 registers=16' -canonicalize -cse | FileCheck %s
// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=0 registers=16 fma=false' -canonicalize -cse | FileCheck %s --check-prefix=SCALAR

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n floordiv 16, k, n mod 16)>
#c = affine_map<(m, n, k) -> (m, n)>

// One row: four panels at once give eight accumulators.
// CHECK-LABEL: func.func private @wide(
// CHECK:         scf.for %{{.*}} = %c0 to %c32 step %c1 iter_args({{(%[^,]*, ){7}%[^,]*}}) ->
// CHECK-COUNT-8:   vector.load
// CHECK-COUNT-8:   math.fma
// CHECK:           scf.yield

// One panel, ten columns: four steps of the reduction have accumulators of their own; the last two columns are stored
// one by one.
// CHECK-LABEL: func.func private @narrow(
// CHECK:         scf.for %{{.*}} = %c0 to %c32 step %c4 iter_args({{(%[^,]*, ){7}%[^,]*}}) ->
// CHECK-COUNT-8:   math.fma
// CHECK:           scf.yield
// CHECK:         vector.store
// CHECK:         vector.shuffle
// CHECK:         vector.store %{{.*}} : memref<?xf32>, vector<2xf32>

// Without vectors the same loops on scalars.
// SCALAR-LABEL: func.func private @wide(
// SCALAR-NOT:     vector
// SCALAR-NOT:     math.fma
// SCALAR:         arith.mulf
// SCALAR:         return
func.func @main(%x: memref<1x32xf32>, %w: memref<4x32x16xf32>, %o: memref<1x64xf32>, %v: memref<1x32x16xf32>, %p: memref<1x10xf32>) {
  plan.call @wide(%x, %w : memref<1x32xf32>, memref<4x32x16xf32>) outs(%o : memref<1x64xf32>)
  plan.call @narrow(%x, %v : memref<1x32xf32>, memref<1x32x16xf32>) outs(%p : memref<1x10xf32>)
  return
}
plan.kernel @wide(%0: tensor<1x32xf32>, %1: tensor<4x32x16xf32>, %2: tensor<1x64xf32>) -> tensor<1x64xf32> attributes {num_outs = 1 : i64} {
  %r = leaf.contract ins(%0, %1 : tensor<1x32xf32>, tensor<4x32x16xf32>) outs(%2 : tensor<1x64xf32>)
    {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
    rhs { ^bb0(%q: f32): leaf.yield %q : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<1x64xf32>
  plan.yield %r : tensor<1x64xf32>
}
plan.kernel @narrow(%0: tensor<1x32xf32>, %1: tensor<1x32x16xf32>, %2: tensor<1x10xf32>) -> tensor<1x10xf32> attributes {num_outs = 1 : i64} {
  %r = leaf.contract ins(%0, %1 : tensor<1x32xf32>, tensor<1x32x16xf32>) outs(%2 : tensor<1x10xf32>)
    {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
    rhs { ^bb0(%q: f32): leaf.yield %q : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<1x10xf32>
  plan.yield %r : tensor<1x10xf32>
}
