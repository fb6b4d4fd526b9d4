// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=32 registers=16' -canonicalize -cse | FileCheck %s

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n floordiv 16, k, n mod 16)>
#c = affine_map<(m, n, k) -> (m, n)>
#n = affine_map<(m, n, k) -> (n)>

// Six rows of two vectors: 12 accumulators, one load of each rhs vector and one broadcast of each row in a step; the
// bias is loaded once for all rows; 20 rows are 6 + 6 + 4 + 4.
// CHECK-LABEL: func.func @main
// CHECK:         plan.launch @matmul({{.*}}) tiles(%c4
// CHECK-LABEL: func.func private @matmul(
// CHECK-SAME:    memref<?xf32>, %{{[^ ]*}}: memref<?xf32>, %{{[^ ]*}}: memref<?xf32>, %{{[^ ]*}}: memref<?xf32>, %{{[^ ]*}}: memref<?xi8> {leaf.restrict}, %[[B:[^ ]*]]: index, %[[E:[^ ]*]]: index) attributes {leaf.cost = array<i64: {{[0-9]+, [0-9]+}}>, leaf.kernel, nodes = ["fc"]}
// CHECK:         scf.for %{{.*}} = %[[B]] to %[[E]]
// CHECK:           scf.for %[[M:.*]] = %c0 to %c12 step %c6
// CHECK:             scf.for %{{.*}} = %c0 to %c32 step %c1 iter_args({{(%[^,]*, ){11}%[^,]*}}) ->
// CHECK-COUNT-2:       vector.load
// CHECK-NOT:           vector.load
// CHECK-COUNT-6:       vector.broadcast
// CHECK:               math.fma
// CHECK:             scf.yield
// CHECK:           scf.for %{{.*}} = %c0 to %c32 step %c1 iter_args({{(%[^,]*, ){7}%[^,]*}}) ->
// CHECK:           scf.for %{{.*}} = %c0 to %c32 step %c1 iter_args({{(%[^,]*, ){7}%[^,]*}}) ->
func.func @main(%x: memref<20x32xf32>, %w: memref<4x32x16xf32>, %b: memref<64xf32>, %o: memref<20x64xf32>) {
  plan.call @matmul(%x, %w, %b : memref<20x32xf32>, memref<4x32x16xf32>, memref<64xf32>) outs(%o : memref<20x64xf32>)
  return
}
plan.kernel @matmul(%0: tensor<20x32xf32>, %1: tensor<4x32x16xf32>, %2: tensor<64xf32>, %3: tensor<20x64xf32>) -> tensor<20x64xf32>
    attributes {num_outs = 1 : i64, nodes = ["fc"]} {
  %4 = leaf.contract ins(%0, %1 : tensor<20x32xf32>, tensor<4x32x16xf32>) extras(%2 : tensor<64xf32>) outs(%3 : tensor<20x64xf32>)
    {indexing_maps = [#a, #b, #n, #c], iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
    rhs { ^bb0(%r: f32): leaf.yield %r : f32 }
    epilogue { ^bb0(%acc: f32, %e: f32): %s = arith.addf %acc, %e : f32  leaf.yield %s : f32 } -> tensor<20x64xf32>
  plan.yield %4 : tensor<20x64xf32>
}
