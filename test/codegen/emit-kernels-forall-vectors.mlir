// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=32 registers=16' -canonicalize -cse | FileCheck %s

// An innermost loop over neighbours takes vectors, and the rest one by one.
// CHECK-LABEL: func.func private @copy(
// CHECK:         scf.for %{{.*}} = %c0{{.*}} to %c16{{.*}} step %c8
// CHECK:           vector.load {{.*}} vector<8xf32>
// CHECK:           arith.addf %{{.*}} : vector<8xf32>
// CHECK:           vector.store
// CHECK:         scf.for %{{.*}} = %c16{{.*}} to %c20
// CHECK:           memref.load
// CHECK:           arith.addf %{{.*}} : f32
// CHECK:           memref.store

// What one iteration writes another reads: no vectors.
// CHECK-LABEL: func.func private @chain(
// CHECK-NOT:     vector
module attributes {plan.arena_bytes = 1024 : i64, plan.arena_align = 64 : i64} {
  func.func @main() {
    %x = plan.slot 0 bytes 80 : memref<20xf32>
    %y = plan.slot 128 bytes 80 : memref<20xf32>
    %z = plan.slot 256 bytes 84 : memref<21xf32>
    plan.call @copy(%x : memref<20xf32>) outs(%y : memref<20xf32>)
    plan.call @chain(%x : memref<20xf32>) outs(%z : memref<21xf32>)
    return
  }
  plan.kernel @copy(%0: tensor<20xf32>, %1: tensor<20xf32>) -> tensor<20xf32> attributes {num_outs = 1 : i64} {
    %r = leaf.forall ins(%0 : tensor<20xf32>) outs(%1 : tensor<20xf32>) {
    ^bb0(%in: memref<20xf32>, %out: memref<20xf32>):
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c20 = arith.constant 20 : index
      %one = arith.constant 1.0 : f32
      scf.for %j = %c0 to %c20 step %c1 {
        %e = memref.load %in[%j] : memref<20xf32>
        %more = arith.addf %e, %one : f32
        memref.store %more, %out[%j] : memref<20xf32>
      }
      leaf.yield
    } -> tensor<20xf32>
    plan.yield %r : tensor<20xf32>
  }
  plan.kernel @chain(%0: tensor<20xf32>, %1: tensor<21xf32>) -> tensor<21xf32> attributes {num_outs = 1 : i64} {
    %r = leaf.forall ins(%0 : tensor<20xf32>) outs(%1 : tensor<21xf32>) {
    ^bb0(%in: memref<20xf32>, %out: memref<21xf32>):
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c20 = arith.constant 20 : index
      %zero = arith.constant 0.0 : f32
      memref.store %zero, %out[%c0] : memref<21xf32>
      scf.for %j = %c0 to %c20 step %c1 {
        %next = arith.addi %j, %c1 : index
        %e = memref.load %in[%j] : memref<20xf32>
        %sum = memref.load %out[%j] : memref<21xf32>
        %more = arith.addf %e, %sum : f32
        memref.store %more, %out[%next] : memref<21xf32>
      }
      leaf.yield
    } -> tensor<21xf32>
    plan.yield %r : tensor<21xf32>
  }
}
