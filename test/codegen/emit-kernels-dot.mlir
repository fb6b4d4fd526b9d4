// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=64 registers=32 dot=vpdpbusd' -canonicalize -cse | FileCheck %s
// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=32 registers=16 dot=vpmaddwd' -canonicalize -cse | FileCheck %s --check-prefix=PAIRS
// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=64 registers=32 dot=vpdpbusd amx-int8=true' -canonicalize -cse | FileCheck %s --check-prefix=TILES
// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=0 registers=16 fma=false' -canonicalize -cse | FileCheck %s --check-prefix=PLAIN

#a = affine_map<(m, n, k, i) -> (m, k * 4 + i)>
#b = affine_map<(m, n, k, i) -> (n floordiv 32, k, n mod 32, i)>
#c = affine_map<(m, n, k, i) -> (m, n)>

// Unsigned bytes of lhs are what the instruction takes: 14 rows of two vectors, one group of four in a step.
// CHECK-LABEL: func.func private @unsigned(
// CHECK:         scf.for %{{.*}} = %c0 to %c64 step %c1 iter_args({{(%[^,]*, ){27}%[^,]*}}) ->
// CHECK-COUNT-2:   vector.load %{{.*}} : memref<?xi8>, vector<64xi8>
// CHECK:           %[[WORD:.*]] = machine.load_word
// CHECK:           vector.broadcast %[[WORD]] : i32 to vector<16xi32>
// CHECK-COUNT-28:  machine.dot "vpdpbusd"
// CHECK:           scf.yield

// Of signed ones the top bits are flipped, and 128 times the sums of the columns are taken away: two sums more. The last
// group has two bytes.
// CHECK-LABEL: func.func private @signed(
// CHECK:         machine.load_word
// CHECK:         arith.xori
// CHECK:         memref.load %{{.*}} : memref<?xi8>
// CHECK:         memref.load %{{.*}} : memref<?xi8>
// CHECK:         arith.shli
// CHECK:         arith.subi

// PAIRS-LABEL: func.func private @unsigned(
// PAIRS:         arith.extsi %{{.*}} : vector<16xi8> to vector<16xi16>
// PAIRS:         arith.extui %{{.*}} : vector<16xi8> to vector<16xi16>
// PAIRS:         machine.dot "vpmaddwd" %{{.*}} : vector<16xi16>, vector<16xi16>, vector<8xi32>
// PAIRS:         vector.shuffle %{{.*}} [0, 2, 4, 6, 8, 10, 12, 14]

// 32 rows and 32 columns in four registers; steps of 64 bytes.
// TILES-LABEL: func.func private @unsigned(
// TILES:         machine.tile_config %{{.*}} rows [16, 16, 16, 16, 16, 16, 16, 16] row_bytes [64, 64, 64, 64, 64, 64, 64, 64]
// TILES-COUNT-4: machine.tile_zero
// TILES:         scf.for %{{.*}} = %c0 to %c64 step %c16
// TILES-COUNT-2:   machine.tile_load {{[67]}},
// TILES:           machine.tile_load 4,
// TILES:           machine.tile_dot "tdpbusd" 0, 4, 6
// TILES:           machine.tile_dot "tdpbusd" 1, 4, 7
// TILES:           machine.tile_load 5,
// TILES:           machine.tile_dot "tdpbusd" 2, 5, 6
// TILES:           machine.tile_dot "tdpbusd" 3, 5, 7
// TILES-COUNT-4: machine.tile_store
// TILES:         machine.tile_config %{{.*}} rows [] row_bytes []
// TILES:         func.func @main
// TILES:         %[[OK:.*]] = machine.request_tiles
// TILES:         plan.require %[[OK]]

// PLAIN-LABEL: func.func private @unsigned(
// PLAIN-NOT:     machine.dot
// PLAIN-NOT:     vector
// PLAIN:         arith.muli
plan.kernel @unsigned(%0: tensor<64x256xi8>, %1: tensor<1x64x32x4xi8>, %2: tensor<64x32xi32>) -> tensor<64x32xi32> attributes {num_outs = 1 : i64} {
  %r = leaf.contract ins(%0, %1 : tensor<64x256xi8>, tensor<1x64x32x4xi8>) outs(%2 : tensor<64x32xi32>)
    {leaf.depth = 256 : i64, indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
    lhs { ^bb0(%l: i8): %v = arith.extui %l : i8 to i32  leaf.yield %v : i32 }
    rhs { ^bb0(%q: i8): %v = arith.extsi %q : i8 to i32  leaf.yield %v : i32 }
    epilogue { ^bb0(%acc: i32): leaf.yield %acc : i32 } -> tensor<64x32xi32>
  plan.yield %r : tensor<64x32xi32>
}
plan.kernel @signed(%0: tensor<5x10xi8>, %1: tensor<1x3x32x4xi8>, %2: tensor<5x32xi32>) -> tensor<5x32xi32> attributes {num_outs = 1 : i64} {
  %r = leaf.contract ins(%0, %1 : tensor<5x10xi8>, tensor<1x3x32x4xi8>) outs(%2 : tensor<5x32xi32>)
    {leaf.depth = 10 : i64, indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
    lhs { ^bb0(%l: i8): %v = arith.extsi %l : i8 to i32  leaf.yield %v : i32 }
    rhs { ^bb0(%q: i8): %v = arith.extsi %q : i8 to i32  leaf.yield %v : i32 }
    epilogue { ^bb0(%acc: i32): leaf.yield %acc : i32 } -> tensor<5x32xi32>
  plan.yield %r : tensor<5x32xi32>
}
func.func @main(%x: memref<64x256xi8>, %w: memref<1x64x32x4xi8>, %o: memref<64x32xi32>, %y: memref<5x10xi8>, %v: memref<1x3x32x4xi8>, %p: memref<5x32xi32>) {
  plan.call @unsigned(%x, %w : memref<64x256xi8>, memref<1x64x32x4xi8>) outs(%o : memref<64x32xi32>)
  plan.call @signed(%y, %v : memref<5x10xi8>, memref<1x3x32x4xi8>) outs(%p : memref<5x32xi32>)
  return
}
