// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=32 registers=16' -canonicalize -cse | FileCheck %s

// Its scalar code is reported where the target has vectors.
// CHECK: leaf.scalar_kernels = ["count"]

// The index space of leaf.forall becomes the tiles; accesses become linear; an unused result is scratch.
// CHECK-LABEL: func.func @main
// CHECK:         plan.launch @count({{.*}}) sizes(%[[N:[0-9]+]]{{.*}}) tiles(%[[N]]) {scratch_bytes = 64 : i64}
// CHECK-LABEL: func.func private @count(
// CHECK-SAME:    %[[X:.*]]: memref<?xf32>, %[[O:.*]]: memref<?xi8>, %[[S:.*]]: memref<?xi8> {leaf.restrict}, %{{.*}}: index, %[[BEGIN:.*]]: index, %[[END:.*]]: index)
// CHECK:         %[[T:.*]] = memref.view %[[S]]
// CHECK:         scf.for %[[I:.*]] = %[[BEGIN]] to %[[END]]
// CHECK:           scf.for %[[J:.*]] = %c0{{.*}} to %c4
// CHECK:             %[[ROW:.*]] = arith.muli %[[I]], %c4
// CHECK:             %[[AT:.*]] = arith.addi %[[ROW]], %[[J]]
// CHECK:             memref.load %[[X]][%[[AT]]]
// CHECK:             scf.if
// CHECK:               memref.store %{{.*}}, %[[T]][%[[J]]]
// CHECK:           arith.extui %{{.*}} : i1 to i8
// CHECK:           memref.store %{{.*}}, %[[O]][%[[I]]]
module attributes {plan.arena_bytes = 1024 : i64, plan.arena_align = 64 : i64} {
  func.func @main(%n0: index) {
    %n = leaf.bound %n0, 64
    %x = plan.slot 0 bytes 1024 [%n] : memref<?x4xf32>
    %y = plan.slot 1024 bytes 64 [%n] : memref<?xi1>
    plan.call @count(%x : memref<?x4xf32>) outs(%y : memref<?xi1>) sizes(%n)
    return
  }
  plan.kernel @count(%0: tensor<?x4xf32>, %1: tensor<?xi1>, %n: index) -> tensor<?xi1> attributes {num_outs = 1 : i64} {
    %temp = tensor.empty() : tensor<4xf32>
    %r:2 = leaf.forall ins(%0 : tensor<?x4xf32>) outs(%1, %temp : tensor<?xi1>, tensor<4xf32>) extents(%n) {
    ^bb0(%i: index, %in: memref<?x4xf32>, %out: memref<?xi1>, %t: memref<4xf32>):
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c4 = arith.constant 4 : index
      %zero = arith.constant 0.0 : f32
      scf.for %j = %c0 to %c4 step %c1 {
        %e = memref.load %in[%i, %j] : memref<?x4xf32>
        %more = arith.cmpf ogt, %e, %zero : f32
        scf.if %more {
          memref.store %e, %t[%j] : memref<4xf32>
        }
      }
      %last = memref.load %t[%c1] : memref<4xf32>
      %yes = arith.cmpf ogt, %last, %zero : f32
      memref.store %yes, %out[%i] : memref<?xi1>
      leaf.yield
    } -> tensor<?xi1>, tensor<4xf32>
    plan.yield %r#0 : tensor<?xi1>
  }
}
