// RUN: leaf-opt %s -leaf-convert-flat-to-llvm | FileCheck %s

module attributes {leaf.model = "net"} {
  func.func @main(%x: memref<8xf32>, %y: memref<8xf32> {plan.output}) {
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c8 = arith.constant 8 : index
    %scratch = plan.slot 0 bytes 256 : memref<256xi8>
    plan.launch @k(%x, %y : memref<8xf32>, memref<8xf32>) sizes(%c8) tiles(%c1)
    plan.launch @k(%x, %y : memref<8xf32>, memref<8xf32>) scratch(%scratch : memref<256xi8>) sizes(%c8) tiles(%c4)
      {scratch_bytes = 64 : i64}
    plan.launch @k(%x, %y : memref<8xf32>, memref<8xf32>) sizes(%c8) tiles(%c4) {plan.serial}
    plan.launch @k(%x, %y : memref<8xf32>, memref<8xf32>) sizes(%c8) tiles(%c1) {leaf.profile = 3 : i32}
    return
  }
  func.func private @k(%0: memref<?xf32>, %1: memref<?xf32>, %scratch: memref<?xi8>, %n: index, %begin: index,
                       %end: index) attributes {leaf.kernel} { return }
}

// A profiled launch stands between two calls of the hook, if there is one.
// CHECK:       llvm.mlir.global external @net_profile_hook() {{.*}} : !llvm.ptr
// CHECK-LABEL: llvm.func internal @leaf.profile(
// CHECK-SAME:    %[[LAUNCH:.*]]: i32, %[[END:.*]]: i32)
// CHECK:         %[[HOOK:.*]] = llvm.load
// CHECK:         llvm.icmp "eq" %[[HOOK]],
// CHECK:         llvm.call %[[HOOK]](%[[LAUNCH]], %[[END]])

// One tile is a call without scratch, more go through the launcher with the scratch bytes of one worker.
// CHECK-LABEL: llvm.func @net_entry(
// CHECK-SAME:    %[[CTX:.*]]: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr)
// CHECK:         %[[NONE:.*]] = llvm.mlir.zero : !llvm.ptr
// CHECK:         llvm.call @k(%[[X:.*]], %[[Y:.*]], %{{.*}}, %[[N:.*]], %{{.*}}, %{{.*}})
// CHECK:         %[[BYTES:.*]] = llvm.mlir.constant(64 : i64)
// CHECK:         llvm.call @k.launch(%[[CTX]], %[[X]], %[[Y]], %[[SCRATCH:.*]], %[[N]], %{{.*}}, %[[BYTES]])
// CHECK:         llvm.call @k(%[[X]], %[[Y]], %{{.*}}, %[[N]], %{{.*}}, %{{.*}})
// CHECK:         llvm.call @leaf.profile(%[[THREE:.*]], %{{.*}})
// CHECK:         llvm.call @k(%[[X]], %[[Y]], %{{.*}}, %[[N]], %{{.*}}, %{{.*}})
// CHECK:         llvm.call @leaf.profile(%[[THREE]], %{{.*}})

// CHECK-LABEL: llvm.func internal @k.launch(
// CHECK-SAME:    %[[CTX:[^:]*]]: !llvm.ptr, %[[X:[^:]*]]: !llvm.ptr, %[[Y:[^:]*]]: !llvm.ptr, %[[S:[^:]*]]: !llvm.ptr,
// CHECK-SAME:    %[[N:[^:]*]]: i64, %[[TILES:[^:]*]]: i64, %[[BYTES:[^:]*]]: i64)
// CHECK:         llvm.getelementptr %[[CTX]][0, 3]
// CHECK:         %[[SPLIT:.*]] = llvm.load
// CHECK:         llvm.icmp "eq" %[[SPLIT]],
// CHECK:         %[[ARGS:.*]] = llvm.alloca {{.*}} x !llvm.struct<(ptr, ptr, ptr, i64, i64)>
// CHECK:         llvm.cond_br
// CHECK:         llvm.call @k(%[[X]], %[[Y]], %[[S]], %[[N]], %{{.*}}, %[[TILES]])
// CHECK:         llvm.return
// CHECK:         llvm.store %[[BYTES]],
// CHECK:         llvm.getelementptr %[[CTX]][0, 4]
// CHECK:         %[[USER:.*]] = llvm.load
// CHECK:         %[[TASK:.*]] = llvm.mlir.addressof @k.task
// CHECK:         llvm.call %[[SPLIT]](%[[USER]], %[[TASK]], %[[ARGS]], %[[TILES]])

// Each worker has its own part of the scratch.
// CHECK-LABEL: llvm.func internal @k.task(
// CHECK-SAME:    %{{.*}}: !llvm.ptr, %[[BEGIN:.*]]: i64, %[[END:.*]]: i64, %[[WORKER:.*]]: i32)
// CHECK:         %[[W:.*]] = llvm.sext %[[WORKER]]
// CHECK:         %[[OFFSET:.*]] = llvm.mul %[[W]],
// CHECK:         %[[MINE:.*]] = llvm.getelementptr %{{.*}}[%[[OFFSET]]]
// CHECK:         llvm.call @k(%{{.*}}, %{{.*}}, %[[MINE]], %{{.*}}, %[[BEGIN]], %[[END]])
