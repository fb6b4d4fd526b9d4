// RUN: leaf-opt %s -leaf-pack-weights='lanes=4 byte-group=4 bf16-group=2' | FileCheck %s
// RUN: leaf-opt %s -leaf-pack-weights=lanes=4 | FileCheck %s --check-prefix=NONE

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
#x = affine_map<(h, w, co, kh, kw, ci) -> (h + kh, w + kw, ci)>
#w = affine_map<(h, w, co, kh, kw, ci) -> (kh, kw, ci, co)>
#y = affine_map<(h, w, co, kh, kw, ci) -> (h, w, co)>

// The reduction of six bytes becomes two groups of four.
// CHECK-DAG: #[[LHS:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2 * 4 + d3)>
// CHECK-DAG: #[[RHS:.*]] = affine_map<(d0, d1, d2, d3) -> (d1 floordiv 4, d2, d1 mod 4, d3)>
// Columns of the window and the three channels are one reduction of nine, in three groups.
// CHECK-DAG: #[[IMAGE:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0 + d3, d1 + (d4 * 4 + d5) floordiv 3, (d4 * 4 + d5) mod 3)>
// CHECK-DAG: #[[FILTER:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d2 floordiv 4, d3, d4, d2 mod 4, d5)>
// CHECK-LABEL: func.func @bytes
// CHECK:         leaf.contract ins(%{{.*}}, %{{.*}} : tensor<5x6xi8>, tensor<1x2x4x4xi8>)
// CHECK-SAME:      indexing_maps = [#[[LHS]], #[[RHS]], #{{[a-z0-9]+}}]
// CHECK-SAME:      iterator_types = ["parallel", "parallel", "reduction", "reduction"]
// CHECK-SAME:      leaf.depth = 6 : i64
// NONE-LABEL: func.func @bytes
// NONE-NOT:     leaf.depth
func.func @bytes(%x: tensor<5x6xi8>) -> tensor<5x3xi32> {
  %w = leaf.load_weight @w : tensor<6x3xi8>
  %e = tensor.empty() : tensor<5x3xi32>
  %0 = leaf.contract ins(%x, %w : tensor<5x6xi8>, tensor<6x3xi8>) outs(%e : tensor<5x3xi32>)
    {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: i8): %v = arith.extui %l : i8 to i32  leaf.yield %v : i32 }
    rhs { ^bb0(%r: i8): %v = arith.extsi %r : i8 to i32  leaf.yield %v : i32 }
    epilogue { ^bb0(%acc: i32): leaf.yield %acc : i32 } -> tensor<5x3xi32>
  return %0 : tensor<5x3xi32>
}

// CHECK-LABEL: func.func @window
// CHECK:         leaf.contract ins(%{{.*}}, %{{.*}} : tensor<6x6x3xi8>, tensor<1x3x3x4x4xi8>)
// CHECK-SAME:      indexing_maps = [#[[IMAGE]], #[[FILTER]], #{{[a-z0-9]+}}]
// CHECK-SAME:      leaf.depth = 9 : i64
func.func @window(%x: tensor<6x6x3xi8>) -> tensor<4x4x4xi32> {
  %w = leaf.load_weight @filter : tensor<3x3x3x4xi8>
  %e = tensor.empty() : tensor<4x4x4xi32>
  %0 = leaf.contract ins(%x, %w : tensor<6x6x3xi8>, tensor<3x3x3x4xi8>) outs(%e : tensor<4x4x4xi32>)
    {indexing_maps = [#x, #w, #y],
     iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
    lhs { ^bb0(%l: i8): %v = arith.extsi %l : i8 to i32  leaf.yield %v : i32 }
    rhs { ^bb0(%r: i8): %v = arith.extsi %r : i8 to i32  leaf.yield %v : i32 }
    epilogue { ^bb0(%acc: i32): leaf.yield %acc : i32 } -> tensor<4x4x4xi32>
  return %0 : tensor<4x4x4xi32>
}

// Element 4 and 5 of each column, then zeros.
// CHECK: leaf.weight @w_packed = dense_resource<w_packed> : tensor<1x2x4x4xi8>
// CHECK: w_packed: "0x40000000010407100205080B03060912000000000D0E00000F1000001112000000000000"
leaf.weight @w = dense<[[1, 2, 3], [4, 5, 6], [7, 8, 9], [16, 11, 18], [13, 15, 17], [14, 16, 18]]> : tensor<6x3xi8>
leaf.weight @filter = dense<1> : tensor<3x3x3x4xi8>
