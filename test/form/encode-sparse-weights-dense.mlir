// RUN: leaf-opt %s -leaf-encode-sparse-weights=lanes=8 | FileCheck %s
// RUN: leaf-opt %s -leaf-encode-sparse-weights="lanes=8 mode=off" | FileCheck %s --check-prefix=OFF

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>

// Half of the elements are zero: the sparse kernel would be slower, and the module says so.
// CHECK:     leaf.sparse_layers = [{block = 0 : i64, bytes = 32 : i64, dense_bytes = 32 : i64, node = "layer", why = "dense is faster by the cost model", zeros = 5.000000e-01 : f64}]
// CHECK:     leaf.contract ins(%{{.*}}, %{{.*}} : tensor<64x4xf32>, tensor<4x2xf32>)
// OFF-NOT:   leaf.sparse_layers
leaf.weight @w = dense<[[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [0.0, 4.0]]> : tensor<4x2xf32>

func.func @main(%x: tensor<64x4xf32>) -> tensor<64x2xf32> {
  %w = leaf.load_weight @w : tensor<4x2xf32>
  %e = tensor.empty() : tensor<64x2xf32>
  %0 = leaf.contract ins(%x, %w : tensor<64x4xf32>, tensor<4x2xf32>) outs(%e : tensor<64x2xf32>)
    {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%q: f32): leaf.yield %q : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<64x2xf32> loc("layer")
  return %0 : tensor<64x2xf32>
}
