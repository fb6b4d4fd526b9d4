// RUN: leaf-opt %s -leaf-narrow-operands | FileCheck %s
// RUN: leaf-opt %s -leaf-narrow-operands | FileCheck %s --check-prefix=BYTES

// BYTES-DAG: w_bf16: "0x40000000803F803F00400040"
// BYTES-DAG: h_bf16: "0x40000000803F803F00400040"

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>

// Both products read the data rounded once, and weights in bfloat16: 1 is 0x3f80, 1 + 2^-8 a tie that goes to even.
// CHECK-LABEL: func.func @main
// CHECK:         %[[X:.*]] = linalg.generic {{.*}} ins(%arg0 : tensor<4x2xf32>) outs(%{{.*}} : tensor<4x2xbf16>)
// CHECK:           arith.truncf %{{.*}} : f32 to bf16
// CHECK:         leaf.contract ins(%[[X]], %{{.*}} : tensor<4x2xbf16>, tensor<2x2xbf16>)
// CHECK:           arith.extf %{{.*}} : bf16 to f32
// CHECK:           arith.extf %{{.*}} : bf16 to f32
// CHECK-NOT:     arith.truncf
// CHECK:         leaf.contract ins(%[[X]], %{{.*}} : tensor<4x2xbf16>, tensor<2x2xbf16>)
leaf.weight @w = dense<[[1.0, 1.00390625], [2.0, 2.0]]> : tensor<2x2xf32>

func.func @main(%x: tensor<4x2xf32>) -> (tensor<4x2xf32>, tensor<4x2xf32>) {
  %w = leaf.load_weight @w : tensor<2x2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %0 = leaf.contract ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%e : tensor<4x2xf32>)
    {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%r: f32): leaf.yield %r : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<4x2xf32>
  %1 = leaf.contract ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%e : tensor<4x2xf32>)
    {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%r: f32): leaf.yield %r : f32 }
    epilogue { ^bb0(%acc: f32): %s = arith.negf %acc : f32 leaf.yield %s : f32 } -> tensor<4x2xf32>
  return %0, %1 : tensor<4x2xf32>, tensor<4x2xf32>
}

// A weight of float16 is rounded, too: 1 + 2^-8 is 0x3c04 there.
// CHECK-LABEL: func.func @half
// CHECK:         leaf.contract ins(%{{.*}}, %{{.*}} : tensor<4x2xbf16>, tensor<2x2xbf16>)
// CHECK:           ^bb0(%[[E:.*]]: bf16):
// CHECK-NEXT:        %[[F:.*]] = arith.extf %[[E]] : bf16 to f32
// CHECK-NEXT:        leaf.yield %[[F]] : f32
// CHECK:           ^bb0(%[[E:.*]]: bf16):
// CHECK-NEXT:        %[[F:.*]] = arith.extf %[[E]] : bf16 to f32
// CHECK-NEXT:        leaf.yield %[[F]] : f32
leaf.weight @h = dense<[[1.0, 1.00390625], [2.0, 2.0]]> : tensor<2x2xf16>

func.func @half(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %h = leaf.load_weight @h : tensor<2x2xf16>
  %e = tensor.empty() : tensor<4x2xf32>
  %0 = leaf.contract ins(%x, %h : tensor<4x2xf32>, tensor<2x2xf16>) outs(%e : tensor<4x2xf32>)
    {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%r: f16): %f = arith.extf %r : f16 to f32 leaf.yield %f : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}
