// RUN: leaf-opt %s -split-input-file -leaf-outline-kernels | FileCheck %s

#id = affine_map<(i, j, k) -> (i, j, k)>
#row = affine_map<(i, j, k) -> (i, j)>

// Softmax is one kernel that shares its two row loops; max, exp and sum are temporaries, and it works in place.
// CHECK-LABEL: func.func @softmax
// CHECK:         plan.call @kernel_0
// CHECK-NOT:     plan.call
// CHECK:       plan.kernel @kernel_0(%[[X:.*]]: tensor<2x4x8xf32>, %[[O:.*]]: tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
// CHECK-SAME:    in_place = array<i64: 0>
// CHECK-SAME:    shared_loops = 2
// CHECK:         tensor.empty() : tensor<2x4xf32>
// CHECK:         linalg.fill
// CHECK:         linalg.generic {{.*}}"parallel", "parallel", "reduction"
// CHECK:         tensor.empty() : tensor<2x4x8xf32>
// CHECK:         linalg.generic
// CHECK:         linalg.generic
// CHECK:         linalg.generic {{.*}} outs(%[[O]] :
func.func @softmax(%x: tensor<2x4x8xf32>) -> tensor<2x4x8xf32> {
  %low = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x4xf32>
  %f = tensor.empty() : tensor<2x4x8xf32>
  %i0 = linalg.fill ins(%low : f32) outs(%e : tensor<2x4xf32>) -> tensor<2x4xf32>
  %max = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%x : tensor<2x4x8xf32>) outs(%i0 : tensor<2x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.maximumf %a, %o : f32
    linalg.yield %s : f32
  } -> tensor<2x4xf32>
  %exp = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%x, %max : tensor<2x4x8xf32>, tensor<2x4xf32>) outs(%f : tensor<2x4x8xf32>) {
  ^bb0(%a: f32, %m: f32, %o: f32):
    %s = arith.subf %a, %m : f32
    %t = math.exp %s : f32
    linalg.yield %t : f32
  } -> tensor<2x4x8xf32>
  %i1 = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4xf32>) -> tensor<2x4xf32>
  %sum = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%exp : tensor<2x4x8xf32>) outs(%i1 : tensor<2x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %o : f32
    linalg.yield %s : f32
  } -> tensor<2x4xf32>
  %div = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%exp, %sum : tensor<2x4x8xf32>, tensor<2x4xf32>) outs(%f : tensor<2x4x8xf32>) {
  ^bb0(%a: f32, %m: f32, %o: f32):
    %s = arith.divf %a, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x4x8xf32>
  return %div : tensor<2x4x8xf32>
}

// -----

// Where the rows run innermost (a mean over pixels, channels last), only the batch is shared: the channels stay a
// vector. The value that is returned too becomes a second destination.
// CHECK-LABEL: func.func @global_mean
// CHECK:         %[[R:.*]]:2 = plan.call @kernel_0({{.*}}) outs({{.*}}) -> tensor<3x4xf32>, tensor<3x4xf32>
// CHECK:         return %[[R]]#0, %[[R]]#1
// CHECK:       plan.kernel @kernel_0
// CHECK-SAME:    num_outs = 2
// CHECK-SAME:    shared_loops = 1
// CHECK:         linalg.generic {{.*}}"parallel", "parallel", "reduction"
// CHECK:         linalg.generic {{.*}}"parallel", "parallel"
func.func @global_mean(%x: tensor<3x49x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %count = arith.constant 49.0 : f32
  %e = tensor.empty() : tensor<3x4xf32>
  %i0 = linalg.fill ins(%zero : f32) outs(%e : tensor<3x4xf32>) -> tensor<3x4xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(n, c, p) -> (n, p, c)>, affine_map<(n, c, p) -> (n, c)>],
                         iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%x : tensor<3x49x4xf32>) outs(%i0 : tensor<3x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %o : f32
    linalg.yield %s : f32
  } -> tensor<3x4xf32>
  %mean = linalg.generic {indexing_maps = [affine_map<(n, c) -> (n, c)>, affine_map<(n, c) -> (n, c)>],
                          iterator_types = ["parallel", "parallel"]}
    ins(%sum : tensor<3x4xf32>) outs(%e : tensor<3x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.divf %a, %count : f32
    linalg.yield %s : f32
  } -> tensor<3x4xf32>
  return %sum, %mean : tensor<3x4xf32>, tensor<3x4xf32>
}

// -----

// The reduction of a scaled input and the contraction between it and its reader: the reader may not join, the path
// through the contraction would leave the group and come back.
// CHECK-LABEL: func.func @convex
// CHECK-COUNT-3: plan.call
// CHECK:         return
// CHECK-NOT:   shared_loops = 1
func.func @convex(%x: tensor<8x8xf32>, %w: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %f = tensor.empty() : tensor<8x8xf32>
  %i0 = linalg.fill ins(%zero : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                         iterator_types = ["parallel", "reduction"]}
    ins(%x : tensor<8x8xf32>) outs(%i0 : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %o : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  %c = leaf.contract ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) extras(%sum : tensor<8xf32>) outs(%f : tensor<8x8xf32>)
    {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m)>, affine_map<(m, n, k) -> (m, n)>],
     iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%p: f32): leaf.yield %p : f32 }
    epilogue { ^bb0(%acc: f32, %q: f32): %s = arith.addf %acc, %q : f32 leaf.yield %s : f32 } -> tensor<8x8xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
    ins(%c, %sum : tensor<8x8xf32>, tensor<8xf32>) outs(%f : tensor<8x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.mulf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}
