// RUN: leaf-opt %s -leaf-write-halos | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>

// The producer and the other reader work inside of the padded buffer; what is left of the padding is its border.
// CHECK-LABEL: func.func @main
// CHECK:         %[[P:.*]] = memref.alloc() : memref<6x8xf32>
// CHECK-NEXT:    %[[Y:.*]] = memref.subview %[[P]][1, 2] [4, 4] [1, 1] : memref<6x8xf32> to memref<4x4xf32, strided<[8, 1], offset: 10>>
// CHECK-NOT:     memref.alloc
// CHECK:         plan.call @double(%arg0 : memref<4x4xf32>) outs(%[[Y]] :
// CHECK-NEXT:    plan.call @border() outs(%[[P]] : memref<6x8xf32>)
// CHECK-NEXT:    plan.call @double(%[[Y]] :
// CHECK-NEXT:    plan.call @use(%[[P]] :
// CHECK-NOT:   plan.kernel @pad
func.func @main(%x: memref<4x4xf32>, %o: memref<4x4xf32>, %r: memref<6x8xf32>) {
  %y = memref.alloc() : memref<4x4xf32>
  plan.call @double(%x : memref<4x4xf32>) outs(%y : memref<4x4xf32>)
  %p = memref.alloc() : memref<6x8xf32>
  plan.call @pad(%y : memref<4x4xf32>) outs(%p : memref<6x8xf32>)
  plan.call @double(%y : memref<4x4xf32>) outs(%o : memref<4x4xf32>)
  plan.call @use(%p : memref<6x8xf32>) outs(%r : memref<6x8xf32>)
  return
}

// An argument stays where it is, and so does a buffer that a second call writes while the padded one may be read.
// CHECK-LABEL: func.func @left_alone
// CHECK-COUNT-2: plan.call @pad2(
func.func @left_alone(%x: memref<4x4xf32>, %r: memref<6x8xf32>) {
  %p = memref.alloc() : memref<6x8xf32>
  plan.call @pad2(%x : memref<4x4xf32>) outs(%p : memref<6x8xf32>)
  plan.call @use(%p : memref<6x8xf32>) outs(%r : memref<6x8xf32>)
  %y = memref.alloc() : memref<4x4xf32>
  plan.call @double(%x : memref<4x4xf32>) outs(%y : memref<4x4xf32>)
  %q = memref.alloc() : memref<6x8xf32>
  plan.call @pad2(%y : memref<4x4xf32>) outs(%q : memref<6x8xf32>)
  plan.call @double(%x : memref<4x4xf32>) outs(%y : memref<4x4xf32>)
  plan.call @use(%q : memref<6x8xf32>) outs(%r : memref<6x8xf32>)
  return
}

// CHECK:       plan.kernel @border(
// CHECK:         leaf.border outs(%{{.*}} : tensor<6x8xf32>) low [1, 2] size [4, 4] value 5.000000e-01 : f32 -> tensor<6x8xf32>
plan.kernel @double(%0: tensor<4x4xf32>, %1: tensor<4x4xf32>) -> tensor<4x4xf32> attributes {num_outs = 1 : i64} {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<4x4xf32>) outs(%1 : tensor<4x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %s = arith.addf %in, %in : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  plan.yield %r : tensor<4x4xf32>
}
plan.kernel @use(%0: tensor<6x8xf32>, %1: tensor<6x8xf32>) -> tensor<6x8xf32> attributes {num_outs = 1 : i64} {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<6x8xf32>) outs(%1 : tensor<6x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<6x8xf32>
  plan.yield %r : tensor<6x8xf32>
}
plan.kernel @pad(%0: tensor<4x4xf32>, %1: tensor<6x8xf32>) -> tensor<6x8xf32> attributes {num_outs = 1 : i64} {
  %r = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%1 : tensor<6x8xf32>)
    attrs = {leaf.pad = {low = array<i64: 1, 2>, value = 5.0e-01 : f32}} {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %e = tensor.extract %0[%i, %i] : tensor<4x4xf32>
    linalg.yield %e : f32
  } -> tensor<6x8xf32>
  plan.yield %r : tensor<6x8xf32>
}
plan.kernel @pad2(%0: tensor<4x4xf32>, %1: tensor<6x8xf32>) -> tensor<6x8xf32> attributes {num_outs = 1 : i64} {
  %r = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%1 : tensor<6x8xf32>)
    attrs = {leaf.pad = {low = array<i64: 1, 2>, value = 5.0e-01 : f32}} {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %e = tensor.extract %0[%i, %i] : tensor<4x4xf32>
    linalg.yield %e : f32
  } -> tensor<6x8xf32>
  plan.yield %r : tensor<6x8xf32>
}
