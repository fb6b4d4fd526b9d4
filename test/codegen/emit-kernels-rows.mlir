// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=32 registers=16' -canonicalize -cse | FileCheck %s

#x = affine_map<(n, y, x, c, i, j) -> (n, y + i, x + j, c)>
#w = affine_map<(n, y, x, c, i, j) -> (i, j, c)>
#o = affine_map<(n, y, x, c, i, j) -> (n, y, x, c)>
#px = affine_map<(n, y, x, o, i, j, c) -> (n, y + i, x + j, c)>
#pw = affine_map<(n, y, x, o, i, j, c) -> (o floordiv 16, i, j, c, o mod 16)>
#po = affine_map<(n, y, x, o, i, j, c) -> (n, y, x, o)>

// Tiles are rows; scratch holds one row of 10 pixels and 8 channels.
// CHECK:         plan.launch @rows({{.*}}) tiles(%c12) {scratch_bytes = 320 : i64}
// CHECK-LABEL: func.func private @rows(
// CHECK:         %[[ROW:.*]] = memref.view
// CHECK:         scf.for
// CHECK:           vector.store %{{.*}}, %[[ROW]]
// CHECK:           memref.load %[[ROW]]
func.func @main(%x: memref<1x14x12x8xf32>, %w: memref<3x3x8xf32>, %p: memref<1x1x1x8x16xf32>, %y: memref<1x12x10x16xf32>) {
  plan.call @rows(%x, %w, %p : memref<1x14x12x8xf32>, memref<3x3x8xf32>, memref<1x1x1x8x16xf32>) outs(%y : memref<1x12x10x16xf32>)
  return
}
plan.kernel @rows(%0: tensor<1x14x12x8xf32>, %1: tensor<3x3x8xf32>, %2: tensor<1x1x1x8x16xf32>, %3: tensor<1x12x10x16xf32>) -> tensor<1x12x10x16xf32> attributes {num_outs = 1 : i64, shared_loops = 2 : i64} {
  %e = tensor.empty() : tensor<1x12x10x8xf32>
  %d = leaf.contract ins(%0, %1 : tensor<1x14x12x8xf32>, tensor<3x3x8xf32>) outs(%e : tensor<1x12x10x8xf32>)
    {indexing_maps = [#x, #w, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%r: f32): leaf.yield %r : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<1x12x10x8xf32>
  %r = leaf.contract ins(%d, %2 : tensor<1x12x10x8xf32>, tensor<1x1x1x8x16xf32>) outs(%3 : tensor<1x12x10x16xf32>)
    {indexing_maps = [#px, #pw, #po], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%r: f32): leaf.yield %r : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<1x12x10x16xf32>
  plan.yield %r : tensor<1x12x10x16xf32>
}
