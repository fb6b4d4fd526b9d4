// RUN: leaf-opt %s -leaf-encode-sparse-weights="lanes=4 mode=always" | FileCheck %s

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>

// Column 0 has one entry, column 1 none, column 2 two; they are read column by column, with a start behind the last.
// CHECK-DAG:   #[[STARTS:.*]] = affine_map<(d0, d1, d2) -> (0, d1)>
// CHECK-DAG:   #[[FIRST:.*]] = affine_map<(d0, d1, d2) -> (0)>
// CHECK:       leaf.sparse_layers = [{block = 1 : i64, bytes = 31 : i64, dense_bytes = 48 : i64, node = "layer", why = "", zeros = 7.500000e-01 : f64}]
// CHECK-NOT:   leaf.weight @w =
// CHECK-LABEL: func.func @main
// CHECK:         %[[S:.*]] = leaf.load_weight @w_starts : tensor<1x4xi32>
// CHECK:         %[[V:.*]] = leaf.load_weight @w_values : tensor<3xf32>
// CHECK:         %[[P:.*]] = leaf.load_weight @w_positions : tensor<3xi8>
// CHECK:         leaf.contract ins(%{{.*}}, %[[S]] : tensor<2x4xf32>, tensor<1x4xi32>) extras(%[[V]], %[[P]] : tensor<3xf32>, tensor<3xi8>)
// CHECK-SAME:      indexing_maps = [#{{.*}}, #[[STARTS]], #[[FIRST]], #[[FIRST]], #{{.*}}]
// CHECK-SAME:      leaf.segment = 256 : i64, leaf.sparse = 1 : i64, num_rhs_extras = 2 : i64
// CHECK:         rhs {
// CHECK-NEXT:    ^bb0(%{{.*}}: i32, %[[VALUE:.*]]: f32, %{{.*}}: i8):
// CHECK-NEXT:      leaf.yield %[[VALUE]] : f32
// 0, 1, 1, 3; 5, 7, 8; rows 2, 0, 3.
// CHECK:       w_starts: "0x4000000000000000010000000100000003000000"
// CHECK:       w_values: "0x400000000000A0400000E04000000041"
// CHECK:       w_positions: "0x40000000020003"
leaf.weight @w = dense<[[0.0, 0.0, 7.0], [0.0, -0.0, 0.0], [5.0, 0.0, 0.0], [0.0, 0.0, 8.0]]> : tensor<4x3xf32>

func.func @main(%x: tensor<2x4xf32>) -> tensor<2x3xf32> {
  %w = leaf.load_weight @w : tensor<4x3xf32>
  %e = tensor.empty() : tensor<2x3xf32>
  %0 = leaf.contract ins(%x, %w : tensor<2x4xf32>, tensor<4x3xf32>) outs(%e : tensor<2x3xf32>)
    {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%q: f32): leaf.yield %q : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<2x3xf32> loc("layer")
  return %0 : tensor<2x3xf32>
}
