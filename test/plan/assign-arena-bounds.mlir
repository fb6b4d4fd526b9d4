// RUN: split-file %s %t && leaf-opt %t/bounded.mlir -leaf-assign-arena | FileCheck %t/bounded.mlir && not leaf-opt %t/open.mlir -leaf-assign-arena 2>&1 | FileCheck %t/open.mlir

//--- bounded.mlir
// The size is a product of a bounded size: 2 * 100 floats.
// CHECK: plan.slot 0 bytes 832[%{{.*}}] : memref<?xf32>
func.func @main(%n: index, %y: memref<?xf32>) {
  %c2 = arith.constant 2 : index
  %b = leaf.bound %n, 100
  %m = arith.muli %b, %c2 : index
  %a = memref.alloc(%m) : memref<?xf32>
  plan.call @k() outs(%a : memref<?xf32>)
  plan.call @k() outs(%a : memref<?xf32>)
  return
}
plan.kernel @k(%0: tensor<?xf32>) -> tensor<?xf32> attributes {num_outs = 1 : i64} {
  plan.yield %0 : tensor<?xf32>
}

//--- open.mlir
// CHECK: error: dimension 0 of an intermediate 'memref<?xf32>' has no upper bound; give one with --bound 'NODE.OUTPUT=N'
func.func @main(%n: index, %y: memref<?xf32>) {
  %a = memref.alloc(%n) : memref<?xf32>
  plan.call @k() outs(%a : memref<?xf32>)
  return
}
plan.kernel @k(%0: tensor<?xf32>) -> tensor<?xf32> attributes {num_outs = 1 : i64} {
  plan.yield %0 : tensor<?xf32>
}
