// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=32 registers=16' -canonicalize -cse | FileCheck %s

#q = affine_map<(h, m, n, k) -> (h, m, k)>
#k = affine_map<(h, m, n, k) -> (h, n, k)>
#v = affine_map<(h, m, n, k) -> (h, k, n)>
#o = affine_map<(h, m, n, k) -> (h, m, n)>

// Sizes that are equal are one argument; scratch holds a panel of 16 columns of keys, 16 deep, and six rows of
// accumulators for the last panel, which is stored as far as there are columns. Keys lie along the reduction: squares of
// them are transposed in registers.
// CHECK-LABEL: func.func @main
// CHECK:         %[[M:.*]] = leaf.bound %{{.*}}, 64
// CHECK:         %[[N:.*]] = leaf.bound %{{.*}}, 32
// CHECK:         plan.launch @scores({{.*}}) sizes(%[[M]], %[[N]]) tiles(%{{.*}}) {scratch_bytes = 1408 : i64}
// CHECK-LABEL: func.func private @scores(
// CHECK:         memref.view
// CHECK:         memref.view
// CHECK-COUNT-8: vector.load
// CHECK-COUNT-24: vector.shuffle
// CHECK-COUNT-8: vector.store
// CHECK:         memref.store
// CHECK:         scf.if

// Values are contiguous in their columns and are read as they lie.
// CHECK-LABEL: func.func private @weighted(
// CHECK-NOT:     memref.view
// CHECK:         vector.load
// CHECK:         math.fma
// CHECK:         return

// One query: keys are read along the reduction, four at once.
// CHECK-LABEL: func.func private @one_query(
// CHECK-NOT:     memref.view
// CHECK:         scf.for %{{.*}} = %c0 to %c16 step %c8 iter_args
// CHECK-COUNT-5:   vector.load
// CHECK:           math.fma
// CHECK:         vector.shuffle
func.func @main(%m0: index, %n0: index, %one: memref<4x1x16xf32>) {
  %m = leaf.bound %m0, 64
  %n = leaf.bound %n0, 32
  %q = plan.slot 0 bytes 16384 [%m] : memref<4x?x16xf32>
  %k = plan.slot 16384 bytes 8192 [%n] : memref<4x?x16xf32>
  %s = plan.slot 24576 bytes 32768 [%m, %n] : memref<4x?x?xf32>
  %o = plan.slot 57344 bytes 16384 [%m] : memref<4x?x16xf32>
  %s1 = plan.slot 24576 bytes 32768 [%n] : memref<4x1x?xf32>
  plan.call @scores(%q, %k : memref<4x?x16xf32>, memref<4x?x16xf32>) outs(%s : memref<4x?x?xf32>)
  plan.call @weighted(%s, %k : memref<4x?x?xf32>, memref<4x?x16xf32>) outs(%o : memref<4x?x16xf32>)
  plan.call @one_query(%one, %k : memref<4x1x16xf32>, memref<4x?x16xf32>) outs(%s1 : memref<4x1x?xf32>)
  return
}
plan.kernel @scores(%0: tensor<4x?x16xf32>, %1: tensor<4x?x16xf32>, %2: tensor<4x?x?xf32>) -> tensor<4x?x?xf32> attributes {num_outs = 1 : i64} {
  %r = leaf.contract ins(%0, %1 : tensor<4x?x16xf32>, tensor<4x?x16xf32>) outs(%2 : tensor<4x?x?xf32>)
    {indexing_maps = [#q, #k, #o], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
    rhs { ^bb0(%x: f32): leaf.yield %x : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<4x?x?xf32>
  plan.yield %r : tensor<4x?x?xf32>
}
plan.kernel @weighted(%0: tensor<4x?x?xf32>, %1: tensor<4x?x16xf32>, %2: tensor<4x?x16xf32>) -> tensor<4x?x16xf32> attributes {num_outs = 1 : i64} {
  %r = leaf.contract ins(%0, %1 : tensor<4x?x?xf32>, tensor<4x?x16xf32>) outs(%2 : tensor<4x?x16xf32>)
    {indexing_maps = [#q, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
    rhs { ^bb0(%x: f32): leaf.yield %x : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<4x?x16xf32>
  plan.yield %r : tensor<4x?x16xf32>
}
plan.kernel @one_query(%0: tensor<4x1x16xf32>, %1: tensor<4x?x16xf32>, %2: tensor<4x1x?xf32>) -> tensor<4x1x?xf32> attributes {num_outs = 1 : i64} {
  %r = leaf.contract ins(%0, %1 : tensor<4x1x16xf32>, tensor<4x?x16xf32>) outs(%2 : tensor<4x1x?xf32>)
    {indexing_maps = [#q, #k, #o], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
    rhs { ^bb0(%x: f32): leaf.yield %x : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<4x1x?xf32>
  plan.yield %r : tensor<4x1x?xf32>
}
