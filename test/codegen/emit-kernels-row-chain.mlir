// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=32 registers=16' -canonicalize -cse | FileCheck %s

#q = affine_map<(h, m, n, k) -> (h, m, k)>
#k = affine_map<(h, m, n, k) -> (h, n, k)>
#v = affine_map<(h, m, n, k) -> (h, k, n)>
#s = affine_map<(h, m, n, k) -> (h, m, n)>
#row = affine_map<(h, m, n) -> (h, m)>
#all = affine_map<(h, m, n) -> (h, m, n)>

// Attention: the scores of one head, 8 x 16 of them, are all the scratch beside sums of rows and packed keys; what
// stands between the products goes row by row, in place.
// CHECK-LABEL: func.func private @attention(
// CHECK:         %[[SCORES:.*]] = memref.view {{.*}} to memref<128xf32>
// CHECK-NOT:     to memref<128xf32>
// CHECK:         math.fma
// CHECK:         vector.store {{.*}}, %[[SCORES]]
// CHECK:         scf.for %{{.*}} = %c0 to %c8 step %c1 {
// CHECK-COUNT-2:   vector.load %[[SCORES]]
// CHECK:           vector.store {{.*}}, %[[SCORES]]
// CHECK:         memref.load %[[SCORES]]
// CHECK:         math.fma
func.func @main(%q: memref<2x8x4xf32>, %k: memref<2x16x4xf32>, %v: memref<2x16x8xf32>, %o: memref<2x8x8xf32>) {
  plan.call @attention(%q, %k, %v : memref<2x8x4xf32>, memref<2x16x4xf32>, memref<2x16x8xf32>) outs(%o : memref<2x8x8xf32>)
  return
}
plan.kernel @attention(%q: tensor<2x8x4xf32>, %k: tensor<2x16x4xf32>, %v: tensor<2x16x8xf32>, %o: tensor<2x8x8xf32>) -> tensor<2x8x8xf32> attributes {num_outs = 1 : i64, shared_loops = 1 : i64} {
  %e = tensor.empty() : tensor<2x8x16xf32>
  %s = leaf.contract ins(%q, %k : tensor<2x8x4xf32>, tensor<2x16x4xf32>) outs(%e : tensor<2x8x16xf32>)
    {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
    rhs { ^bb0(%x: f32): leaf.yield %x : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<2x8x16xf32>
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "parallel", "reduction"]} ins(%s : tensor<2x8x16xf32>) outs(%f : tensor<2x8xf32>) {
  ^bb0(%x: f32, %m: f32):
    %y = arith.addf %x, %m : f32
    linalg.yield %y : f32
  } -> tensor<2x8xf32>
  %e2 = tensor.empty() : tensor<2x8x16xf32>
  %p = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]} ins(%s, %sum : tensor<2x8x16xf32>, tensor<2x8xf32>) outs(%e2 : tensor<2x8x16xf32>) {
  ^bb0(%x: f32, %m: f32, %out: f32):
    %y = arith.divf %x, %m : f32
    linalg.yield %y : f32
  } -> tensor<2x8x16xf32>
  %r = leaf.contract ins(%p, %v : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%o : tensor<2x8x8xf32>)
    {indexing_maps = [#q, #v, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
    rhs { ^bb0(%x: f32): leaf.yield %x : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<2x8x8xf32>
  plan.yield %r : tensor<2x8x8xf32>
}
