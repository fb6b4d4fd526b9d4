// RUN: leaf-emit %s --target=x86-64-v3 -o %t
// RUN: gcc -std=c99 -O2 -Wall -Wextra -pedantic -Werror -I%t %t/mlp.c %S/Inputs/mlp_main.c -lm -o %t/gcc
// RUN: %t/gcc | FileCheck %s
// RUN: clang-22 -std=c99 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -Wall -Wextra -pedantic -Werror -I%t %t/mlp.c %S/Inputs/mlp_main.c -lm -o %t/clang
// RUN: %t/clang | FileCheck %s
// RUN: g++ -x c++ -std=c++17 -O2 -Wall -Wextra -pedantic -Werror -I%t %t/mlp.c %S/Inputs/mlp_main.c -o %t/cxx
// RUN: %t/cxx | FileCheck %s
// RUN: leaf-emit %s --target=generic -o %t.generic
// RUN: gcc -std=c99 -O2 -Wall -Wextra -pedantic -Werror -I%t.generic %t.generic/mlp.c %S/Inputs/mlp_main.c -lm -o %t/generic
// RUN: %t/generic | FileCheck %s
//
// CHECK: agrees, 4 parallel calls
// CHECK-NEXT: above the bound: 3
// CHECK-NEXT: below zero: 3
// CHECK-NEXT: null output: 1
// CHECK-NEXT: null arena: 1, small arena: 2, unaligned arena: 2

// A two-layer perceptron as codegen leaves it: packed weights, native vectors, a launch over tiles, a bounded size.
//   hidden = relu(x * w0 + b0)   x: ?x6, w0: [2][6][8], hidden: ?x16
//   logits = hidden * w1 + b1    w1: 16x3
module attributes {leaf.model = "mlp", leaf.bounds = {batch = 4 : i64}, plan.arena_bytes = 256 : i64,
                   plan.arena_align = 64 : i64, plan.arena_lower_bound = 256 : i64, plan.weight_bytes = 784 : i64} {
  leaf.weight @w0 = dense<[[[0.5, -0.25, 1.0, 0.125, -1.0, 2.0, 0.75, -0.5], [1.5, 0.25, -1.0, 0.5, 1.0, -2.0, 0.25, 0.5],
                            [-0.5, 1.25, 0.0, 0.25, 0.5, 1.0, -0.75, 1.5], [0.25, 0.5, 1.0, -0.125, 0.0, 0.5, 1.75, 0.5],
                            [1.0, -0.75, 0.5, 1.125, -0.5, 0.25, 0.5, -1.5], [0.5, 0.25, 0.25, 0.25, 0.75, -1.0, 0.5, 0.5]],
                           [[1.5, 0.25, -1.0, 0.5, 1.0, -2.0, 0.25, 0.5], [0.5, -0.25, 1.0, 0.125, -1.0, 2.0, 0.75, -0.5],
                            [0.25, 0.5, 1.0, -0.125, 0.0, 0.5, 1.75, 0.5], [-0.5, 1.25, 0.0, 0.25, 0.5, 1.0, -0.75, 1.5],
                            [0.5, 0.25, 0.25, 0.25, 0.75, -1.0, 0.5, 0.5], [1.0, -0.75, 0.5, 1.125, -0.5, 0.25, 0.5, -1.5]]]>
    : tensor<2x6x8xf32> {plan.offset = 0 : i64}
  leaf.weight @b0 = dense<[0.0, 1.0, -1.0, 0.5, 0.25, -0.5, 0.75, 2.0, 0.0, -2.0, 1.0, 0.5, 0.25, -0.5, 0.75, 2.0]>
    : tensor<16xf32> {plan.offset = 384 : i64}
  leaf.weight @w1 = dense<0.5> : tensor<16x3xf32> {plan.offset = 448 : i64}
  leaf.weight @b1 = dense<[1.0, 0.0, -1.0]> : tensor<3xf32> {plan.offset = 704 : i64}

  func.func @main(%x: memref<?x6xf32> {leaf.name = "x", leaf.dims = ["batch", ""], plan.capacity = 24 : i64, plan.upper_bounds = array<i64: 4, 6>},
                  %logits: memref<?x3xf32> {leaf.name = "logits", leaf.dims = ["batch", ""], plan.output, plan.capacity = 12 : i64, plan.upper_bounds = array<i64: 4, 3>},
                  %batch: index {leaf.dim = "batch"}) -> (index {leaf.name = "logits", leaf.axis = 0 : i64}) {
    %n = leaf.bound %batch, 4
    %w0 = leaf.load_weight @w0 : memref<2x6x8xf32>
    %b0 = leaf.load_weight @b0 : memref<16xf32>
    %w1 = leaf.load_weight @w1 : memref<16x3xf32>
    %b1 = leaf.load_weight @b1 : memref<3xf32>
    %hidden = plan.slot 0 bytes 256 [%n] : memref<?x16xf32>
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %tiles = arith.muli %n, %c2 : index
    plan.launch @dense_relu(%x, %w0, %b0, %hidden : memref<?x6xf32>, memref<2x6x8xf32>, memref<16xf32>, memref<?x16xf32>)
      sizes(%n) tiles(%tiles)
    plan.launch @dense(%hidden, %w1, %b1, %logits : memref<?x16xf32>, memref<16x3xf32>, memref<3xf32>, memref<?x3xf32>)
      sizes(%n) tiles(%c1)
    return %n : index
  }

  func.func private @dense_relu(%x: memref<?xf32>, %w: memref<?xf32>, %b: memref<?xf32>, %y: memref<?xf32> {leaf.restrict},
                                %scratch: memref<?xi8>, %n: index, %begin: index, %end: index)
      attributes {leaf.kernel, nodes = ["/fc0/Gemm", "/act */ ??/ \\Relu\n"]} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c6 = arith.constant 6 : index
    %c8 = arith.constant 8 : index
    %c16 = arith.constant 16 : index
    %zero = arith.constant dense<0.0> : vector<8xf32>
    scf.for %t = %begin to %end step %c1 {
      %row = arith.divui %t, %c2 : index
      %panel = arith.remui %t, %c2 : index
      %first = arith.muli %panel, %c8 : index
      %acc = scf.for %k = %c0 to %c6 step %c1 iter_args(%s = %zero) -> (vector<8xf32>) {
        %xrow = arith.muli %row, %c6 : index
        %xi = arith.addi %xrow, %k : index
        %a = memref.load %x[%xi] : memref<?xf32>
        %av = vector.broadcast %a : f32 to vector<8xf32>
        %wp = arith.muli %panel, %c6 : index
        %wk = arith.addi %wp, %k : index
        %wi = arith.muli %wk, %c8 : index
        %wv = vector.load %w[%wi] : memref<?xf32>, vector<8xf32>
        %r = vector.fma %av, %wv, %s : vector<8xf32>
        scf.yield %r : vector<8xf32>
      }
      %bv = vector.load %b[%first] : memref<?xf32>, vector<8xf32>
      %sum = arith.addf %acc, %bv : vector<8xf32>
      %positive = arith.cmpf ogt, %sum, %zero : vector<8xf32>
      %relu = arith.select %positive, %sum, %zero : vector<8xi1>, vector<8xf32>
      %yrow = arith.muli %row, %c16 : index
      %yi = arith.addi %yrow, %first : index
      vector.store %relu, %y[%yi] : memref<?xf32>, vector<8xf32>
    }
    return
  }

  func.func private @dense(%x: memref<?xf32>, %w: memref<?xf32>, %b: memref<?xf32>, %y: memref<?xf32> {leaf.restrict},
                           %scratch: memref<?xi8>, %n: index, %begin: index, %end: index)
      attributes {leaf.kernel, nodes = ["/fc1/Gemm"]} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %c16 = arith.constant 16 : index
    %zero = arith.constant 0.0 : f32
    scf.for %i = %c0 to %n step %c1 {
      scf.for %j = %c0 to %c3 step %c1 {
        %acc = scf.for %k = %c0 to %c16 step %c1 iter_args(%s = %zero) -> (f32) {
          %xrow = arith.muli %i, %c16 : index
          %xi = arith.addi %xrow, %k : index
          %a = memref.load %x[%xi] : memref<?xf32>
          %wrow = arith.muli %k, %c3 : index
          %wi = arith.addi %wrow, %j : index
          %v = memref.load %w[%wi] : memref<?xf32>
          %r = math.fma %a, %v, %s : f32
          scf.yield %r : f32
        }
        %bv = memref.load %b[%j] : memref<?xf32>
        %sum = arith.addf %acc, %bv : f32
        %yrow = arith.muli %i, %c3 : index
        %yi = arith.addi %yrow, %j : index
        memref.store %sum, %y[%yi] : memref<?xf32>
      }
    }
    return
  }
}
