// RUN: leaf-opt %s -split-input-file -verify-diagnostics -leaf-check-plan

// expected-error @below {{lacks plan.arena_bytes}}
module attributes {plan.arena_align = 64 : i64, plan.arena_lower_bound = 0 : i64, plan.weight_bytes = 0 : i64} {
  func.func @main() {
    return
  }
}

// -----

module attributes {plan.arena_align = 64 : i64, plan.arena_bytes = 0 : i64, plan.arena_lower_bound = 0 : i64,
                   plan.weight_bytes = 0 : i64} {
  // expected-error @below {{argument 0 has no plan.capacity}}
  func.func @main(%x: memref<4xf32>) {
    return
  }
}
