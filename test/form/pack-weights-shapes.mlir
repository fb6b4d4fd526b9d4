// RUN: leaf-opt %s -leaf-pack-weights=lanes=1 | FileCheck %s

// A depthwise weight stays: the data is indexed by the same channel. A grouped one is packed per group; an i8 splat too.
// CHECK-DAG: #[[GROUPED:.*]] = affine_map<(d0, d1, d2, d3) -> (d1, d2 floordiv 4, d3, d2 mod 4)>
// CHECK-DAG: leaf.weight @depthwise
// CHECK:     leaf.load_weight @depthwise : tensor<3x8xf32>
// CHECK:     leaf.load_weight @grouped_packed : tensor<2x2x3x4xi8>
// CHECK:     leaf.contract {{.*}} #[[GROUPED]]
// CHECK:     grouped_packed: "0x40000000050505050505050505050505050500000505000005050000
leaf.weight @depthwise = dense<1.0> : tensor<3x8xf32>
leaf.weight @grouped = dense<5> : tensor<2x3x6xi8>

func.func @main(%x: tensor<6x8xf32>, %y: tensor<4x2x3xf32>) -> (tensor<4x8xf32>, tensor<4x2x6xf32>) {
  %dw = leaf.load_weight @depthwise : tensor<3x8xf32>
  %gw = leaf.load_weight @grouped : tensor<2x3x6xi8>
  %e0 = tensor.empty() : tensor<4x8xf32>
  %0 = leaf.contract ins(%x, %dw : tensor<6x8xf32>, tensor<3x8xf32>) outs(%e0 : tensor<4x8xf32>)
    {indexing_maps = [affine_map<(o, c, k) -> (o + k, c)>, affine_map<(o, c, k) -> (k, c)>, affine_map<(o, c, k) -> (o, c)>],
     iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%q: f32): leaf.yield %q : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<4x8xf32>
  %e1 = tensor.empty() : tensor<4x2x6xf32>
  %1 = leaf.contract ins(%y, %gw : tensor<4x2x3xf32>, tensor<2x3x6xi8>) outs(%e1 : tensor<4x2x6xf32>)
    {indexing_maps = [affine_map<(o, g, n, k) -> (o, g, k)>, affine_map<(o, g, n, k) -> (g, k, n)>, affine_map<(o, g, n, k) -> (o, g, n)>],
     iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%q: i8): %f = arith.sitofp %q : i8 to f32 leaf.yield %f : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<4x2x6xf32>
  return %0, %1 : tensor<4x8xf32>, tensor<4x2x6xf32>
}
