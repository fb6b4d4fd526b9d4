// RUN: leaf-opt %s -leaf-specialize-kernels | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>

// A call with strides gets a clone that knows them. The first two calls share a kernel; one of them works in place, so
// its destination overlaps an operand and may not be marked.
// CHECK-LABEL: func.func @main
// CHECK:         plan.call @copy(
// CHECK:         plan.call @copy(
// CHECK:         plan.call @copy_0(
// CHECK:       plan.kernel @copy(%{{.*}}: tensor<4x16xf32>, %{{.*}}: tensor<4x16xf32>) -> tensor<4x16xf32>
// CHECK:       plan.kernel @copy_0(%{{.*}}: tensor<4x16xf32> {leaf.strides = array<i64: 64, 1>}, %{{.*}}: tensor<4x16xf32> {leaf.restrict})
func.func @main(%x: memref<4x16xf32>, %c: memref<4x64xf32>) {
  %s = plan.slot 0 bytes 256 : memref<4x16xf32>
  plan.call @copy(%x : memref<4x16xf32>) outs(%s : memref<4x16xf32>)
  plan.call @copy(%s : memref<4x16xf32>) outs(%s : memref<4x16xf32>)
  %v = memref.subview %c[0, 32] [4, 16] [1, 1] : memref<4x64xf32> to memref<4x16xf32, strided<[64, 1], offset: 32>>
  plan.call @copy(%v : memref<4x16xf32, strided<[64, 1], offset: 32>>) outs(%s : memref<4x16xf32>)
  return
}
plan.kernel @copy(%0: tensor<4x16xf32>, %1: tensor<4x16xf32>) -> tensor<4x16xf32> attributes {num_outs = 1 : i64} {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<4x16xf32>) outs(%1 : tensor<4x16xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<4x16xf32>
  plan.yield %r : tensor<4x16xf32>
}
