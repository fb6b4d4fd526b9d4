// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=32 registers=16' -canonicalize -cse | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#tr = affine_map<(i, j) -> (j, i)>

// CHECK-NOT: leaf.scalar_kernels

// Both loops are one; blocks of 4096 elements are the tiles.
// CHECK-LABEL: func.func @main
// CHECK:         plan.launch @add({{.*}}) tiles(%c2
// CHECK-LABEL: func.func private @add(
// CHECK:         scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step %c8
// CHECK:           %[[A:.*]] = vector.load %{{.*}}[%[[I]]] : memref<?xf32>, vector<8xf32>
// CHECK:           %[[S:.*]] = arith.addf %[[A]], %[[A]] : vector<8xf32>
// CHECK:           vector.store %[[S]], %{{.*}}[%[[I]]]
// CHECK:         scf.for %{{.*}} step %c1
// CHECK:           memref.store

// A reduction along the contiguous loop has four vectors of sums and adds their lanes as a tree.
// CHECK-LABEL: func.func private @sum_rows(
// CHECK:         scf.for {{.*}} step %c32 iter_args({{(%[^,]*, ){3}%[^,]*}}) ->
// CHECK-COUNT-4:   vector.load
// CHECK:         vector.shuffle %{{.*}} [0, 1, 2, 3]
// CHECK:         vector.extract
// CHECK:         memref.store

// A reduction across it keeps columns in lanes.
// CHECK-LABEL: func.func private @sum_columns(
// CHECK:         scf.for %{{.*}} = %c0 to %c70 step %c1 iter_args
// CHECK:           vector.load
// CHECK-NOT:     vector.shuffle
// CHECK:         vector.store

// Rows left over after squares of 8x8 are scalar code.
// CHECK-LABEL: func.func private @transpose(
// CHECK:         vector.shuffle
// CHECK:         memref.load
// CHECK:         return
func.func @main(%x: memref<70x100xf32>, %y: memref<70x100xf32>, %r: memref<70xf32>, %c: memref<100xf32>, %t: memref<100x70xf32>) {
  plan.call @add(%x : memref<70x100xf32>) outs(%y : memref<70x100xf32>)
  plan.call @sum_rows(%x : memref<70x100xf32>) outs(%r : memref<70xf32>)
  plan.call @sum_columns(%x : memref<70x100xf32>) outs(%c : memref<100xf32>)
  plan.call @transpose(%x : memref<70x100xf32>) outs(%t : memref<100x70xf32>)
  return
}
plan.kernel @add(%0: tensor<70x100xf32>, %1: tensor<70x100xf32>) -> tensor<70x100xf32> attributes {num_outs = 1 : i64} {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<70x100xf32>) outs(%1 : tensor<70x100xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<70x100xf32>
  plan.yield %r : tensor<70x100xf32>
}
plan.kernel @sum_rows(%0: tensor<70x100xf32>, %1: tensor<70xf32>) -> tensor<70xf32> attributes {num_outs = 1 : i64} {
  %z = arith.constant 0.0 : f32
  %f = linalg.fill ins(%z : f32) outs(%1 : tensor<70xf32>) -> tensor<70xf32>
  %r = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%0 : tensor<70x100xf32>) outs(%f : tensor<70xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %o : f32
    linalg.yield %s : f32
  } -> tensor<70xf32>
  plan.yield %r : tensor<70xf32>
}
plan.kernel @sum_columns(%0: tensor<70x100xf32>, %1: tensor<100xf32>) -> tensor<100xf32> attributes {num_outs = 1 : i64} {
  %z = arith.constant 0.0 : f32
  %f = linalg.fill ins(%z : f32) outs(%1 : tensor<100xf32>) -> tensor<100xf32>
  %r = linalg.generic {indexing_maps = [#tr, #row], iterator_types = ["parallel", "reduction"]}
      ins(%0 : tensor<70x100xf32>) outs(%f : tensor<100xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %o : f32
    linalg.yield %s : f32
  } -> tensor<100xf32>
  plan.yield %r : tensor<100xf32>
}
plan.kernel @transpose(%0: tensor<70x100xf32>, %1: tensor<100x70xf32>) -> tensor<100x70xf32> attributes {num_outs = 1 : i64} {
  %r = linalg.generic {indexing_maps = [#tr, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<70x100xf32>) outs(%1 : tensor<100x70xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<100x70xf32>
  plan.yield %r : tensor<100x70xf32>
}
