// RUN: leaf-opt %s -leaf-narrow-weights | FileCheck %s --check-prefixes=CHECK,F16
// RUN: leaf-opt %s -leaf-narrow-weights=format=bf16 | FileCheck %s --check-prefixes=CHECK,BF16
// RUN: not leaf-opt %s -leaf-narrow-weights=format=f8 2>&1 | FileCheck %s --check-prefix=WRONG

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>

// WRONG: unknown format 'f8'

// CHECK-LABEL: func.func @main
// F16:           %[[W:.*]] = leaf.load_weight @w_f16 : tensor<2x2xf16>
// BF16:          %[[W:.*]] = leaf.load_weight @w_bf16 : tensor<2x2xi16>
// The second operand of the sum is not what a contraction multiplies by.
// CHECK:         leaf.load_weight @b : tensor<2xf32>
// F16:           leaf.contract ins(%arg0, %[[W]] :
// F16:           ^bb0(%[[E:.*]]: f16):
// F16-NEXT:        %[[F:.*]] = arith.extf %[[E]] : f16 to f32
// F16-NEXT:        leaf.yield %[[F]] : f32
// BF16:          ^bb0(%[[E:.*]]: i16):
// BF16-NEXT:       %[[B:.*]] = arith.extui %[[E]] : i16 to i32
// BF16-NEXT:       %[[SHIFT:.*]] = arith.constant 16 : i32
// BF16-NEXT:       %[[S:.*]] = arith.shli %[[B]], %[[SHIFT]] : i32
// BF16-NEXT:       %[[F:.*]] = arith.bitcast %[[S]] : i32 to f32
// BF16-NEXT:       leaf.yield %[[F]] : f32
// CHECK-NOT:   leaf.weight @w =
// 1.0 and 0.1 (0x3DCCCCCD): 0x3C00 and 0x2E66, or 0x3F80 and 0x3DCD, rounded to even.
// F16:         w_f16: "0x40000000003C662E
// BF16:        w_bf16: "0x40000000803FCD3D
leaf.weight @w = dense<[[1.0, 0.1], [3.0, 4.0]]> : tensor<2x2xf32>
leaf.weight @b = dense<[5.0, 6.0]> : tensor<2xf32>

func.func @main(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %w = leaf.load_weight @w : tensor<2x2xf32>
  %b = leaf.load_weight @b : tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %0 = leaf.contract ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) extras(%b : tensor<2xf32>) outs(%e : tensor<4x2xf32>)
    {indexing_maps = [#mk, #kn, affine_map<(m, n, k) -> (n)>, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%q: f32): leaf.yield %q : f32 }
    epilogue { ^bb0(%acc: f32, %v: f32):
      %s = arith.addf %acc, %v : f32
      leaf.yield %s : f32 } -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}
