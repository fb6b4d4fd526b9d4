// RUN: leaf-opt %s -leaf-outline-kernels | FileCheck %s

#x = affine_map<(n, y, x, c, i, j) -> (n, y + i, x + j, c)>
#w = affine_map<(n, y, x, c, i, j) -> (i, j, c)>
#o = affine_map<(n, y, x, c, i, j) -> (n, y, x, c)>
#px = affine_map<(n, y, x, o, i, j, c) -> (n, y + i, x + j, c)>
#pw = affine_map<(n, y, x, o, i, j, c) -> (o floordiv 16, i, j, c, o mod 16)>
#po = affine_map<(n, y, x, o, i, j, c) -> (n, y, x, o)>

// A depthwise convolution of 56 x 56 x 64 (784 KiB) and the pointwise one behind it: one kernel, rows in common.
// CHECK-LABEL: func.func @main
// CHECK:         plan.call @[[K:.*]](%arg0, %arg1, %arg2 :
// CHECK-NOT:     plan.call
func.func @main(%0: tensor<1x58x58x64xf32>, %1: tensor<3x3x64xf32>, %2: tensor<2x1x1x64x16xf32>) -> tensor<1x56x56x24xf32> {
  %e = tensor.empty() : tensor<1x56x56x64xf32>
  %d = leaf.contract ins(%0, %1 : tensor<1x58x58x64xf32>, tensor<3x3x64xf32>) outs(%e : tensor<1x56x56x64xf32>)
    {indexing_maps = [#x, #w, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%r: f32): leaf.yield %r : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<1x56x56x64xf32>
  %f = tensor.empty() : tensor<1x56x56x24xf32>
  %p = leaf.contract ins(%d, %2 : tensor<1x56x56x64xf32>, tensor<2x1x1x64x16xf32>) outs(%f : tensor<1x56x56x24xf32>)
    {indexing_maps = [#px, #pw, #po], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%r: f32): leaf.yield %r : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<1x56x56x24xf32>
  return %p : tensor<1x56x56x24xf32>
}

// The same of 28 x 28 stays in the cache as a whole.
// CHECK-LABEL: func.func @small
// CHECK-COUNT-2: plan.call
// CHECK:       plan.kernel @[[K]](
// CHECK-SAME:    shared_loops = 2
// CHECK:         %[[ROWS:.*]] = leaf.contract
// CHECK:         leaf.contract ins(%[[ROWS]],
func.func @small(%0: tensor<1x30x30x64xf32>, %1: tensor<3x3x64xf32>, %2: tensor<2x1x1x64x16xf32>) -> tensor<1x28x28x24xf32> {
  %e = tensor.empty() : tensor<1x28x28x64xf32>
  %d = leaf.contract ins(%0, %1 : tensor<1x30x30x64xf32>, tensor<3x3x64xf32>) outs(%e : tensor<1x28x28x64xf32>)
    {indexing_maps = [#x, #w, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%r: f32): leaf.yield %r : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<1x28x28x64xf32>
  %f = tensor.empty() : tensor<1x28x28x24xf32>
  %p = leaf.contract ins(%d, %2 : tensor<1x28x28x64xf32>, tensor<2x1x1x64x16xf32>) outs(%f : tensor<1x28x28x24xf32>)
    {indexing_maps = [#px, #pw, #po], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%r: f32): leaf.yield %r : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<1x28x28x24xf32>
  return %p : tensor<1x28x28x24xf32>
}
