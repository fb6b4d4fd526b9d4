// RUN: leaf-opt %s -leaf-fuse-elementwise | FileCheck %s

// The heads of attention: a transpose of the lhs and one of the rhs that keeps its innermost dimension are maps.
// CHECK-DAG:   #[[LHS:.*]] = affine_map<(d0, d1, d2, d3) -> (d1, d0, d3)>
// CHECK-DAG:   #[[RHS:.*]] = affine_map<(d0, d1, d2, d3) -> (d3, d0, d2)>
// CHECK-LABEL: func.func @main
// CHECK-SAME:  (%[[Q:.*]]: tensor<5x2x3xf32>, %[[V:.*]]: tensor<3x2x4xf32>)
// CHECK-NOT:     linalg.generic
// CHECK:         leaf.contract ins(%[[Q]], %[[V]] : {{.*}}indexing_maps = [#[[LHS]], #[[RHS]],
#id = affine_map<(i, j, k) -> (i, j, k)>
#t = affine_map<(i, j, k) -> (j, i, k)>
func.func @main(%q: tensor<5x2x3xf32>, %v: tensor<3x2x4xf32>) -> tensor<2x5x4xf32> {
  %e0 = tensor.empty() : tensor<2x5x3xf32>
  %0 = linalg.generic {indexing_maps = [#t, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%q : tensor<5x2x3xf32>) outs(%e0 : tensor<2x5x3xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<2x5x3xf32>
  %e1 = tensor.empty() : tensor<2x3x4xf32>
  %1 = linalg.generic {indexing_maps = [#t, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%v : tensor<3x2x4xf32>) outs(%e1 : tensor<2x3x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<2x3x4xf32>
  %e2 = tensor.empty() : tensor<2x5x4xf32>
  %2 = leaf.contract ins(%0, %1 : tensor<2x5x3xf32>, tensor<2x3x4xf32>) outs(%e2 : tensor<2x5x4xf32>)
    {indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (b, k, n)>, affine_map<(b, m, n, k) -> (b, m, n)>],
     iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%p: f32): leaf.yield %p : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<2x5x4xf32>
  return %2 : tensor<2x5x4xf32>
}
