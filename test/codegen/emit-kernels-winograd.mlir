// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=16 registers=32' -canonicalize -cse | FileCheck %s

// One tile of 4x4 pixels and 8 input channels: 36 loads become 36 points of four lanes in the scratch.
// CHECK-LABEL: func.func private @one(
// CHECK:         scf.for %{{.*}} = %c0 to %c8 step %c4 {
// CHECK-COUNT-36:  vector.load %arg0[%{{.*}}] : memref<?xf32>, vector<4xf32>
// CHECK-NOT:       vector.load
// CHECK-COUNT-36:  vector.store %{{.*}} : memref<{{[0-9]+}}xf32>, vector<4xf32>
// CHECK-NOT:       vector.store
// CHECK:         }
// A product for each point: four vectors of channels, one tile.
// CHECK:         scf.for %{{.*}} = %c0 to %c36 step %c1
// CHECK:           scf.for %{{.*}} = %c0 to %c8 step %c1 iter_args({{(%[^,]*, ){3}%[^,]*}}) ->
// CHECK-COUNT-4:     vector.load %arg1[
// CHECK-COUNT-4:     math.fma

// All pixels of the tile pass through the epilogue.
// CHECK:         scf.for %{{.*}} = %c0 to %c4 step %c1 {
// CHECK-NEXT:      scf.for %{{.*}} = %c0 to %c4 step %c1 {
// CHECK:             arith.maximumf
// CHECK:             vector.store %{{.*}}, %arg2[

// Five rows: the second tile begins at row 1, and only its last row is new.
// CHECK-LABEL: func.func private @two(
// CHECK:         %[[START:.*]] = arith.minui %{{.*}}, %c1 : index
// CHECK:         vector.load %arg0[
// CHECK:         %[[NEW:.*]] = arith.subi %{{.*}}, %{{.*}} : index
// CHECK:         scf.for %{{.*}} = %[[NEW]] to %c4 step %c1 {
func.func @main(%x: memref<1x6x6x8xf32>, %y: memref<1x7x6x8xf32>, %w: memref<1x6x6x8x16xf32>,
                %o: memref<1x4x4x16xf32>, %p: memref<1x5x4x16xf32>) {
  plan.call @one(%x, %w : memref<1x6x6x8xf32>, memref<1x6x6x8x16xf32>) outs(%o : memref<1x4x4x16xf32>)
  plan.call @two(%y, %w : memref<1x7x6x8xf32>, memref<1x6x6x8x16xf32>) outs(%p : memref<1x5x4x16xf32>)
  return
}
plan.kernel @one(%0: tensor<1x6x6x8xf32>, %1: tensor<1x6x6x8x16xf32>, %2: tensor<1x4x4x16xf32>) -> tensor<1x4x4x16xf32> attributes {num_outs = 1 : i64} {
  %r = leaf.contract ins(%0, %1 : tensor<1x6x6x8xf32>, tensor<1x6x6x8x16xf32>) outs(%2 : tensor<1x4x4x16xf32>)
    {indexing_maps = [affine_map<(b, h, w, n, i, j, k) -> (b, h + i, w + j, k)>,
                      affine_map<(b, h, w, n, i, j, k) -> (n floordiv 16, i, j, k, n mod 16)>,
                      affine_map<(b, h, w, n, i, j, k) -> (b, h, w, n)>],
     iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"],
     winograd = 4 : i64}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
    rhs { ^bb0(%q: f32): leaf.yield %q : f32 }
    epilogue { ^bb0(%acc: f32):
      %zero = arith.constant 0.0 : f32
      %m = arith.maximumf %acc, %zero : f32
      leaf.yield %m : f32 } -> tensor<1x4x4x16xf32>
  plan.yield %r : tensor<1x4x4x16xf32>
}
plan.kernel @two(%0: tensor<1x7x6x8xf32>, %1: tensor<1x6x6x8x16xf32>, %2: tensor<1x5x4x16xf32>) -> tensor<1x5x4x16xf32> attributes {num_outs = 1 : i64} {
  %r = leaf.contract ins(%0, %1 : tensor<1x7x6x8xf32>, tensor<1x6x6x8x16xf32>) outs(%2 : tensor<1x5x4x16xf32>)
    {indexing_maps = [affine_map<(b, h, w, n, i, j, k) -> (b, h + i, w + j, k)>,
                      affine_map<(b, h, w, n, i, j, k) -> (n floordiv 16, i, j, k, n mod 16)>,
                      affine_map<(b, h, w, n, i, j, k) -> (b, h, w, n)>],
     iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"],
     winograd = 4 : i64}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
    rhs { ^bb0(%q: f32): leaf.yield %q : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<1x5x4x16xf32>
  plan.yield %r : tensor<1x5x4x16xf32>
}
