// RUN: split-file %s %t
// RUN: leaf-opt %t/append.mlir -leaf-alias-caches | FileCheck %t/append.mlir
// RUN: leaf-opt %t/append.mlir -leaf-alias-caches -leaf-bufferize-plan -canonicalize -cse -leaf-assign-capacities | FileCheck %t/append.mlir --check-prefix=BUFFER
// RUN: not leaf-opt %t/none.mlir -leaf-alias-caches 2>&1 | FileCheck %t/none.mlir

//--- append.mlir
// The new row is copied behind the past ones; readers of the present and of the past read slices of the buffer.
// CHECK-LABEL: func.func @main
// CHECK-SAME:  (%[[CACHE:.*]]: tensor<2x64x4xf32> {{{.*}}plan.alias_output = {leaf.name = "present", plan.upper_bounds = array<i64: 2, 64, 4>, position = 0 : i64, shape = array<i64: 2, -1, 4>}, plan.shape = array<i64: 2, -1, 4>}
// CHECK-SAME:  -> (index {leaf.axis = 1 : i64, leaf.name = "present"{{.*}}}, tensor<2x4xf32> {leaf.name = "sum"}, tensor<2x4xf32>
// CHECK:         %[[N:.*]] = leaf.bound
// CHECK:         %[[P:.*]] = arith.addi %[[N]]
// CHECK:         %[[ROOM:.*]] = tensor.extract_slice %[[CACHE]][0, %[[N]], 0] [2, 1, 4] [1, 1, 1]
// CHECK:         %[[ROWS:.*]] = plan.call @copy(%{{.*}} : tensor<2x1x4xf32>) outs(%[[ROOM]] : tensor<2x1x4xf32>)
// CHECK:         %[[ALL:.*]] = tensor.insert_slice %[[ROWS]] into %[[CACHE]][0, %[[N]], 0] [2, 1, 4] [1, 1, 1]
// CHECK-DAG:     %[[PRESENT:.*]] = tensor.extract_slice %[[ALL]][0, 0, 0] [2, %[[P]], 4] [1, 1, 1]
// CHECK-DAG:     plan.call @sum(%[[PRESENT]]
// CHECK-DAG:     %[[PAST:.*]] = tensor.extract_slice %[[ALL]][0, 0, 0] [2, %[[N]], 4] [1, 1, 1]
// CHECK-DAG:     plan.call @sum(%[[PAST]]
// CHECK:         return %[[P]],

// No allocation and no copy but that of the new row.
// BUFFER-LABEL: func.func @main
// BUFFER-SAME:  (%[[CACHE:.*]]: memref<2x64x4xf32> {{{.*}}plan.capacity = 512 : i64, {{.*}}plan.upper_bounds = array<i64: 2, 63, 4>}
// BUFFER-NOT:     memref.alloc
// BUFFER:         %[[ROOM:.*]] = memref.subview %[[CACHE]][0, %{{.*}}, 0] [2, 1, 4] [1, 1, 1]
// BUFFER:         plan.call @copy(%{{.*}}) outs(%[[ROOM]] : memref<2x1x4xf32, strided<[256, 4, 1], offset: ?>>)
// BUFFER-NOT:     plan.call @copy
// BUFFER-COUNT-2: plan.call @sum(
// BUFFER-NOT:     plan.call
// BUFFER:         return
module attributes {leaf.bounds = {past = 63 : i64}} {
  func.func @main(%past: tensor<2x?x4xf32> {leaf.alias = "present", leaf.name = "past", leaf.dims = ["", "past", ""]},
                  %new: tensor<2x1x4xf32> {leaf.name = "new"}, %size: index {leaf.dim = "past"})
      -> (tensor<2x?x4xf32> {leaf.name = "present"}, tensor<2x4xf32> {leaf.name = "sum"}, tensor<2x4xf32>) {
    %c1 = arith.constant 1 : index
    %n = leaf.bound %size, 63
    %p = arith.addi %n, %c1 : index
    %e = tensor.empty(%p) : tensor<2x?x4xf32>
    %f = tensor.empty() : tensor<2x4xf32>
    %present = plan.call @concat(%past, %new : tensor<2x?x4xf32>, tensor<2x1x4xf32>) outs(%e : tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
    %sum = plan.call @sum(%present : tensor<2x?x4xf32>) outs(%f : tensor<2x4xf32>) -> tensor<2x4xf32>
    %before = plan.call @sum(%past : tensor<2x?x4xf32>) outs(%f : tensor<2x4xf32>) -> tensor<2x4xf32>
    return %present, %sum, %before : tensor<2x?x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>
  }
  plan.kernel @concat(%0: tensor<2x?x4xf32>, %1: tensor<2x1x4xf32>, %2: tensor<2x?x4xf32>) -> tensor<2x?x4xf32> attributes {num_outs = 1 : i64} {
    %3 = leaf.concat ins(%0, %1 : tensor<2x?x4xf32>, tensor<2x1x4xf32>) outs(%2 : tensor<2x?x4xf32>) dim 1 -> tensor<2x?x4xf32>
    plan.yield %3 : tensor<2x?x4xf32>
  }
  plan.kernel @sum(%0: tensor<2x?x4xf32>, %1: tensor<2x4xf32>) -> tensor<2x4xf32> attributes {num_outs = 1 : i64} {
    plan.yield %1 : tensor<2x4xf32>
  }
}

//--- none.mlir
// CHECK: error: {{.*}}input "past" cannot share its buffer with output "present": the output is no concatenation of the input and new rows
module attributes {leaf.bounds = {past = 63 : i64}} {
  func.func @main(%past: tensor<?xf32> {leaf.alias = "present", leaf.name = "past", leaf.dims = ["past"]}, %size: index {leaf.dim = "past"})
      -> (tensor<?xf32> {leaf.name = "present"}) {
    return %past : tensor<?xf32>
  }
}
