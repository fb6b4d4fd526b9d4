// RUN: leaf-opt %s -leaf-choose-winograd="lanes=4 growth=1000" | FileCheck %s --check-prefixes=CHECK,F4
// RUN: leaf-opt %s -leaf-choose-winograd="lanes=4 growth=1000 tile=2" | FileCheck %s --check-prefixes=CHECK,F2
// RUN: leaf-opt %s -leaf-choose-winograd="lanes=4 growth=110" | FileCheck %s --check-prefix=DIRECT
// RUN: leaf-opt %s -leaf-choose-winograd="lanes=4 growth=1000 tile=0" | FileCheck %s --check-prefix=DIRECT
// RUN: leaf-opt %s -leaf-choose-winograd="lanes=1 growth=1000" | FileCheck %s --check-prefix=DIRECT

#x = affine_map<(n, h, w, o, kh, kw, i) -> (n, h + kh, w + kw, i)>
#x2 = affine_map<(n, h, w, o, kh, kw, i) -> (n, h * 2 + kh, w + kw, i)>
#w = affine_map<(n, h, w, o, kh, kw, i) -> (kh, kw, i, o)>
#o = affine_map<(n, h, w, o, kh, kw, i) -> (n, h, w, o)>

// Filters of ones. The first point of G g G^T is the filter's first element, a sixteenth of it with F(4x4).
// CHECK-LABEL: func.func @main
// F4:            %[[W:.*]] = leaf.load_weight @w_winograd : tensor<6x6x8x8xf32>
// F4-NEXT:       leaf.contract ins(%{{.*}}, %[[W]] : {{.*}}winograd = 4 : i64
// F2:            %[[W:.*]] = leaf.load_weight @w_winograd : tensor<4x4x8x8xf32>
// F2-NEXT:       leaf.contract ins(%{{.*}}, %[[W]] : {{.*}}winograd = 2 : i64
// The stride of two is left alone.
// CHECK:         leaf.contract
// CHECK-NOT:     winograd =
// CHECK:         return
// CHECK-NOT:   leaf.weight @w =
// F4:          w_winograd: "0x400000000000803D
// F2:          w_winograd: "0x400000000000803F

// DIRECT-LABEL: func.func @main
// DIRECT-NOT:     winograd =
// DIRECT:         return
leaf.weight @w = dense<1.0> : tensor<3x3x8x8xf32>
leaf.weight @v = dense<1.0> : tensor<3x3x8x9xf32>

func.func @main(%x: tensor<1x18x18x8xf32>, %y: tensor<1x17x18x8xf32>) -> (tensor<1x16x16x8xf32>, tensor<1x8x16x9xf32>) {
  %w = leaf.load_weight @w : tensor<3x3x8x8xf32>
  %e = tensor.empty() : tensor<1x16x16x8xf32>
  %0 = leaf.contract ins(%x, %w : tensor<1x18x18x8xf32>, tensor<3x3x8x8xf32>) outs(%e : tensor<1x16x16x8xf32>)
    {indexing_maps = [#x, #w, #o],
     iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%q: f32): leaf.yield %q : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<1x16x16x8xf32>
  %v = leaf.load_weight @v : tensor<3x3x8x9xf32>
  %f = tensor.empty() : tensor<1x8x16x9xf32>
  %1 = leaf.contract ins(%y, %v : tensor<1x17x18x8xf32>, tensor<3x3x8x9xf32>) outs(%f : tensor<1x8x16x9xf32>)
    {indexing_maps = [#x2, #w, #o],
     iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%q: f32): leaf.yield %q : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<1x8x16x9xf32>
  return %0, %1 : tensor<1x16x16x8xf32>, tensor<1x8x16x9xf32>
}
