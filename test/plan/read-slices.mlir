// RUN: leaf-opt %s -leaf-read-slices | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>

// Both slices of %x are views, and so is the slice of a slice; their kernel goes.
// CHECK-LABEL: func.func @main
// CHECK:         plan.call @fill(%arg0 : memref<4x64xf32>) outs(%[[X:.*]] : memref<4x64xf32>)
// CHECK-NOT:     @upper
// CHECK:         %[[Y:.*]] = memref.subview %[[X]][0, 32] [4, 32] [1, 1] : memref<4x64xf32> to memref<4x32xf32, strided<[64, 1], offset: 32>>
// CHECK-NEXT:    plan.call @use(%[[Y]] : memref<4x32xf32, strided<[64, 1], offset: 32>>) outs(%arg1 : memref<4x32xf32>)
// CHECK-NEXT:    %[[Z:.*]] = memref.subview %[[X]][0, 32] [4, 32] [1, 1]
// CHECK-NEXT:    plan.call @use(%[[Z]] :
func.func @main(%a: memref<4x64xf32>, %o: memref<4x32xf32>) {
  %x = memref.alloc() : memref<4x64xf32>
  plan.call @fill(%a : memref<4x64xf32>) outs(%x : memref<4x64xf32>)
  %y = memref.alloc() : memref<4x32xf32>
  plan.call @upper(%x : memref<4x64xf32>) outs(%y : memref<4x32xf32>)
  plan.call @use(%y : memref<4x32xf32>) outs(%o : memref<4x32xf32>)
  %z = memref.alloc() : memref<4x32xf32>
  plan.call @upper(%x : memref<4x64xf32>) outs(%z : memref<4x32xf32>)
  plan.call @use(%z : memref<4x32xf32>) outs(%o : memref<4x32xf32>)
  return
}

// A buffer that is written again may have changed when the slice is read.
// CHECK-LABEL: func.func @written_twice
// CHECK:         plan.call @upper2(
func.func @written_twice(%a: memref<4x64xf32>, %o: memref<4x32xf32>) {
  %x = memref.alloc() : memref<4x64xf32>
  plan.call @fill(%a : memref<4x64xf32>) outs(%x : memref<4x64xf32>)
  %y = memref.alloc() : memref<4x32xf32>
  plan.call @upper2(%x : memref<4x64xf32>) outs(%y : memref<4x32xf32>)
  plan.call @fill(%a : memref<4x64xf32>) outs(%x : memref<4x64xf32>)
  plan.call @use(%y : memref<4x32xf32>) outs(%o : memref<4x32xf32>)
  return
}

// Columns of four elements are no vectors: they are copied.
// CHECK-LABEL: func.func @narrow
// CHECK:         plan.call @few(
func.func @narrow(%a: memref<4x64xf32>, %o: memref<4x4xf32>) {
  %x = memref.alloc() : memref<4x64xf32>
  plan.call @fill(%a : memref<4x64xf32>) outs(%x : memref<4x64xf32>)
  %y = memref.alloc() : memref<4x4xf32>
  plan.call @few(%x : memref<4x64xf32>) outs(%y : memref<4x4xf32>)
  plan.call @use4(%y : memref<4x4xf32>) outs(%o : memref<4x4xf32>)
  return
}

// A result of the model has a buffer of its own.
// CHECK-LABEL: func.func @result
// CHECK:         plan.call @upper2(%{{.*}} : memref<4x64xf32>) outs(%arg1 : memref<4x32xf32>)
func.func @result(%a: memref<4x64xf32>, %o: memref<4x32xf32>) {
  %x = memref.alloc() : memref<4x64xf32>
  plan.call @fill(%a : memref<4x64xf32>) outs(%x : memref<4x64xf32>)
  plan.call @upper2(%x : memref<4x64xf32>) outs(%o : memref<4x32xf32>)
  return
}

// CHECK-NOT: plan.kernel @upper(
plan.kernel @fill(%0: tensor<4x64xf32>, %1: tensor<4x64xf32>) -> tensor<4x64xf32> attributes {num_outs = 1 : i64} {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<4x64xf32>) outs(%1 : tensor<4x64xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<4x64xf32>
  plan.yield %r : tensor<4x64xf32>
}
plan.kernel @use(%0: tensor<4x32xf32>, %1: tensor<4x32xf32>) -> tensor<4x32xf32> attributes {num_outs = 1 : i64} {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<4x32xf32>) outs(%1 : tensor<4x32xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<4x32xf32>
  plan.yield %r : tensor<4x32xf32>
}
plan.kernel @use4(%0: tensor<4x4xf32>, %1: tensor<4x4xf32>) -> tensor<4x4xf32> attributes {num_outs = 1 : i64} {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<4x4xf32>) outs(%1 : tensor<4x4xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  plan.yield %r : tensor<4x4xf32>
}
plan.kernel @upper(%0: tensor<4x64xf32>, %1: tensor<4x32xf32>) -> tensor<4x32xf32> attributes {num_outs = 1 : i64} {
  %c = arith.constant 32 : index
  %r = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%1 : tensor<4x32xf32>) attrs = {leaf.slice = array<i64: 0, 32>} {
  ^bb0(%b: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %k = arith.addi %j, %c : index
    %e = tensor.extract %0[%i, %k] : tensor<4x64xf32>
    linalg.yield %e : f32
  } -> tensor<4x32xf32>
  plan.yield %r : tensor<4x32xf32>
}
plan.kernel @upper2(%0: tensor<4x64xf32>, %1: tensor<4x32xf32>) -> tensor<4x32xf32> attributes {num_outs = 1 : i64} {
  %c = arith.constant 32 : index
  %r = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%1 : tensor<4x32xf32>) attrs = {leaf.slice = array<i64: 0, 32>} {
  ^bb0(%b: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %k = arith.addi %j, %c : index
    %e = tensor.extract %0[%i, %k] : tensor<4x64xf32>
    linalg.yield %e : f32
  } -> tensor<4x32xf32>
  plan.yield %r : tensor<4x32xf32>
}
plan.kernel @few(%0: tensor<4x64xf32>, %1: tensor<4x4xf32>) -> tensor<4x4xf32> attributes {num_outs = 1 : i64} {
  %c = arith.constant 8 : index
  %r = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%1 : tensor<4x4xf32>) attrs = {leaf.slice = array<i64: 0, 8>} {
  ^bb0(%b: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %k = arith.addi %j, %c : index
    %e = tensor.extract %0[%i, %k] : tensor<4x64xf32>
    linalg.yield %e : f32
  } -> tensor<4x4xf32>
  plan.yield %r : tensor<4x4xf32>
}
