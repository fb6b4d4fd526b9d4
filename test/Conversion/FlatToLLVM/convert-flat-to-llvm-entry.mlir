// RUN: leaf-opt %s -leaf-convert-flat-to-llvm -split-input-file | FileCheck %s

// Null pointers are found before anything is read through them.
module attributes {leaf.model = "net", plan.arena_bytes = 128 : i64, plan.weight_bytes = 192 : i64} {
  leaf.weight @w = dense<1.0> : tensor<4xf32> {plan.offset = 128 : i64}
  func.func @main(%x: memref<4xf32>, %y: memref<4xf32> {plan.output}) {
    %c1 = arith.constant 1 : index
    %w = leaf.load_weight @w : memref<4xf32>
    %s = plan.slot 64 bytes 16 : memref<4xf32>
    plan.launch @k(%x, %w, %s, %y : memref<4xf32>, memref<4xf32>, memref<4xf32>, memref<4xf32>) tiles(%c1)
    return
  }
  func.func private @k(%0: memref<?xf32>, %1: memref<?xf32>, %2: memref<?xf32>, %3: memref<?xf32> {leaf.restrict},
                       %scratch: memref<?xi8>, %begin: index, %end: index) attributes {leaf.kernel} { return }
}
// CHECK-NOT: leaf.weight
// CHECK-LABEL: llvm.func @net_entry(
// CHECK-SAME:    %[[CTX:.*]]: !llvm.ptr, %[[BUFS:.*]]: !llvm.ptr, %[[DIMS:.*]]: !llvm.ptr) -> i32
// CHECK:         llvm.icmp "eq" %[[CTX]],
// CHECK:         llvm.icmp "eq" %[[BUFS]],
// CHECK-NOT:     llvm.icmp "eq" %[[DIMS]],
// CHECK:         llvm.cond_br %{{.*}}, ^[[ARGUMENT:bb[0-9]+]], ^
// CHECK:         llvm.getelementptr %[[CTX]][0, 0]
// CHECK:         %[[ARENA:.*]] = llvm.load
// CHECK:         llvm.getelementptr %[[CTX]][0, 2]
// CHECK:         %[[WEIGHTS:.*]] = llvm.load
// CHECK:         llvm.icmp "eq" %[[ARENA]],
// CHECK:         llvm.icmp "eq" %[[WEIGHTS]],
// CHECK:         llvm.getelementptr %[[BUFS]][0]
// CHECK:         %[[X:.*]] = llvm.load
// CHECK:         llvm.getelementptr %[[BUFS]][1]
// CHECK:         %[[Y:.*]] = llvm.load
// CHECK:         llvm.cond_br %{{.*}}, ^[[ARGUMENT]], ^
// CHECK:         %[[W:.*]] = llvm.getelementptr inbounds %[[WEIGHTS]]
// CHECK:         %[[S:.*]] = llvm.getelementptr inbounds %[[ARENA]]
// CHECK:         llvm.call @k(%[[X]], %[[W]], %[[S]], %[[Y]],
// CHECK:       ^[[ARGUMENT]]:
// CHECK-NEXT:    %[[CODE:.*]] = llvm.mlir.constant(1 : i32)
// CHECK-NEXT:    llvm.return %[[CODE]]
// CHECK:       llvm.func internal @k(
// CHECK-SAME:    %arg0: !llvm.ptr {llvm.noundef}
// CHECK-SAME:    %arg3: !llvm.ptr {llvm.noalias, llvm.noundef}, %arg4: !llvm.ptr {llvm.noalias, llvm.noundef}

// -----

// A size is checked against its bound, unsigned so that negative ones fail; results follow the sizes.
module attributes {leaf.model = "net", leaf.bounds = {past = 63 : i64}} {
  func.func @main(%past: index {leaf.dim = "past"}) -> index {
    %c1 = arith.constant 1 : index
    %n = leaf.bound %past, 63
    %m = arith.addi %n, %c1 : index
    return %m : index
  }
}
// CHECK-LABEL: llvm.func @net_entry(
// CHECK-SAME:    %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %[[DIMS:.*]]: !llvm.ptr)
// CHECK:         llvm.icmp "eq" %[[DIMS]],
// CHECK:         llvm.getelementptr %[[DIMS]][0]
// CHECK:         %[[PAST:.*]] = llvm.load
// CHECK:         %[[MAX:.*]] = llvm.mlir.constant(63 : i64)
// CHECK:         %[[ABOVE:.*]] = llvm.icmp "ugt" %[[PAST]], %[[MAX]]
// CHECK:         llvm.cond_br %[[ABOVE]], ^[[BOUND:bb[0-9]+]], ^
// CHECK:         %[[M:.*]] = llvm.add %[[PAST]],
// CHECK:         %[[AT:.*]] = llvm.getelementptr %[[DIMS]][1]
// CHECK:         llvm.store %[[M]], %[[AT]]
// CHECK:       ^[[BOUND]]:
// CHECK-NEXT:    llvm.mlir.constant(3 : i32)

// -----

// plan.require in a branch leaves the function.
module attributes {leaf.model = "net", leaf.bounds = {n = 8 : i64}} {
  func.func @main(%n: index {leaf.dim = "n"}) {
    %c4 = arith.constant 4 : index
    %big = arith.cmpi ugt, %n, %c4 : index
    scf.if %big {
      %c8 = arith.constant 8 : index
      %ok = arith.cmpi eq, %n, %c8 : index
      plan.require %ok, "n is at most 4, or 8"
    }
    return
  }
}
// CHECK-LABEL: llvm.func @net_entry(
// CHECK:         %[[OK:.*]] = llvm.icmp "eq" %{{.*}}, %{{.*}} : i64
// CHECK-NEXT:    llvm.cond_br %[[OK]], ^{{.*}}, ^[[SHAPE:bb[0-9]+]]
// CHECK:       ^[[SHAPE]]:
// CHECK-NEXT:    llvm.mlir.constant(4 : i32)

// -----

// Many buffers are checked in a loop.
module attributes {leaf.model = "many"} {
  func.func @main(%0: memref<4xf32>, %1: memref<4xf32>, %2: memref<4xf32>, %3: memref<4xf32>, %4: memref<4xf32>,
                  %5: memref<4xf32>, %6: memref<4xf32>, %7: memref<4xf32>, %8: memref<4xf32>, %9: memref<4xf32>,
                  %10: memref<4xf32>, %11: memref<4xf32>, %12: memref<4xf32>, %13: memref<4xf32>, %14:
                  memref<4xf32>, %15: memref<4xf32>, %16: memref<4xf32>) {
    return
  }
}
// CHECK-LABEL: llvm.func @many_entry(
// CHECK-SAME:    %{{.*}}: !llvm.ptr, %[[BUFS:.*]]: !llvm.ptr, %{{.*}}: !llvm.ptr) -> i32
// CHECK:         llvm.cond_br %{{.*}}, ^[[ARGUMENT:bb[0-9]+]], ^
// CHECK:         llvm.br ^[[HEAD:bb[0-9]+]](%{{.*}} : i64)
// CHECK:       ^[[HEAD]](%[[I:.*]]: i64):
// CHECK:         %[[AT:.*]] = llvm.getelementptr %[[BUFS]][%[[I]]] : {{.*}} -> !llvm.ptr, !llvm.ptr
// CHECK:         %[[BUFFER:.*]] = llvm.load %[[AT]]
// CHECK:         %[[NULL:.*]] = llvm.icmp "eq" %[[BUFFER]],
// CHECK:         llvm.cond_br %[[NULL]], ^[[ARGUMENT]], ^[[LATCH:bb[0-9]+]]
// CHECK:       ^[[LATCH]]:
// CHECK:         %[[NEXT:.*]] = llvm.add %[[I]], %{{.*}} : i64
// CHECK:         %[[MORE:.*]] = llvm.icmp "ult" %[[NEXT]], %{{.*}} : i64
// CHECK:         llvm.cond_br %[[MORE]], ^[[HEAD]](%[[NEXT]] : i64), ^
