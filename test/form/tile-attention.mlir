// RUN: leaf-opt %s -split-input-file -leaf-tile-attention='tile-bytes=32768' | FileCheck %s
// RUN: leaf-opt %s -split-input-file -leaf-tile-attention='tile-bytes=32768 workers=2' | FileCheck %s --check-prefix=WORKERS

#q = affine_map<(h, m, n, k) -> (h, m, k)>
#k = affine_map<(h, m, n, k) -> (h, n, k)>
#mask = affine_map<(h, m, n, k) -> (m, n)>
#s = affine_map<(h, m, n, k) -> (h, m, n)>
#p = affine_map<(h, m, n, k) -> (h, m, k)>
#v = affine_map<(h, m, n, k) -> (h, k, n)>
#o = affine_map<(h, m, n, k) -> (m, h, n)>
#row = affine_map<(h, m, n) -> (h, m)>
#all = affine_map<(h, m, n) -> (h, m, n)>

// 256 queries by 256 keys in blocks of 32, which are 32 KiB. Queries and mask are read where they were, scores have two
// dimensions of rows, and the result gets back its own.
// CHECK-DAG:   #[[Q:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1 * 32 + d2, d4)>
// CHECK-DAG:   #[[K:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d3, d4)>
// CHECK-DAG:   #[[MASK:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1 * 32 + d2, d3)>
// CHECK-DAG:   #[[S:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
// CHECK-DAG:   #[[P:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
// CHECK-DAG:   #[[O:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d2, d0, d3)>
// CHECK-LABEL: func.func @attention
// CHECK:         %[[SCORES:.*]] = leaf.contract {{.*}}indexing_maps = [#[[Q]], #[[K]], #[[MASK]], #[[S]]]{{.*}}"parallel", "parallel", "parallel", "parallel", "reduction"
// CHECK:         -> tensor<2x8x32x256xf32>
// CHECK:         linalg.fill {{.*}} -> tensor<2x8x32xf32>
// CHECK:         %[[MAX:.*]] = linalg.generic {{.*}}ins(%[[SCORES]] : tensor<2x8x32x256xf32>)
// CHECK:         %[[EXP:.*]] = linalg.generic {{.*}}ins(%[[SCORES]], %[[MAX]] :
// CHECK:         %[[SUMS:.*]] = leaf.contract ins(%[[EXP]], {{.*}}indexing_maps = [#[[P]], {{.*}}, #[[O]]]
// CHECK:         -> tensor<8x32x2x16xf32>
// CHECK:         %[[R:.*]] = tensor.collapse_shape %[[SUMS]] {{\[}}[0, 1], [2], [3]]
// CHECK:         return %[[R]]

// Two workers have four blocks each only where these have 64 rows or fewer: 32 it stays.
// WORKERS:       -> tensor<2x8x32x256xf32>
func.func @attention(%q: tensor<2x256x16xf32>, %k: tensor<2x256x16xf32>, %v: tensor<2x256x16xf32>, %mask: tensor<256x256xf32>) -> tensor<256x2x16xf32> {
  %e = tensor.empty() : tensor<2x256x256xf32>
  %s = leaf.contract ins(%q, %k : tensor<2x256x16xf32>, tensor<2x256x16xf32>) extras(%mask : tensor<256x256xf32>) outs(%e : tensor<2x256x256xf32>)
    {indexing_maps = [#q, #k, #mask, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
    rhs { ^bb0(%x: f32): leaf.yield %x : f32 }
    epilogue { ^bb0(%acc: f32, %m: f32): %a = arith.addf %acc, %m : f32  leaf.yield %a : f32 } -> tensor<2x256x256xf32>
  %least = arith.constant 0xFF800000 : f32
  %e1 = tensor.empty() : tensor<2x256xf32>
  %f = linalg.fill ins(%least : f32) outs(%e1 : tensor<2x256xf32>) -> tensor<2x256xf32>
  %max = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "parallel", "reduction"]} ins(%s : tensor<2x256x256xf32>) outs(%f : tensor<2x256xf32>) {
  ^bb0(%x: f32, %m: f32):
    %y = arith.maximumf %x, %m : f32
    linalg.yield %y : f32
  } -> tensor<2x256xf32>
  %p = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]} ins(%s, %max : tensor<2x256x256xf32>, tensor<2x256xf32>) outs(%e : tensor<2x256x256xf32>) {
  ^bb0(%x: f32, %m: f32, %out: f32):
    %d = arith.subf %x, %m : f32
    %y = math.exp %d : f32
    linalg.yield %y : f32
  } -> tensor<2x256x256xf32>
  %eo = tensor.empty() : tensor<256x2x16xf32>
  %o = leaf.contract ins(%p, %v : tensor<2x256x256xf32>, tensor<2x256x16xf32>) outs(%eo : tensor<256x2x16xf32>)
    {indexing_maps = [#p, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
    rhs { ^bb0(%x: f32): leaf.yield %x : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<256x2x16xf32>
  return %o : tensor<256x2x16xf32>
}

// -----

#l = affine_map<(m, n, k) -> (m, k)>
#r = affine_map<(m, n, k) -> (k, n)>
#out = affine_map<(m, n, k) -> (m, n)>
#row = affine_map<(m, n) -> (m)>
#all = affine_map<(m, n) -> (m, n)>

// Weights would be read for each block: a normalization between two layers stays as it is.
// CHECK-LABEL: func.func @layers
// CHECK-NOT:     tensor<{{[0-9]+}}x{{[0-9]+}}x256xf32>
// CHECK:         return
func.func @layers(%x: tensor<512x64xf32>) -> tensor<512x64xf32> {
  %w1 = leaf.load_weight @w1 : tensor<64x256xf32>
  %w2 = leaf.load_weight @w2 : tensor<256x64xf32>
  %e = tensor.empty() : tensor<512x256xf32>
  %s = leaf.contract ins(%x, %w1 : tensor<512x64xf32>, tensor<64x256xf32>) outs(%e : tensor<512x256xf32>)
    {indexing_maps = [#l, #r, #out], iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%a: f32): leaf.yield %a : f32 }
    rhs { ^bb0(%a: f32): leaf.yield %a : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<512x256xf32>
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<512xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e1 : tensor<512xf32>) -> tensor<512xf32>
  %sum = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]} ins(%s : tensor<512x256xf32>) outs(%f : tensor<512xf32>) {
  ^bb0(%a: f32, %b: f32):
    %y = arith.addf %a, %b : f32
    linalg.yield %y : f32
  } -> tensor<512xf32>
  %n = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel"]} ins(%s, %sum : tensor<512x256xf32>, tensor<512xf32>) outs(%e : tensor<512x256xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %y = arith.divf %a, %b : f32
    linalg.yield %y : f32
  } -> tensor<512x256xf32>
  %eo = tensor.empty() : tensor<512x64xf32>
  %o = leaf.contract ins(%n, %w2 : tensor<512x256xf32>, tensor<256x64xf32>) outs(%eo : tensor<512x64xf32>)
    {indexing_maps = [#l, #r, #out], iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%a: f32): leaf.yield %a : f32 }
    rhs { ^bb0(%a: f32): leaf.yield %a : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<512x64xf32>
  return %o : tensor<512x64xf32>
}
leaf.weight @w1 = dense<1.0> : tensor<64x256xf32>
leaf.weight @w2 = dense<1.0> : tensor<256x64xf32>
