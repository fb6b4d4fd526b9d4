// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=16 registers=32 dot=smlal' -canonicalize -cse | FileCheck %s --check-prefix=SMLAL
// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=0 registers=32 dot=vmladava' -canonicalize -cse | FileCheck %s --check-prefix=HELIUM

#a = affine_map<(m, n, k, i) -> (m, k * 16 + i)>
#b = affine_map<(m, n, k, i) -> (n floordiv 4, k, n mod 4, i)>
#c = affine_map<(m, n, k, i) -> (m, n)>

// 16 bytes of a row times 16 of each column; the sums of a column are added at the end. Weights above -128 may be added
// in 16 bits.
// SMLAL-LABEL: func.func private @above(
// SMLAL:         scf.for {{.*}} iter_args({{(%[^,]*, ){15}%[^,]*}}) ->
// SMLAL-COUNT-16:  machine.dot "smlal" %{{.*}} : vector<16xi8>, vector<16xi8>, vector<4xi32>
// SMLAL:         vector.shuffle %{{.*}} [0, 2, 4, 6]
// SMLAL:         vector.shuffle %{{.*}} [1, 3, 5, 7]

// Others may not. Behind the depth nothing is read: the last group has one word and one byte.
// SMLAL-LABEL: func.func private @any(
// SMLAL:         machine.load_word
// SMLAL:         memref.load
// SMLAL-NOT:     machine.load_word
// SMLAL:         machine.dot "smull"

// A sum for each row and column, in general registers.
// HELIUM-LABEL: func.func private @above(
// HELIUM:         scf.for {{.*}} iter_args({{(%[^,]*, ){3}%[^,]*}}) ->
// HELIUM:           machine.dot "vmladava" %{{.*}} : vector<16xi8>, vector<16xi8>, i32
plan.kernel @above(%0: tensor<8x512xi8>, %1: tensor<1x32x4x16xi8>, %2: tensor<8x4xi32>) -> tensor<8x4xi32> attributes {num_outs = 1 : i64} {
  %r = leaf.contract ins(%0, %1 : tensor<8x512xi8>, tensor<1x32x4x16xi8>) outs(%2 : tensor<8x4xi32>)
    {leaf.above_minimum, leaf.depth = 512 : i64, indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
    lhs { ^bb0(%l: i8): %v = arith.extsi %l : i8 to i32  leaf.yield %v : i32 }
    rhs { ^bb0(%q: i8): %v = arith.extsi %q : i8 to i32  leaf.yield %v : i32 }
    epilogue { ^bb0(%acc: i32): leaf.yield %acc : i32 } -> tensor<8x4xi32>
  plan.yield %r : tensor<8x4xi32>
}
plan.kernel @any(%0: tensor<1x21xi8>, %1: tensor<1x2x4x16xi8>, %2: tensor<1x4xi32>) -> tensor<1x4xi32> attributes {num_outs = 1 : i64} {
  %r = leaf.contract ins(%0, %1 : tensor<1x21xi8>, tensor<1x2x4x16xi8>) outs(%2 : tensor<1x4xi32>)
    {leaf.depth = 21 : i64, indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
    lhs { ^bb0(%l: i8): %v = arith.extsi %l : i8 to i32  leaf.yield %v : i32 }
    rhs { ^bb0(%q: i8): %v = arith.extsi %q : i8 to i32  leaf.yield %v : i32 }
    epilogue { ^bb0(%acc: i32): leaf.yield %acc : i32 } -> tensor<1x4xi32>
  plan.yield %r : tensor<1x4xi32>
}
func.func @main(%x: memref<8x512xi8>, %w: memref<1x32x4x16xi8>, %o: memref<8x4xi32>, %y: memref<1x21xi8>, %v: memref<1x2x4x16xi8>, %p: memref<1x4xi32>) {
  plan.call @above(%x, %w : memref<8x512xi8>, memref<1x32x4x16xi8>) outs(%o : memref<8x4xi32>)
  plan.call @any(%y, %v : memref<1x21xi8>, memref<1x2x4x16xi8>) outs(%p : memref<1x4xi32>)
  return
}
