// RUN: leaf-opt %s -leaf-emit-kernels='workers=2 operations-per-microsecond=10' -canonicalize -cse | FileCheck %s
// RUN: leaf-opt %s -leaf-emit-kernels -canonicalize -cse | FileCheck %s --check-prefix=ONE

// 200 rows by 2 panels of columns: two workers take half of the rows each, and both panels. There are few rows, and more
// weights than data, in the other product: each worker takes one panel.
// CHECK:     plan.launch @rows({{.*}}) tiles(%c4)
// CHECK:     plan.launch @columns({{.*}}) tiles(%c2)
// CHECK:     plan.launch @both({{.*}}) tiles(%c16)
// ONE:       plan.launch @rows({{.*}}) tiles(%c2)
// ONE:       plan.launch @columns({{.*}}) tiles(%c2)
// ONE:       plan.launch @both({{.*}}) tiles(%c16)

// Where rows go in blocks too, a worker's blocks come one after another, each with the columns of that worker only.
// CHECK-LABEL: func.func private @both(
// CHECK:         %[[BLOCKS:.+]] = arith.divui %{{.*}}, %c2
// CHECK:         %[[SHARE:.+]] = arith.divui %[[BLOCKS]], %c4
// CHECK:         arith.muli %[[SHARE]], %c2

// The first half ends with a register tile: at 102 rows, of 6 in each.
// CHECK-LABEL: func.func private @rows(
// CHECK:         arith.constant 102 : index
// CHECK-LABEL: func.func private @columns(
func.func @main(%x: memref<200x64xf32>, %w: memref<2x64x16xf32>, %y: memref<200x32xf32>,
                %a: memref<50x512xf32>, %v: memref<2x512x16xf32>, %b: memref<50x32xf32>,
                %c: memref<90x4096xf32>, %u: memref<4x4096x16xf32>, %d: memref<90x64xf32>) {
  plan.call @rows(%x, %w : memref<200x64xf32>, memref<2x64x16xf32>) outs(%y : memref<200x32xf32>)
  plan.call @columns(%a, %v : memref<50x512xf32>, memref<2x512x16xf32>) outs(%b : memref<50x32xf32>)
  plan.call @both(%c, %u : memref<90x4096xf32>, memref<4x4096x16xf32>) outs(%d : memref<90x64xf32>)
  return
}
plan.kernel @both(%0: tensor<90x4096xf32>, %1: tensor<4x4096x16xf32>, %2: tensor<90x64xf32>) -> tensor<90x64xf32> attributes {num_outs = 1 : i64} {
  %r = leaf.contract ins(%0, %1 : tensor<90x4096xf32>, tensor<4x4096x16xf32>) outs(%2 : tensor<90x64xf32>)
    {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n floordiv 16, k, n mod 16)>, affine_map<(m, n, k) -> (m, n)>],
     iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
    rhs { ^bb0(%e: f32): leaf.yield %e : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<90x64xf32>
  plan.yield %r : tensor<90x64xf32>
}
plan.kernel @rows(%0: tensor<200x64xf32>, %1: tensor<2x64x16xf32>, %2: tensor<200x32xf32>) -> tensor<200x32xf32> attributes {num_outs = 1 : i64} {
  %r = leaf.contract ins(%0, %1 : tensor<200x64xf32>, tensor<2x64x16xf32>) outs(%2 : tensor<200x32xf32>)
    {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n floordiv 16, k, n mod 16)>, affine_map<(m, n, k) -> (m, n)>],
     iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
    rhs { ^bb0(%e: f32): leaf.yield %e : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<200x32xf32>
  plan.yield %r : tensor<200x32xf32>
}
plan.kernel @columns(%0: tensor<50x512xf32>, %1: tensor<2x512x16xf32>, %2: tensor<50x32xf32>) -> tensor<50x32xf32> attributes {num_outs = 1 : i64} {
  %r = leaf.contract ins(%0, %1 : tensor<50x512xf32>, tensor<2x512x16xf32>) outs(%2 : tensor<50x32xf32>)
    {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n floordiv 16, k, n mod 16)>, affine_map<(m, n, k) -> (m, n)>],
     iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
    rhs { ^bb0(%e: f32): leaf.yield %e : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<50x32xf32>
  plan.yield %r : tensor<50x32xf32>
}
