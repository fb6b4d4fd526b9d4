// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=16 registers=32' -canonicalize -cse | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#t = affine_map<(i, j) -> (j, i)>

// Squares of 4x4: four loads, two stages of four shuffles, four stores.
// CHECK-LABEL: func.func private @square(
// CHECK-COUNT-4: vector.load %arg0[%{{.*}}] : memref<?xf32>, vector<4xf32>
// CHECK-COUNT-8: vector.shuffle
// CHECK-NOT:     vector.shuffle
// CHECK-COUNT-4: vector.store %{{.*}}, %arg1[%{{.*}}] : memref<?xf32>, vector<4xf32>

// Three channels: a vector of each, interleaved into three.
// CHECK-LABEL: func.func private @three(
// CHECK-COUNT-3: vector.load %arg0[%{{.*}}] : memref<?xf32>, vector<4xf32>
// CHECK:         vector.shuffle %[[A:.*]], %[[B:.*]] [0, 4, 0, 1] :
// CHECK-NEXT:    vector.shuffle %{{.*}}, %{{.*}} [0, 1, 4, 3] :
// CHECK:         vector.shuffle %[[A]], %[[B]] [5, 1, 2, 6] :
// CHECK-NEXT:    vector.shuffle %{{.*}}, %{{.*}} [0, 5, 2, 3] :
// CHECK:         vector.shuffle %[[A]], %[[B]] [2, 3, 7, 3] :
// CHECK-NEXT:    vector.shuffle %{{.*}}, %{{.*}} [6, 1, 2, 7] :
func.func @main(%x: memref<12x8xf32>, %o: memref<8x12xf32>, %y: memref<3x64xf32>, %p: memref<64x3xf32>) {
  plan.call @square(%x : memref<12x8xf32>) outs(%o : memref<8x12xf32>)
  plan.call @three(%y : memref<3x64xf32>) outs(%p : memref<64x3xf32>)
  return
}
plan.kernel @square(%0: tensor<12x8xf32>, %1: tensor<8x12xf32>) -> tensor<8x12xf32> attributes {num_outs = 1 : i64} {
  %r = linalg.generic {indexing_maps = [#t, #id], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<12x8xf32>) outs(%1 : tensor<8x12xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<8x12xf32>
  plan.yield %r : tensor<8x12xf32>
}
plan.kernel @three(%0: tensor<3x64xf32>, %1: tensor<64x3xf32>) -> tensor<64x3xf32> attributes {num_outs = 1 : i64} {
  %r = linalg.generic {indexing_maps = [#t, #id], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<3x64xf32>) outs(%1 : tensor<64x3xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<64x3xf32>
  plan.yield %r : tensor<64x3xf32>
}
