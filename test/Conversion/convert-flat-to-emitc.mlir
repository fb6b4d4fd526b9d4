// RUN: leaf-opt %s -leaf-convert-flat-to-emitc | FileCheck %s

module attributes {leaf.model = "tiny", leaf.bounds = {n = 8 : i64}, plan.arena_bytes = 64 : i64,
                   plan.arena_align = 64 : i64, plan.weight_bytes = 32 : i64} {
  leaf.weight @w = dense<1.0> : tensor<8xf32> {plan.offset = 0 : i64}

  // Kernels come first and are static; what is only read is const; comments name nodes and shapes, escaped.
  // CHECK:      emitc.verbatim "\0A/* scale: /Mul, a*\\x2Fb\0A *   v1 ?xf32, v2 8xf32, v3 ?xf32 */"
  // CHECK-NEXT: emitc.func @scale(%[[X:.*]]: !emitc.opaque<"const leaf_f32 * ">, %[[W:.*]]: !emitc.opaque<"const leaf_f32 * ">,
  // CHECK-SAME:   %[[Y:.*]]: !emitc.opaque<"leaf_f32 *LEAF_RESTRICT">, %[[S:.*]]: !emitc.opaque<"{{.*}}int8_t * ">,
  // CHECK-SAME:   %[[N:.*]]: !emitc.ptrdiff_t, %[[BEGIN:.*]]: !emitc.ptrdiff_t, %[[END:.*]]: !emitc.ptrdiff_t)
  // CHECK-SAME:   specifiers = ["static", "LEAF_TARGET"]
  // CHECK:      verbatim "(void){};" args %[[S]]
  // CHECK:      for %[[I:.*]] = %[[BEGIN]] to %[[END]]
  // CHECK:        %[[A:.*]] = call_opaque "leaf_load_f32x8"(%[[X]], %{{.*}})
  // CHECK:        %[[B:.*]] = call_opaque "leaf_load_f32x8"(%[[W]], %{{.*}})
  // CHECK:        call_opaque "leaf_prefetch_f32"(%[[W]], %{{.*}})
  // CHECK:        %[[P:.*]] = mul %[[A]], %[[B]]
  // CHECK:        %[[R:.*]] = call_opaque "leaf_max_f32x8"(%[[P]], %{{.*}})
  // CHECK-NOT:    cmp
  // CHECK:        call_opaque "leaf_store_f32x8"(%[[Y]], %{{.*}}, %[[R]])
  func.func private @scale(%x: memref<?xf32>, %w: memref<?xf32>, %y: memref<?xf32> {leaf.restrict},
                           %scratch: memref<?xi8>, %n: index, %begin: index, %end: index)
      attributes {leaf.kernel, nodes = ["/Mul", "a*/b"]} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %zero = arith.constant dense<0.0> : vector<8xf32>
    scf.for %i = %begin to %end step %c1 {
      %p = arith.muli %i, %c8 : index
      %a = vector.load %x[%p] : memref<?xf32>, vector<8xf32>
      %b = vector.load %w[%c0] : memref<?xf32>, vector<8xf32>
      memref.prefetch %w[%p], read, locality<2>, data : memref<?xf32>
      %m = arith.mulf %a, %b : vector<8xf32>
      %c = arith.cmpf ogt, %m, %zero : vector<8xf32>
      %r = arith.select %c, %m, %zero : vector<8xi1>, vector<8xf32>
      vector.store %r, %y[%p] : memref<?xf32>, vector<8xf32>
    }
    return
  }

  // CHECK: verbatim "typedef struct scale_args {{.*}}scale_task{{.*}}scale_launch

  // The entry checks pointers, then sizes, then runs.
  // CHECK-LABEL: emitc.func @tiny_entry(
  // CHECK-SAME:  %[[CTX:.*]]: !emitc.opaque<"const leaf_context * ">, %[[BUFFERS:.*]]: !emitc.opaque<"void *const * ">,
  // CHECK-SAME:  %[[DIMS:.*]]: !emitc.opaque<"int64_t * ">) -> i32
  // CHECK:       verbatim "if ({} == NULL || {} == NULL || {} == NULL) return LEAF_ERROR_ARGUMENT;"
  // CHECK:       call_opaque "leaf_arena"
  // CHECK:       call_opaque "leaf_weights"
  // CHECK:       return LEAF_ERROR_ARGUMENT;
  // CHECK:       verbatim "if ({} < 0 || {} > 8) return LEAF_ERROR_BOUND;"
  // CHECK:       verbatim "if (!({})) return LEAF_ERROR_SHAPE;"
  // CHECK:       call_opaque "scale_launch"
  // CHECK:       call_opaque "scale"(
  // CHECK:       %[[OK:.*]] = literal "LEAF_OK" : i32
  // CHECK:       return %[[OK]]
  func.func @main(%x: memref<?xf32> {leaf.name = "x", plan.capacity = 8 : i64},
                  %y: memref<?xf32> {leaf.name = "y", plan.output, plan.capacity = 8 : i64},
                  %n: index {leaf.dim = "n"}) -> (index {leaf.name = "y", leaf.axis = 0 : i64}) {
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %w = leaf.load_weight @w : memref<8xf32>
    %bounded = leaf.bound %n, 8
    %ok = arith.cmpi eq, %bounded, %c8 : index
    plan.require %ok, "n must be 8"
    %s = plan.slot 0 bytes 32 [%bounded] : memref<?xf32>
    plan.launch @scale(%x, %w, %s : memref<?xf32>, memref<8xf32>, memref<?xf32>) sizes(%bounded) tiles(%bounded)
    plan.launch @scale(%s, %w, %y : memref<?xf32>, memref<8xf32>, memref<?xf32>) sizes(%bounded) tiles(%c1)
    return %bounded : index
  }
}
