// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=16 registers=32 dot=sdot' -canonicalize -cse | FileCheck %s --check-prefix=SDOT
// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=16 registers=32 dot=usdot' -canonicalize -cse | FileCheck %s --check-prefix=USDOT
// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=0 registers=32 dot=smlad' -canonicalize -cse | FileCheck %s --check-prefix=SMLAD

#a = affine_map<(m, n, k, i) -> (m, k * 4 + i)>
#b = affine_map<(m, n, k, i) -> (n floordiv 4, k, n mod 4, i)>
#c = affine_map<(m, n, k, i) -> (m, n)>

// One load brings four groups of a row, of which an instruction takes one as a lane. Of unsigned bytes the top bits are
// flipped where the instruction takes signed ones only.
// SDOT-LABEL: func.func private @unsigned(
// SDOT:         scf.for %{{.*}} = %c0 to %c64 step %c4
// SDOT:           vector.load %{{.*}} : memref<?xi8>, vector<16xi8>
// SDOT:           arith.xori %{{.*}} : vector<16xi8>
// SDOT:           vector.shuffle %{{.*}} [0, 0, 0, 0]
// SDOT:           machine.dot "sdot"
// SDOT:           vector.shuffle %{{.*}} [3, 3, 3, 3]

// USDOT-LABEL: func.func private @unsigned(
// USDOT-NOT:     arith.xori
// USDOT:         machine.dot "usdot" %{{.*}} : vector<16xi8>, vector<16xi8>, vector<4xi32>
// USDOT-NOT:     arith.xori

// Words in general registers: three rows of two columns.
// SMLAD-LABEL: func.func private @unsigned(
// SMLAD:         scf.for %{{.*}} = %c0 to %c64 step %c4 iter_args({{(%[^,]*, ){5}%[^,]*}}) ->
// SMLAD-COUNT-2:   machine.load_word %{{.*}} : memref<?xi8>
// SMLAD:           machine.dot "usmlad" %{{.*}} : i32, i32, i32
// SMLAD-NOT:     arith.muli {{.*}} : i32
plan.kernel @unsigned(%0: tensor<66x256xi8>, %1: tensor<1x64x4x4xi8>, %2: tensor<66x4xi32>) -> tensor<66x4xi32> attributes {num_outs = 1 : i64} {
  %r = leaf.contract ins(%0, %1 : tensor<66x256xi8>, tensor<1x64x4x4xi8>) outs(%2 : tensor<66x4xi32>)
    {leaf.depth = 256 : i64, indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
    lhs { ^bb0(%l: i8): %v = arith.extui %l : i8 to i32  leaf.yield %v : i32 }
    rhs { ^bb0(%q: i8): %v = arith.extsi %q : i8 to i32  leaf.yield %v : i32 }
    epilogue { ^bb0(%acc: i32): leaf.yield %acc : i32 } -> tensor<66x4xi32>
  plan.yield %r : tensor<66x4xi32>
}
func.func @main(%x: memref<66x256xi8>, %w: memref<1x64x4x4xi8>, %o: memref<66x4xi32>) {
  plan.call @unsigned(%x, %w : memref<66x256xi8>, memref<1x64x4x4xi8>) outs(%o : memref<66x4xi32>)
  return
}
