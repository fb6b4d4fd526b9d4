// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=32 registers=16' -canonicalize -cse | FileCheck %s

// With one outer point, blocks of 4096 elements of the inputs are the tiles: 2 + 3.
// CHECK-LABEL: func.func @main
// CHECK:         plan.launch @join({{.*}}) tiles(%c5
// CHECK:         plan.launch @batch({{.*}}) tiles(%c16
// CHECK-LABEL: func.func private @join(
// CHECK:         scf.for %[[T:.*]] = %{{.*}} to %{{.*}} step %c1
// CHECK:           %[[FIRST:.*]] = arith.cmpi ult, %[[T]], %c2
// CHECK:           scf.if %[[FIRST]]
// CHECK:             arith.muli %[[T]], %c4096
// CHECK:           %[[REST:.*]] = arith.subi %[[T]], %c2
// CHECK:           %[[SECOND:.*]] = arith.cmpi ult, %[[REST]], %c3
// CHECK:           scf.if %[[SECOND]]
// CHECK:             arith.muli %[[REST]], %c4096

// A batch is enough by itself.
// CHECK-LABEL: func.func private @batch(
// CHECK-NOT:     scf.if
// CHECK:         return
func.func @main(%x: memref<1x50x100xf32>, %y: memref<1x110x100xf32>, %z: memref<1x160x100xf32>, %u: memref<16x4xf32>, %v: memref<16x8xf32>) {
  plan.call @join(%x, %y : memref<1x50x100xf32>, memref<1x110x100xf32>) outs(%z : memref<1x160x100xf32>)
  plan.call @batch(%u, %u : memref<16x4xf32>, memref<16x4xf32>) outs(%v : memref<16x8xf32>)
  return
}
plan.kernel @join(%0: tensor<1x50x100xf32>, %1: tensor<1x110x100xf32>, %2: tensor<1x160x100xf32>) -> tensor<1x160x100xf32>
    attributes {num_outs = 1 : i64} {
  %3 = leaf.concat ins(%0, %1 : tensor<1x50x100xf32>, tensor<1x110x100xf32>) outs(%2 : tensor<1x160x100xf32>) dim 1 -> tensor<1x160x100xf32>
  plan.yield %3 : tensor<1x160x100xf32>
}
plan.kernel @batch(%0: tensor<16x4xf32>, %1: tensor<16x4xf32>, %2: tensor<16x8xf32>) -> tensor<16x8xf32>
    attributes {num_outs = 1 : i64} {
  %3 = leaf.concat ins(%0, %1 : tensor<16x4xf32>, tensor<16x4xf32>) outs(%2 : tensor<16x8xf32>) dim 1 -> tensor<16x8xf32>
  plan.yield %3 : tensor<16x8xf32>
}
