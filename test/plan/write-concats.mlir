// RUN: leaf-opt %s -leaf-write-concats | FileCheck %s

#id = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#id2 = affine_map<(d0, d1) -> (d0, d1)>

// Both producers write into the whole; the other reader of %p reads it there.
// CHECK-LABEL: func.func @main
// CHECK:         %[[C:.*]] = memref.alloc() : memref<1x6x8xf32>
// CHECK-NEXT:    %[[P:.*]] = memref.subview %[[C]][0, 0, 0] [1, 4, 8] [1, 1, 1]
// CHECK-NEXT:    plan.call @double4(%arg0 : memref<1x4x8xf32>) outs(%[[P]] :
// CHECK-NEXT:    %[[Q:.*]] = memref.subview %[[C]][0, 4, 0] [1, 2, 8] [1, 1, 1]
// CHECK-NEXT:    plan.call @double2(%arg1 : memref<1x2x8xf32>) outs(%[[Q]] :
// CHECK-NEXT:    plan.call @double4(%[[P]] :
// CHECK-NEXT:    plan.call @use(%[[C]] :
func.func @main(%x: memref<1x4x8xf32>, %y: memref<1x2x8xf32>, %o: memref<1x4x8xf32>, %r: memref<1x6x8xf32>) {
  %p = memref.alloc() : memref<1x4x8xf32>
  plan.call @double4(%x : memref<1x4x8xf32>) outs(%p : memref<1x4x8xf32>)
  %q = memref.alloc() : memref<1x2x8xf32>
  plan.call @double2(%y : memref<1x2x8xf32>) outs(%q : memref<1x2x8xf32>)
  %c = memref.alloc() : memref<1x6x8xf32>
  plan.call @concat(%p, %q : memref<1x4x8xf32>, memref<1x2x8xf32>) outs(%c : memref<1x6x8xf32>)
  plan.call @double4(%p : memref<1x4x8xf32>) outs(%o : memref<1x4x8xf32>)
  plan.call @use(%c : memref<1x6x8xf32>) outs(%r : memref<1x6x8xf32>)
  return
}

// Parts along an inner dimension have the strides of the whole; a part that was sliced takes its slices along.
// CHECK-LABEL: func.func @channels
// CHECK:         %[[C:.*]] = memref.alloc() : memref<6x32xf32>
// CHECK-NEXT:    %[[P:.*]] = memref.subview %[[C]][0, 0] [6, 16] [1, 1]
// CHECK-NEXT:    plan.call @double16(%arg0 : memref<6x16xf32>) outs(%[[P]] : memref<6x16xf32, strided<[32, 1]>>)
// CHECK-NEXT:    %[[Q:.*]] = memref.subview %[[C]][0, 16] [6, 16] [1, 1]
// CHECK-NEXT:    plan.call @double16(%arg0 : memref<6x16xf32>) outs(%[[Q]] : memref<6x16xf32, strided<[32, 1], offset: 16>>)
// CHECK-NEXT:    %[[S:.*]] = memref.subview %[[Q]][0, 8] [6, 8] [1, 1] : {{.*}} to memref<6x8xf32, strided<[32, 1], offset: 24>>
// CHECK-NEXT:    plan.call @double8(%[[S]] :
// CHECK-NEXT:    plan.call @use32(%[[C]] :
func.func @channels(%x: memref<6x16xf32>, %o: memref<6x8xf32>, %r: memref<6x32xf32>) {
  %p = memref.alloc() : memref<6x16xf32>
  plan.call @double16(%x : memref<6x16xf32>) outs(%p : memref<6x16xf32>)
  %q = memref.alloc() : memref<6x16xf32>
  plan.call @double16(%x : memref<6x16xf32>) outs(%q : memref<6x16xf32>)
  %s = memref.subview %q[0, 8] [6, 8] [1, 1] : memref<6x16xf32> to memref<6x8xf32, strided<[16, 1], offset: 8>>
  plan.call @double8(%s : memref<6x8xf32, strided<[16, 1], offset: 8>>) outs(%o : memref<6x8xf32>)
  %c = memref.alloc() : memref<6x32xf32>
  plan.call @concat32(%p, %q : memref<6x16xf32>, memref<6x16xf32>) outs(%c : memref<6x32xf32>)
  plan.call @use32(%c : memref<6x32xf32>) outs(%r : memref<6x32xf32>)
  return
}

// An argument stays where it is: it is copied.
// CHECK-LABEL: func.func @argument
// CHECK:         %[[C:.*]] = memref.alloc() : memref<1x6x8xf32>
// CHECK:         plan.call @double2(%arg1 : memref<1x2x8xf32>) outs(%{{.*}} : memref<1x2x8xf32, strided<[48, 8, 1], offset: 32>>)
// CHECK:         %[[P:.*]] = memref.subview %[[C]][0, 0, 0] [1, 4, 8] [1, 1, 1]
// CHECK-NEXT:    plan.call @copy(%arg0 : memref<1x4x8xf32>) outs(%[[P]] :
// CHECK-NEXT:    plan.call @use(%[[C]] :
func.func @argument(%x: memref<1x4x8xf32>, %y: memref<1x2x8xf32>, %r: memref<1x6x8xf32>) {
  %q = memref.alloc() : memref<1x2x8xf32>
  plan.call @double2(%y : memref<1x2x8xf32>) outs(%q : memref<1x2x8xf32>)
  %c = memref.alloc() : memref<1x6x8xf32>
  plan.call @concat(%x, %q : memref<1x4x8xf32>, memref<1x2x8xf32>) outs(%c : memref<1x6x8xf32>)
  plan.call @use(%c : memref<1x6x8xf32>) outs(%r : memref<1x6x8xf32>)
  return
}

// The second time that a part occurs it is copied from the first.
// CHECK-LABEL: func.func @twice
// CHECK:         %[[C:.*]] = memref.alloc() : memref<1x4x8xf32>
// CHECK:         %[[A:.*]] = memref.subview %[[C]][0, 0, 0] [1, 2, 8] [1, 1, 1]
// CHECK-NEXT:    plan.call @double2(%arg0 : memref<1x2x8xf32>) outs(%[[A]] :
// CHECK-NEXT:    %[[B:.*]] = memref.subview %[[C]][0, 2, 0] [1, 2, 8] [1, 1, 1]
// CHECK-NEXT:    plan.call @copy{{.*}}(%[[A]] : {{.*}}) outs(%[[B]] :
func.func @twice(%x: memref<1x2x8xf32>, %r: memref<1x4x8xf32>) {
  %q = memref.alloc() : memref<1x2x8xf32>
  plan.call @double2(%x : memref<1x2x8xf32>) outs(%q : memref<1x2x8xf32>)
  %c = memref.alloc() : memref<1x4x8xf32>
  plan.call @concat2(%q, %q : memref<1x2x8xf32>, memref<1x2x8xf32>) outs(%c : memref<1x4x8xf32>)
  plan.call @double4b(%c : memref<1x4x8xf32>) outs(%r : memref<1x4x8xf32>)
  return
}

// A part from long ago is copied: the whole would be live beside %t and %u, where most bytes are.
// CHECK-LABEL: func.func @peak
// CHECK:         %[[P:.*]] = memref.alloc() : memref<1x4x8xf32>
// CHECK-COUNT-2: memref.alloc() : memref<1x6x8xf32>
// CHECK:         %[[C:.*]] = memref.alloc() : memref<1x6x8xf32>
// CHECK:         plan.call @double2({{.*}}) outs(%{{.*}} : memref<1x2x8xf32, strided<[48, 8, 1], offset: 32>>)
// CHECK:         plan.call @copy{{.*}}(%[[P]] :
func.func @peak(%x: memref<1x4x8xf32>, %y: memref<1x2x8xf32>, %z: memref<1x6x8xf32>, %r: memref<1x6x8xf32>) {
  %p = memref.alloc() : memref<1x4x8xf32>
  plan.call @double4(%x : memref<1x4x8xf32>) outs(%p : memref<1x4x8xf32>)
  %t = memref.alloc() : memref<1x6x8xf32>
  plan.call @use(%z : memref<1x6x8xf32>) outs(%t : memref<1x6x8xf32>)
  %u = memref.alloc() : memref<1x6x8xf32>
  plan.call @use(%t : memref<1x6x8xf32>) outs(%u : memref<1x6x8xf32>)
  plan.call @use(%u : memref<1x6x8xf32>) outs(%r : memref<1x6x8xf32>)
  %q = memref.alloc() : memref<1x2x8xf32>
  plan.call @double2(%y : memref<1x2x8xf32>) outs(%q : memref<1x2x8xf32>)
  %c = memref.alloc() : memref<1x6x8xf32>
  plan.call @concat(%p, %q : memref<1x4x8xf32>, memref<1x2x8xf32>) outs(%c : memref<1x6x8xf32>)
  plan.call @use(%c : memref<1x6x8xf32>) outs(%r : memref<1x6x8xf32>)
  return
}

// Parts along an inner dimension have gaps: not yet.
// CHECK-LABEL: func.func @inner
// CHECK:         plan.call @concat_inner
func.func @inner(%x: memref<1x2x8xf32>, %r: memref<1x2x16xf32>) {
  %q = memref.alloc() : memref<1x2x8xf32>
  plan.call @double2(%x : memref<1x2x8xf32>) outs(%q : memref<1x2x8xf32>)
  %c = memref.alloc() : memref<1x2x16xf32>
  plan.call @concat_inner(%q, %x : memref<1x2x8xf32>, memref<1x2x8xf32>) outs(%c : memref<1x2x16xf32>)
  plan.call @copy_inner(%c : memref<1x2x16xf32>) outs(%r : memref<1x2x16xf32>)
  return
}

// A slice of a part beside it: the slice follows the part into the whole and is copied from there.
// CHECK-LABEL: func.func @slice_of_part
// CHECK:         %[[C:.*]] = memref.alloc() : memref<6x32xf32>
// CHECK-NEXT:    %[[P:.*]] = memref.subview %[[C]][0, 0] [6, 16] [1, 1]
// CHECK-NEXT:    plan.call @double16(%arg0 : memref<6x16xf32>) outs(%[[P]] :
// CHECK-NEXT:    %[[S:.*]] = memref.subview %[[P]][0, 0] [6, 16] [1, 1]
// CHECK-NEXT:    %[[Q:.*]] = memref.subview %[[C]][0, 16] [6, 16] [1, 1]
// CHECK-NEXT:    plan.call @copy{{.*}}(%[[S]] : {{.*}}) outs(%[[Q]] :
// CHECK-NEXT:    plan.call @use32(%[[C]] :
func.func @slice_of_part(%x: memref<6x16xf32>, %r: memref<6x32xf32>) {
  %p = memref.alloc() : memref<6x16xf32>
  plan.call @double16(%x : memref<6x16xf32>) outs(%p : memref<6x16xf32>)
  %s = memref.subview %p[0, 0] [6, 16] [1, 1] : memref<6x16xf32> to memref<6x16xf32, strided<[16, 1]>>
  %c = memref.alloc() : memref<6x32xf32>
  plan.call @concat32(%p, %s : memref<6x16xf32>, memref<6x16xf32, strided<[16, 1]>>) outs(%c : memref<6x32xf32>)
  plan.call @use32(%c : memref<6x32xf32>) outs(%r : memref<6x32xf32>)
  return
}

plan.kernel @double4(%0: tensor<1x4x8xf32>, %1: tensor<1x4x8xf32>) -> tensor<1x4x8xf32> attributes {num_outs = 1 : i64} {
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%0 : tensor<1x4x8xf32>) outs(%1 : tensor<1x4x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<1x4x8xf32>
  plan.yield %2 : tensor<1x4x8xf32>
}
plan.kernel @double2(%0: tensor<1x2x8xf32>, %1: tensor<1x2x8xf32>) -> tensor<1x2x8xf32> attributes {num_outs = 1 : i64} {
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%0 : tensor<1x2x8xf32>) outs(%1 : tensor<1x2x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<1x2x8xf32>
  plan.yield %2 : tensor<1x2x8xf32>
}
plan.kernel @use(%0: tensor<1x6x8xf32>, %1: tensor<1x6x8xf32>) -> tensor<1x6x8xf32> attributes {num_outs = 1 : i64} {
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%0 : tensor<1x6x8xf32>) outs(%1 : tensor<1x6x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<1x6x8xf32>
  plan.yield %2 : tensor<1x6x8xf32>
}
plan.kernel @double4b(%0: tensor<1x4x8xf32>, %1: tensor<1x4x8xf32>) -> tensor<1x4x8xf32> attributes {num_outs = 1 : i64} {
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%0 : tensor<1x4x8xf32>) outs(%1 : tensor<1x4x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<1x4x8xf32>
  plan.yield %2 : tensor<1x4x8xf32>
}
plan.kernel @copy_inner(%0: tensor<1x2x16xf32>, %1: tensor<1x2x16xf32>) -> tensor<1x2x16xf32> attributes {num_outs = 1 : i64} {
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%0 : tensor<1x2x16xf32>) outs(%1 : tensor<1x2x16xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<1x2x16xf32>
  plan.yield %2 : tensor<1x2x16xf32>
}
plan.kernel @concat(%0: tensor<1x4x8xf32>, %1: tensor<1x2x8xf32>, %2: tensor<1x6x8xf32>) -> tensor<1x6x8xf32> attributes {num_outs = 1 : i64} {
  %3 = leaf.concat ins(%0, %1 : tensor<1x4x8xf32>, tensor<1x2x8xf32>) outs(%2 : tensor<1x6x8xf32>) dim 1 -> tensor<1x6x8xf32>
  plan.yield %3 : tensor<1x6x8xf32>
}
plan.kernel @concat2(%0: tensor<1x2x8xf32>, %1: tensor<1x2x8xf32>, %2: tensor<1x4x8xf32>) -> tensor<1x4x8xf32> attributes {num_outs = 1 : i64} {
  %3 = leaf.concat ins(%0, %1 : tensor<1x2x8xf32>, tensor<1x2x8xf32>) outs(%2 : tensor<1x4x8xf32>) dim 1 -> tensor<1x4x8xf32>
  plan.yield %3 : tensor<1x4x8xf32>
}
plan.kernel @concat_inner(%0: tensor<1x2x8xf32>, %1: tensor<1x2x8xf32>, %2: tensor<1x2x16xf32>) -> tensor<1x2x16xf32> attributes {num_outs = 1 : i64} {
  %3 = leaf.concat ins(%0, %1 : tensor<1x2x8xf32>, tensor<1x2x8xf32>) outs(%2 : tensor<1x2x16xf32>) dim 2 -> tensor<1x2x16xf32>
  plan.yield %3 : tensor<1x2x16xf32>
}
plan.kernel @double16(%0: tensor<6x16xf32>, %1: tensor<6x16xf32>) -> tensor<6x16xf32> attributes {num_outs = 1 : i64} {
  %r = linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<6x16xf32>) outs(%1 : tensor<6x16xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<6x16xf32>
  plan.yield %r : tensor<6x16xf32>
}
plan.kernel @double8(%0: tensor<6x8xf32>, %1: tensor<6x8xf32>) -> tensor<6x8xf32> attributes {num_outs = 1 : i64} {
  %r = linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<6x8xf32>) outs(%1 : tensor<6x8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<6x8xf32>
  plan.yield %r : tensor<6x8xf32>
}
plan.kernel @use32(%0: tensor<6x32xf32>, %1: tensor<6x32xf32>) -> tensor<6x32xf32> attributes {num_outs = 1 : i64} {
  %r = linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<6x32xf32>) outs(%1 : tensor<6x32xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<6x32xf32>
  plan.yield %r : tensor<6x32xf32>
}
plan.kernel @concat32(%0: tensor<6x16xf32>, %1: tensor<6x16xf32>, %2: tensor<6x32xf32>) -> tensor<6x32xf32> attributes {num_outs = 1 : i64} {
  %r = leaf.concat ins(%0, %1 : tensor<6x16xf32>, tensor<6x16xf32>) outs(%2 : tensor<6x32xf32>) dim 1 -> tensor<6x32xf32>
  plan.yield %r : tensor<6x32xf32>
}
