// RUN: leaf-opt %s -leaf-convert-leaf-to-linalg | FileCheck %s

// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:.*]]: tensor<4x3xf32>, %[[Y:.*]]: tensor<4x1xf16>
// CHECK-NOT: leaf.weight
leaf.weight @w = dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf16>
leaf.weight @b = dense<[1.0, 2.0]> : tensor<2xf32>
func.func @main(%x: tensor<4x3xf32>, %y: tensor<4x1xf16>) -> tensor<4x3xf16> {
  // CHECK: %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<3x2xf16>
  %w = leaf.load_weight @w : tensor<3x2xf16>
  // CHECK: %[[B:.*]] = arith.constant dense<{{.*}}> : tensor<2xf32>
  %b = leaf.load_weight @b : tensor<2xf32>
  %o = tensor.empty() : tensor<4x2xf16>
  // CHECK: %[[ACC:.*]] = linalg.fill {{.*}} -> tensor<4x2xf32>
  // CHECK: %[[SUM:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction"]
  // CHECK-SAME: ins(%[[X]], %[[W]] : {{.*}}) outs(%[[ACC]]
  // CHECK: arith.extf
  // CHECK: arith.mulf
  // CHECK: arith.addf
  // CHECK: %[[R:.*]] = linalg.generic {{.*}} ins(%[[SUM]], %[[B]] : tensor<4x2xf32>, tensor<2xf32>)
  // CHECK: arith.addf
  // CHECK: arith.truncf
  %r = leaf.contract ins(%x, %w : tensor<4x3xf32>, tensor<3x2xf16>) extras(%b : tensor<2xf32>)
         outs(%o : tensor<4x2xf16>)
         {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                           affine_map<(m, n, k) -> (n)>, affine_map<(m, n, k) -> (m, n)>],
          iterator_types = ["parallel", "parallel", "reduction"]}
         lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
         rhs { ^bb0(%h: f16): %e = arith.extf %h : f16 to f32  leaf.yield %e : f32 }
         epilogue { ^bb0(%acc: f32, %e: f32):
           %s = arith.addf %acc, %e : f32
           %t = arith.truncf %s : f32 to f16
           leaf.yield %t : f16 }
         -> tensor<4x2xf16>
  %c = tensor.empty() : tensor<4x3xf16>
  // CHECK: %[[I:.*]] = tensor.insert_slice %[[R]] into %{{.*}}[0, 0] [4, 2] [1, 1]
  // CHECK: tensor.insert_slice %[[Y]] into %[[I]]
  %j = leaf.concat ins(%r, %y : tensor<4x2xf16>, tensor<4x1xf16>) outs(%c : tensor<4x3xf16>) dim 1 -> tensor<4x3xf16>
  return %j : tensor<4x3xf16>
}
