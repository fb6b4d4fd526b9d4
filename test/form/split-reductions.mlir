// RUN: leaf-opt %s -leaf-split-reductions='workers=2 least-bytes=1024' -split-input-file | FileCheck %s

#in = affine_map<(n, c, h, w) -> (n, h, w, c)>
#out = affine_map<(n, c, h, w) -> (n, c)>

// Eight parts of two rows each, then the sum of the parts.
// CHECK-DAG: #[[IN:.+]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d0, d3, d4, d2)>
// CHECK-DAG: #[[PART:.+]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2)>
// CHECK-DAG: #[[PARTS:.+]] = affine_map<(d0, d1, d2) -> (d2, d0, d1)>
// CHECK-DAG: #[[OUT:.+]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func.func @main
// CHECK: %[[ZERO:.+]] = linalg.fill ins(%cst : f32) outs(%{{.*}} : tensor<1x32xf32>)
// CHECK: %[[ZEROS:.+]] = linalg.fill ins(%cst : f32) outs(%{{.*}} : tensor<8x1x32xf32>)
// CHECK: %[[ROWS:.+]] = tensor.expand_shape %arg0 {{\[}}[0], [1, 2], [3], [4]] output_shape [1, 8, 2, 16, 32]
// CHECK: %[[SUMS:.+]] = linalg.generic {indexing_maps = [#[[IN]], #[[PART]]], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%[[ROWS]] {{.*}} outs(%[[ZEROS]]
// CHECK:   %[[SQUARE:.+]] = arith.mulf %[[ELEMENT:.+]], %[[ELEMENT]]
// CHECK:   arith.addf %{{.*}}, %[[SQUARE]]
// CHECK: %[[SUM:.+]] = linalg.generic {indexing_maps = [#[[PARTS]], #[[OUT]]], iterator_types = ["parallel", "parallel", "reduction"]} ins(%[[SUMS]] {{.*}} outs(%[[ZERO]]
// CHECK: ^bb0(%[[IN0:.+]]: f32, %[[ACC:.+]]: f32):
// CHECK-NEXT: %[[S:.+]] = arith.addf %[[ACC]], %[[IN0]]
// CHECK-NEXT: linalg.yield %[[S]]
// CHECK: return %[[SUM]]
func.func @main(%x: tensor<1x16x16x32xf32>) -> tensor<1x32xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x32xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x32xf32>) -> tensor<1x32xf32>
  %r = linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x : tensor<1x16x16x32xf32>) outs(%f : tensor<1x32xf32>) {
  ^bb0(%a: f32, %sum: f32):
    %q = arith.mulf %a, %a : f32
    %s = arith.addf %sum, %q : f32
    linalg.yield %s : f32
  } -> tensor<1x32xf32>
  return %r : tensor<1x32xf32>
}

// -----

// Left alone: rows that two workers can't share evenly, a sum that does not begin with zero, few bytes, rows that are
// no reduction.
#in = affine_map<(c, h) -> (h, c)>
#out = affine_map<(c, h) -> (c)>
// CHECK-LABEL: func.func @others
// CHECK-NOT: expand_shape
func.func @others(%odd: tensor<15x32xf32>, %x: tensor<16x32xf32>, %few: tensor<16x8xf32>, %y: tensor<32x16xf32>)
    -> (tensor<32xf32>, tensor<32xf32>, tensor<8xf32>, tensor<32xf32>) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<32xf32>
  %g = tensor.empty() : tensor<8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<32xf32>) -> tensor<32xf32>
  %f1 = linalg.fill ins(%one : f32) outs(%e : tensor<32xf32>) -> tensor<32xf32>
  %f8 = linalg.fill ins(%zero : f32) outs(%g : tensor<8xf32>) -> tensor<8xf32>
  %a = linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "reduction"]}
      ins(%odd : tensor<15x32xf32>) outs(%f : tensor<32xf32>) {
  ^bb0(%i: f32, %o: f32):
    %s = arith.addf %o, %i : f32
    linalg.yield %s : f32
  } -> tensor<32xf32>
  %b = linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<16x32xf32>) outs(%f1 : tensor<32xf32>) {
  ^bb0(%i: f32, %o: f32):
    %s = arith.addf %o, %i : f32
    linalg.yield %s : f32
  } -> tensor<32xf32>
  %c = linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "reduction"]}
      ins(%few : tensor<16x8xf32>) outs(%f8 : tensor<8xf32>) {
  ^bb0(%i: f32, %o: f32):
    %s = arith.addf %o, %i : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  %d = linalg.generic {indexing_maps = [affine_map<(r, c) -> (r, c)>, affine_map<(r, c) -> (r)>], iterator_types = ["parallel", "reduction"]}
      ins(%y : tensor<32x16xf32>) outs(%f : tensor<32xf32>) {
  ^bb0(%i: f32, %o: f32):
    %s = arith.addf %o, %i : f32
    linalg.yield %s : f32
  } -> tensor<32xf32>
  return %a, %b, %c, %d : tensor<32xf32>, tensor<32xf32>, tensor<8xf32>, tensor<32xf32>
}
