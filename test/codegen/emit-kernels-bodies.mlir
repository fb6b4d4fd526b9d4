// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=32 registers=16' -canonicalize -cse | FileCheck %s

#row = affine_map<(i, j) -> (i)>
#id = affine_map<(i, j) -> (i, j)>

// A row that the lanes share is looked up once; the row itself is loaded as vectors.
// CHECK-LABEL: func.func private @gather(
// CHECK:         memref.load %{{.*}} : memref<?xi64>
// CHECK:         vector.load %{{.*}} : memref<?xf32>, vector<8xf32>
// CHECK:         vector.store

// i1 is a byte in memory and a vector of i1 in registers; the index of the vector loop is a base and 0, 1, 2, ….
// CHECK-LABEL: func.func private @mask(
// CHECK-SAME:    memref<?xi8>
// CHECK-DAG:     dense<[0, 1, 2, 3, 4, 5, 6, 7]> : vector<8xi32>
// CHECK-DAG:     vector.load %{{.*}} : memref<?xi8>, vector<8xi8>
// CHECK-DAG:     arith.cmpi ne, %{{.*}} : vector<8xi8>
// CHECK-DAG:     arith.cmpi {{sle|sge}}, %{{.*}} : vector<8xi32>
// CHECK:         arith.select %{{.*}} : vector<8xi1>, vector<8xf32>

// A window is unrolled and keeps its maximum in registers; the shape-only operand is no argument of any load.
// CHECK-LABEL: func.func private @pool(
// CHECK-NOT:     iter_args
// CHECK-COUNT-9: vector.load
// CHECK:         vector.store
func.func @main(%i: memref<7xi64>, %t: memref<20x24xf32>, %e: memref<7x24xf32>, %m: memref<24xi1>, %x: memref<1x9x9x8xf32>, %p: memref<1x4x4x8xf32>) {
  plan.call @gather(%i, %t : memref<7xi64>, memref<20x24xf32>) outs(%e : memref<7x24xf32>)
  plan.call @mask(%m : memref<24xi1>) outs(%e : memref<7x24xf32>)
  plan.call @pool(%x : memref<1x9x9x8xf32>) outs(%p : memref<1x4x4x8xf32>)
  return
}
plan.kernel @gather(%0: tensor<7xi64>, %1: tensor<20x24xf32>, %2: tensor<7x24xf32>) -> tensor<7x24xf32> attributes {num_outs = 1 : i64} {
  %r = linalg.generic {indexing_maps = [#row, #id], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<7xi64>) outs(%2 : tensor<7x24xf32>) {
  ^bb0(%a: i64, %o: f32):
    %i = arith.index_cast %a : i64 to index
    %j = linalg.index 1 : index
    %v = tensor.extract %1[%i, %j] : tensor<20x24xf32>
    linalg.yield %v : f32
  } -> tensor<7x24xf32>
  plan.yield %r : tensor<7x24xf32>
}
plan.kernel @mask(%0: tensor<24xi1>, %1: tensor<7x24xf32>) -> tensor<7x24xf32> attributes {num_outs = 1 : i64} {
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (j)>, #id], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<24xi1>) outs(%1 : tensor<7x24xf32>) {
  ^bb0(%a: i1, %o: f32):
    %zero = arith.constant 0.0 : f32
    %low = arith.constant -1.0e9 : f32
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %c = arith.cmpi sle, %j, %i : index
    %d = arith.andi %a, %c : i1
    %v = arith.select %d, %zero, %low : f32
    linalg.yield %v : f32
  } -> tensor<7x24xf32>
  plan.yield %r : tensor<7x24xf32>
}
plan.kernel @pool(%0: tensor<1x9x9x8xf32>, %1: tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32> attributes {num_outs = 1 : i64} {
  %low = arith.constant 0xFF800000 : f32
  %w = tensor.empty() : tensor<3x3xf32>
  %f = linalg.fill ins(%low : f32) outs(%1 : tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(n, h, w, c, i, j) -> (n, h * 2 + i, w * 2 + j, c)>, affine_map<(n, h, w, c, i, j) -> (i, j)>, affine_map<(n, h, w, c, i, j) -> (n, h, w, c)>],
     iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%0, %w : tensor<1x9x9x8xf32>, tensor<3x3xf32>) outs(%f : tensor<1x4x4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.maximumf %a, %o : f32
    linalg.yield %s : f32
  } -> tensor<1x4x4x8xf32>
  plan.yield %r : tensor<1x4x4x8xf32>
}
