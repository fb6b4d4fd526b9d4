// RUN: leaf-opt %s -leaf-narrow-weights -verify-diagnostics | FileCheck %s

// CHECK: leaf.contract ins(%{{.*}}, %{{.*}} : tensor<1x1xf32>, tensor<1x1xf32>)
// expected-warning @+1 {{weight @w exceeds the range of f16 and stays float32}}
leaf.weight @w = dense<70000.0> : tensor<1x1xf32>

func.func @main(%x: tensor<1x1xf32>) -> tensor<1x1xf32> {
  %w = leaf.load_weight @w : tensor<1x1xf32>
  %e = tensor.empty() : tensor<1x1xf32>
  %0 = leaf.contract ins(%x, %w : tensor<1x1xf32>, tensor<1x1xf32>) outs(%e : tensor<1x1xf32>)
    {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
     iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%q: f32): leaf.yield %q : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<1x1xf32>
  return %0 : tensor<1x1xf32>
}
