// RUN: leaf-opt %s -leaf-fuse-elementwise | FileCheck %s

// Heads back beside each other: the contraction writes them there. A transpose of its innermost dimension stays.
// CHECK-DAG:   #[[OUT:.*]] = affine_map<(d0, d1, d2, d3) -> (d1, d0, d2)>
// CHECK-LABEL: func.func @heads
// CHECK-NOT:     linalg.generic
// CHECK:         leaf.contract {{.*}}indexing_maps = [#{{.*}}, #{{.*}}, #[[OUT]]]
// CHECK:         -> tensor<5x2x4xf32>
// CHECK-LABEL: func.func @innermost
// CHECK:         leaf.contract
// CHECK:         linalg.generic
#id = affine_map<(i, j, k) -> (i, j, k)>
func.func @heads(%p: tensor<2x5x3xf32>, %v: tensor<2x3x4xf32>) -> tensor<5x2x4xf32> {
  %e0 = tensor.empty() : tensor<2x5x4xf32>
  %0 = leaf.contract ins(%p, %v : tensor<2x5x3xf32>, tensor<2x3x4xf32>) outs(%e0 : tensor<2x5x4xf32>)
    {indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (b, k, n)>, affine_map<(b, m, n, k) -> (b, m, n)>],
     iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%r: f32): leaf.yield %r : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<2x5x4xf32>
  %e1 = tensor.empty() : tensor<5x2x4xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (j, i, k)>, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%0 : tensor<2x5x4xf32>) outs(%e1 : tensor<5x2x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<5x2x4xf32>
  return %1 : tensor<5x2x4xf32>
}
func.func @innermost(%p: tensor<2x5x3xf32>, %v: tensor<2x3x4xf32>) -> tensor<2x4x5xf32> {
  %e0 = tensor.empty() : tensor<2x5x4xf32>
  %0 = leaf.contract ins(%p, %v : tensor<2x5x3xf32>, tensor<2x3x4xf32>) outs(%e0 : tensor<2x5x4xf32>)
    {indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (b, k, n)>, affine_map<(b, m, n, k) -> (b, m, n)>],
     iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%r: f32): leaf.yield %r : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<2x5x4xf32>
  %e1 = tensor.empty() : tensor<2x4x5xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k, j)>, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%0 : tensor<2x5x4xf32>) outs(%e1 : tensor<2x4x5xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<2x4x5xf32>
  return %1 : tensor<2x4x5xf32>
}
