// RUN: leaf-opt %s | leaf-opt | FileCheck %s

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n floordiv 16, k, n mod 16)>
#row = affine_map<(m, n, k) -> (n)>
#out = affine_map<(m, n, k) -> (m, n)>

// CHECK: leaf.weight @w = dense<1.000000e+00> : tensor<2x3x16xf32> {onnx_name = "fc.weight"}
leaf.weight @w = dense<1.0> : tensor<2x3x16xf32> {onnx_name = "fc.weight"}

// CHECK-LABEL: func.func @contract
func.func @contract(%x: tensor<4x3xf32>, %b: tensor<32xf32>, %o: tensor<4x32xf32>) -> tensor<4x32xf32> {
  // CHECK: leaf.load_weight @w : tensor<2x3x16xf32>
  %w = leaf.load_weight @w : tensor<2x3x16xf32>
  // CHECK: leaf.contract ins(%{{.*}}, %{{.*}} : tensor<4x3xf32>, tensor<2x3x16xf32>) extras(%{{.*}} : tensor<32xf32>)
  // CHECK-SAME: iterator_types = ["parallel", "parallel", "reduction"]
  %r = leaf.contract ins(%x, %w : tensor<4x3xf32>, tensor<2x3x16xf32>) extras(%b : tensor<32xf32>)
      outs(%o : tensor<4x32xf32>)
      {indexing_maps = [#lhs, #rhs, #row, #out], iterator_types = ["parallel", "parallel", "reduction"]}
      lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
      rhs { ^bb0(%l: f32): leaf.yield %l : f32 }
      epilogue { ^bb0(%acc: f32, %e: f32):
        %s = arith.addf %acc, %e : f32
        leaf.yield %s : f32
      } -> tensor<4x32xf32>
  return %r : tensor<4x32xf32>
}

// CHECK-LABEL: func.func @concat
func.func @concat(%a: tensor<2x3xf32>, %b: tensor<2x5xf32>, %o: tensor<2x8xf32>) -> tensor<2x8xf32> {
  // CHECK: leaf.concat ins(%{{.*}}, %{{.*}} : tensor<2x3xf32>, tensor<2x5xf32>) outs(%{{.*}} : tensor<2x8xf32>) dim 1
  %r = leaf.concat ins(%a, %b : tensor<2x3xf32>, tensor<2x5xf32>) outs(%o : tensor<2x8xf32>) dim 1 -> tensor<2x8xf32>
  return %r : tensor<2x8xf32>
}

// CHECK-LABEL: func.func @bound
func.func @bound(%n: index) -> index {
  // CHECK: leaf.bound %{{.*}}, 512
  %b = leaf.bound %n, 512
  return %b : index
}

// -----

// CHECK-LABEL: func.func @forall
// CHECK: leaf.forall ins(%{{.*}} : tensor<8x4xf32>) outs(%{{.*}} : tensor<8xf32>) extents(%{{.*}}) {
// CHECK: ^bb0(%[[I:.*]]: index, %[[X:.*]]: memref<8x4xf32>, %[[O:.*]]: memref<8xf32>):
// CHECK:   memref.store %{{.*}}, %[[O]][%[[I]]]
// CHECK:   leaf.yield
// CHECK: } -> tensor<8xf32>
func.func @forall(%x: tensor<8x4xf32>, %o: tensor<8xf32>) -> tensor<8xf32> {
  %c8 = arith.constant 8 : index
  %r = leaf.forall ins(%x : tensor<8x4xf32>) outs(%o : tensor<8xf32>) extents(%c8) {
  ^bb0(%i: index, %row: memref<8x4xf32>, %last: memref<8xf32>):
    %c3 = arith.constant 3 : index
    %e = memref.load %row[%i, %c3] : memref<8x4xf32>
    memref.store %e, %last[%i] : memref<8xf32>
    leaf.yield
  } -> tensor<8xf32>
  return %r : tensor<8xf32>
}
