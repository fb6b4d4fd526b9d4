// RUN: leaf-opt %s -leaf-assign-capacities | FileCheck %s

// CHECK-LABEL: func.func @main
// CHECK-SAME:  memref<1x?x4xf32> {{{.*}}plan.capacity = 252 : i64, plan.upper_bounds = array<i64: 1, 63, 4>}
// CHECK-SAME:  memref<?xf32> {{{.*}}plan.capacity = 64 : i64, {{.*}}plan.upper_bounds = array<i64: 64>}
module attributes {leaf.bounds = {past = 63 : i64}} {
  func.func @main(%x: memref<1x?x4xf32> {leaf.dims = ["", "past", ""]}, %y: memref<?xf32> {plan.output},
                  %past: index {leaf.dim = "past"}) -> index {
    %c1 = arith.constant 1 : index
    %b = leaf.bound %past, 63
    %n = arith.addi %b, %c1 : index
    return %n : index
  }
}
