// RUN: leaf-opt %s -leaf-convert-flat-to-emitc | FileCheck %s

// C has no literals for infinities and NaN: their bits become floats.

module attributes {leaf.model = "tiny", plan.arena_bytes = 0 : i64, plan.arena_align = 64 : i64,
                   plan.weight_bytes = 0 : i64} {
  func.func @main() {
    return
  }
  // CHECK: emitc.func @lowest
  func.func private @lowest(%out: memref<?xf32>, %scratch: memref<?xi8>, %begin: index, %end: index)
      attributes {leaf.kernel, nodes = ["max"]} {
    %c0 = arith.constant 0 : index
    // CHECK: %[[BITS:.*]] = literal "(-8388608)" : i32
    // CHECK: call_opaque "leaf_bitcast_i32_f32"(%[[BITS]]) : (i32) -> f32
    %lowest = arith.constant 0xFF800000 : f32
    memref.store %lowest, %out[%c0] : memref<?xf32>
    return
  }
}
