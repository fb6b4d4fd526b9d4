// RUN: leaf-opt %s -leaf-pack-weights=lanes=4 | FileCheck %s

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>

// Six columns need two vectors of four lanes; both users share one packed weight, zero-filled at the end.
// CHECK-DAG:  #[[PACKED:.*]] = affine_map<(d0, d1, d2) -> (d1 floordiv 8, d2, d1 mod 8)>
// CHECK-NOT:  leaf.weight @w =
// CHECK-LABEL: func.func @main
// CHECK:         %[[W:.*]] = leaf.load_weight @w_packed : tensor<1x2x8xf32>
// CHECK:         leaf.contract ins(%{{.*}}, %[[W]] : tensor<4x2xf32>, tensor<1x2x8xf32>) {{.*}}indexing_maps = [#{{.*}}, #[[PACKED]], #{{.*}}]
// CHECK:         leaf.load_weight @w_packed
// CHECK:       leaf.weight @w_packed = dense_resource<w_packed> : tensor<1x2x8xf32>
// 1 to 6, two zeros, 7 to 12, two zeros.
// CHECK:       w_packed: "0x400000000000803F00000040000040400000804{{[0-9A-F]*}}C04000000000000000000000E040{{[0-9A-F]*}}00004041{{0000000000000000}}"
leaf.weight @w = dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [7.0, 8.0, 9.0, 10.0, 11.0, 12.0]]> : tensor<2x6xf32>

func.func @main(%x: tensor<4x2xf32>, %y: tensor<4x2xf32>) -> (tensor<4x6xf32>, tensor<4x6xf32>) {
  %w = leaf.load_weight @w : tensor<2x6xf32>
  %e = tensor.empty() : tensor<4x6xf32>
  %0 = leaf.contract ins(%x, %w : tensor<4x2xf32>, tensor<2x6xf32>) outs(%e : tensor<4x6xf32>)
    {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%q: f32): leaf.yield %q : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<4x6xf32>
  %1 = leaf.contract ins(%y, %w : tensor<4x2xf32>, tensor<2x6xf32>) outs(%e : tensor<4x6xf32>)
    {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%q: f32): leaf.yield %q : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<4x6xf32>
  return %0, %1 : tensor<4x6xf32>, tensor<4x6xf32>
}
