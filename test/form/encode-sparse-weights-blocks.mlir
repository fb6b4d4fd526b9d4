// RUN: leaf-opt %s -leaf-encode-sparse-weights="lanes=4 mode=always" | FileCheck %s

#mk = affine_map<(m, n, h, k) -> (m, h, k)>
#kn = affine_map<(m, n, h, k) -> (h, k, n)>
#mn = affine_map<(m, n, h, k) -> (m, n)>

// Zeros come four columns at a time: one position serves four values. The outer reduction has starts of its own.
// CHECK-DAG:   affine_map<(d0, d1, d2, d3) -> (d2, 0, d1 floordiv 4)>
// CHECK-LABEL: func.func @main
// CHECK:         leaf.load_weight @w_starts : tensor<2x1x2xi32>
// CHECK:         leaf.load_weight @w_values : tensor<8xf32>
// CHECK:         leaf.load_weight @w_positions : tensor<2xi8>
// CHECK:         leaf.contract {{.*}}leaf.sparse = 4 : i64
// CHECK:       w_starts: "0x4000000000000000010000000100000002000000"
// CHECK:       w_positions: "0x400000000203"
leaf.weight @w = dense<[[[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 0.0]],
                        [[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [5.0, 6.0, 7.0, 8.0]]]> : tensor<2x4x4xf32>

func.func @main(%x: tensor<64x2x4xf32>) -> tensor<64x4xf32> {
  %w = leaf.load_weight @w : tensor<2x4x4xf32>
  %e = tensor.empty() : tensor<64x4xf32>
  %0 = leaf.contract ins(%x, %w : tensor<64x2x4xf32>, tensor<2x4x4xf32>) outs(%e : tensor<64x4xf32>)
    {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%q: f32): leaf.yield %q : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<64x4xf32>
  return %0 : tensor<64x4xf32>
}
