// A chain of squares is printed once per square: expressions that an operation uses twice become variables.
// RUN: leaf-emit %s --target=generic -o %t
// RUN: FileCheck %s < %t/chain.c
// RUN: gcc -std=c99 -Wall -Wextra -pedantic -Werror -fsyntax-only %t/chain.c

// CHECK: float [[A:v[0-9]+]] = {{v[0-9]+}} + 1.0f;
// CHECK-NEXT: float [[B:v[0-9]+]] = [[A]] * [[A]];
// CHECK-NEXT: float [[C:v[0-9]+]] = [[B]] * [[B]];
// CHECK-NEXT: v2[{{.*}}] = [[C]] * [[C]];
module attributes {leaf.model = "chain"} {
  func.func @main(%x: memref<4xf32> {leaf.name = "x", plan.capacity = 4 : i64, plan.upper_bounds = array<i64: 4>},
                  %y: memref<4xf32> {leaf.name = "y", plan.output, plan.capacity = 4 : i64, plan.upper_bounds = array<i64: 4>}) {
    %c4 = arith.constant 4 : index
    plan.launch @k(%x, %y : memref<4xf32>, memref<4xf32>) tiles(%c4)
    return
  }
  func.func private @k(%x: memref<?xf32>, %y: memref<?xf32> {leaf.restrict}, %scratch: memref<?xi8>, %begin: index, %end: index)
      attributes {leaf.kernel} {
    %c1 = arith.constant 1 : index
    %one = arith.constant 1.0 : f32
    scf.for %i = %begin to %end step %c1 {
      %v = memref.load %x[%i] : memref<?xf32>
      %a = arith.addf %v, %one : f32
      %b = arith.mulf %a, %a : f32
      %c = arith.mulf %b, %b : f32
      %d = arith.mulf %c, %c : f32
      memref.store %d, %y[%i] : memref<?xf32>
    }
    return
  }
}
