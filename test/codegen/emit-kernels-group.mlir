// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=32 registers=16' -leaf-place-scratch='max-threads=2' -canonicalize -cse | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>

// Rows are the tiles. The temporary shrinks to one row in scratch (at most 100 elements, 448 bytes with alignment; twice
// for two workers, behind the arena); the sum of a row stays in a register.
// CHECK:       module attributes {plan.arena_align = 64 : i64, plan.arena_bytes = 52096 : i64, plan.max_workers = 2 : i64}
// CHECK-LABEL: func.func @main
// CHECK:         %[[S:.*]] = plan.slot 51200 bytes 896 : memref<896xi8>
// CHECK:         plan.launch @scale({{.*}}) scratch(%[[S]] : memref<896xi8>) sizes(%[[N:.*]], %{{.*}}) tiles(%[[N]]) {scratch_bytes = 448 : i64}
// CHECK-LABEL: func.func private @scale(
// CHECK:         memref.view
// CHECK:         scf.for
// CHECK-NOT:       memref.store %{{.*}}[%c0]
// CHECK:           return
module attributes {plan.arena_bytes = 51200 : i64, plan.arena_align = 64 : i64} {
  func.func @main(%m0: index, %n0: index) {
    %m = leaf.bound %m0, 64
    %n = leaf.bound %n0, 100
    %x = plan.slot 0 bytes 25600 [%m, %n] : memref<?x?xf32>
    %y = plan.slot 25600 bytes 25600 [%m, %n] : memref<?x?xf32>
    plan.call @scale(%x : memref<?x?xf32>) outs(%y : memref<?x?xf32>)
    return
  }
  plan.kernel @scale(%0: tensor<?x?xf32>, %1: tensor<?x?xf32>) -> tensor<?x?xf32> attributes {num_outs = 1 : i64, shared_loops = 1 : i64} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %n = tensor.dim %0, %c0 : tensor<?x?xf32>
    %m = tensor.dim %0, %c1 : tensor<?x?xf32>
    %zero = arith.constant 0.0 : f32
    %e = tensor.empty(%n, %m) : tensor<?x?xf32>
    %sq = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<?x?xf32>) outs(%e : tensor<?x?xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.mulf %a, %a : f32
      linalg.yield %s : f32
    } -> tensor<?x?xf32>
    %e1 = tensor.empty(%n) : tensor<?xf32>
    %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<?xf32>) -> tensor<?xf32>
    %sum = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%sq : tensor<?x?xf32>) outs(%f1 : tensor<?xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %a, %o : f32
      linalg.yield %s : f32
    } -> tensor<?xf32>
    %r = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%sq, %sum : tensor<?x?xf32>, tensor<?xf32>) outs(%1 : tensor<?x?xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %s = arith.divf %a, %b : f32
      linalg.yield %s : f32
    } -> tensor<?x?xf32>
    plan.yield %r : tensor<?x?xf32>
  }
}
