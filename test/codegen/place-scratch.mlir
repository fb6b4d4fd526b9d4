// RUN: leaf-opt %s -leaf-place-scratch=max-threads=2 | FileCheck %s

// One slot behind the arena serves both launches: the larger scratch, for each of two workers.
// CHECK: module attributes {plan.arena_align = 64 : i64, plan.arena_bytes = 640 : i64, plan.max_workers = 2 : i64}
module attributes {plan.arena_align = 64 : i64, plan.arena_bytes = 128 : i64} {
  // CHECK: func.func @main
  func.func @main(%x: memref<8xf32>) {
    %c1 = arith.constant 1 : index
    // CHECK: plan.slot 128 bytes 512 : memref<{{.*}}xi8>
    // CHECK: plan.launch @k(%{{.*}} : memref<8xf32>) scratch(
    plan.launch @k(%x : memref<8xf32>) tiles(%c1) {scratch_bytes = 64 : i64}
    // CHECK: plan.launch @k(%{{.*}} : memref<8xf32>) scratch(
    plan.launch @k(%x : memref<8xf32>) tiles(%c1) {scratch_bytes = 256 : i64}
    return
  }
  func.func private @k(%0: memref<?xf32>, %s: memref<?xi8>, %b: index, %e: index) attributes {leaf.kernel} {
    return
  }
}
