//===- Passes.td - passes of the plan stage -----------------------*- tablegen -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_PLAN_PASSES
#define LEAFCUTTER_PLAN_PASSES

include "mlir/Pass/PassBase.td"

def OrderCalls : Pass<"leaf-order-calls", "::mlir::ModuleOp"> {
  let summary = "Puts calls in an order that needs less memory";
  let description = [{
    Looks for an order of @main's calls in which fewer bytes are live at the peak (a beam search over sets of calls that
    are done) and takes it where it is better than the given one; buffers that a kernel may take over from its input
    (`in_place`) count once, outputs not at all. Leaves functions alone that have aliased caches, control flow, other
    destinations than `tensor.empty` or sizes without a bound.

    ```mlir
    %a = plan.call @wide(%x …)     // 4096 bytes
    %b = plan.call @wide(%x …)     // 4096 bytes
    %c = plan.call @narrow(%a …)   // 64 bytes
    %d = plan.call @narrow(%b …)   // 64 bytes
    // becomes
    %a = plan.call @wide(%x …)
    %c = plan.call @narrow(%a …)
    %b = plan.call @wide(%x …)     // in the place of %a
    %d = plan.call @narrow(%b …)
    ```
  }];
  let options = [Option<"width", "width", "unsigned", "32", "Sets of calls that the search follows at a time">,
                 Option<"maxCalls", "max-calls", "unsigned", "2048", "Longer functions keep their order">];
  let statistics = [Statistic<"numOrdered", "ordered", "Number of functions with a new order">];
}

def AliasCaches : Pass<"leaf-alias-caches", "::mlir::ModuleOp"> {
  let summary = "Keeps aliased key/value caches in one buffer and appends new rows in place";
  let description = [{
    An input with `leaf.alias = "OUT"` becomes a tensor at capacity (the output's upper bound). The concatenation of
    past and new rows that makes OUT becomes a copy of the new rows behind the past ones; all readers read slices of
    that buffer. OUT leaves the results; its dynamic sizes stay. Fails where OUT is no such concatenation.

    ```mlir
    func.func @main(%past: tensor<1x?x16xf32> {leaf.alias = "present"}, …)
        -> (tensor<1x?x16xf32> {leaf.name = "present"})
      %present = plan.call @concat(%past, %new …)
      return %present
    // becomes, with past <= 63
    func.func @main(%past: tensor<1x64x16xf32> {…}, …) -> (index {leaf.name = "present", leaf.axis = 1})
      %rows = tensor.extract_slice %past[0, %n, 0] [1, 1, 16] [1, 1, 1]
      %copied = plan.call @copy(%new) outs(%rows)
      %all = tensor.insert_slice %copied into %past[0, %n, 0] [1, 1, 16] [1, 1, 1]
      return %n_plus_1
    ```
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::arith::ArithDialect", "::leaf::plan::PlanDialect"];
  let statistics = [Statistic<"numAliased", "aliased", "Number of pairs that share a buffer">];
}

def BufferizePlan : Pass<"leaf-bufferize-plan", "::mlir::ModuleOp"> {
  let summary = "Turns @main into code on buffers, with kernels opaque";
  let description = [{
    One-Shot Bufferize on everything but kernels. Inputs become read-only arguments, results become output arguments
    that the last kernel writes itself where it can; a copy is a call of a copy kernel. @main then returns one index
    per dynamic dimension of its outputs.

    ```mlir
    func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
      %e = tensor.empty() : tensor<8xf32>
      %0 = plan.call @k(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
      return %0 : tensor<8xf32>
    // becomes
    func.func @main(%x: memref<8xf32>, %out: memref<8xf32> {plan.output}) {
      plan.call @k(%x : memref<8xf32>) outs(%out : memref<8xf32>)
      return
    ```
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::arith::ArithDialect", "::leaf::plan::PlanDialect",
                           "::mlir::tensor::TensorDialect", "::mlir::affine::AffineDialect"];
  let statistics = [Statistic<"numCopies", "copies", "Number of calls of copy kernels">];
}

def WriteHalos : Pass<"leaf-write-halos", "::mlir::ModuleOp"> {
  let summary = "Lets the producer of a padded tensor write into the padded buffer";
  let description = [{
    Where a kernel only pads a buffer with a constant (`leaf.pad`), whoever writes that buffer writes into the inside of
    the padded one from now on, through a view with strides, and all its other readers read it there. What is left of
    the padding is a kernel that writes the border. Shapes must be static; of several paddings of one buffer the first
    one gets it.

    ```mlir
    plan.call @conv(%x : …) outs(%y : memref<1x4x4x8xf32>)
    plan.call @pad(%y : memref<1x4x4x8xf32>) outs(%p : memref<1x6x6x8xf32>)
    // becomes
    %inside = memref.subview %p[0, 1, 1, 0] [1, 4, 4, 8] [1, 1, 1, 1]
    plan.call @conv(%x : …) outs(%inside : memref<1x4x4x8xf32, strided<[288, 48, 8, 1], offset: 56>>)
    plan.call @border() outs(%p : memref<1x6x6x8xf32>)
    ```
  }];
  let dependentDialects = ["::leaf::LeafDialect", "::leaf::plan::PlanDialect", "::mlir::memref::MemRefDialect"];
  let statistics = [Statistic<"numHalos", "halos", "Number of paddings that became borders">];
}

def WriteConcats : Pass<"leaf-write-concats", "::mlir::ModuleOp"> {
  let summary = "Lets the producers of a concatenation's parts write into the whole";
  let description = [{
    Where a kernel only concatenates, whoever writes a part writes into the whole's buffer from now on, through a view,
    and all its other readers read it there. Parts that are no allocations of their own, are written more than once,
    have runs of less than 16 elements side by side, or would keep the whole alive so long that more bytes were live at
    the peak, are copied. Shapes must be static.

    ```mlir
    plan.call @a(%x : …) outs(%p : memref<1x4x8xf32>)
    plan.call @b(%x : …) outs(%q : memref<1x2x8xf32>)
    plan.call @concat(%p, %q : …) outs(%c : memref<1x6x8xf32>)
    // becomes
    %p = memref.subview %c[0, 0, 0] [1, 4, 8] [1, 1, 1]
    plan.call @a(%x : …) outs(%p : memref<1x4x8xf32, strided<[48, 8, 1]>>)
    %q = memref.subview %c[0, 4, 0] [1, 2, 8] [1, 1, 1]
    plan.call @b(%x : …) outs(%q : memref<1x2x8xf32, strided<[48, 8, 1], offset: 32>>)
    ```
  }];
  let dependentDialects = ["::leaf::LeafDialect", "::leaf::plan::PlanDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::linalg::LinalgDialect"];
  let statistics = [Statistic<"numParts", "parts", "Number of parts that need no copy">];
}

def ReadSlices : Pass<"leaf-read-slices", "::mlir::ModuleOp"> {
  let summary = "Lets the readers of a slice read it where it lies";
  let description = [{
    Where a kernel only copies a box out of a buffer that is written once, before, its result becomes a view of that
    buffer and the call goes. Boxes of less than 16 elements side by side, dynamic shapes and results of the model are
    copied.

    ```mlir
    plan.call @slice(%x : memref<1x4x32xf32>) outs(%y : memref<1x4x16xf32>)
    plan.call @use(%y : memref<1x4x16xf32>) outs(…)
    // becomes
    %y = memref.subview %x[0, 0, 16] [1, 4, 16] [1, 1, 1]
    plan.call @use(%y : memref<1x4x16xf32, strided<[128, 32, 1], offset: 16>>) outs(…)
    ```
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
  let statistics = [Statistic<"numSlices", "slices", "Number of slices that need no copy">];
}

def PlanInPlace : Pass<"leaf-plan-in-place", "::mlir::ModuleOp"> {
  let summary = "Lets destinations take the buffers of dead inputs";
  let description = [{
    Where a kernel says that a destination may share an input's buffer (`in_place`), nothing reads that input after the
    call, and both are allocations, the destination becomes the input's buffer.

    ```mlir
    %b = memref.alloc() : memref<8xf32>
    plan.call @relu(%a : memref<8xf32>) outs(%b : memref<8xf32>)   // the last use of %a
    // becomes
    plan.call @relu(%a : memref<8xf32>) outs(%a : memref<8xf32>)
    ```
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect"];
  let statistics = [Statistic<"numShared", "shared", "Number of destinations that share an input's buffer">];
}

def AssignArena : Pass<"leaf-assign-arena", "::mlir::ModuleOp"> {
  let summary = "Gives each buffer an offset in the arena";
  let description = [{
    Lifetimes run over regions and loops; dynamic buffers take their upper bound. The best of several greedy orders is
    kept; where it is above the lower bound, an exact search looks for a better placement. Sets `plan.arena_bytes`,
    `plan.arena_lower_bound` (largest sum of live bytes) and `plan.arena_align`.

    ```mlir
    %0 = memref.alloc(%n) : memref<?xf32>      // %n <= 100
    // becomes
    %0 = plan.slot 0 bytes 448 [%n] : memref<?xf32>
    ```
  }];
  let options = [Option<"alignment", "alignment", "unsigned", "64", "Alignment of the arena and of each slot, bytes">,
                 Option<"searchSteps", "search-steps", "int64_t", "20000000",
                        "Size of the exact search, in looks at a buffer; 0: greedy placement alone">];
  let dependentDialects = ["::leaf::plan::PlanDialect"];
  let statistics = [Statistic<"numSlots", "slots", "Number of buffers in the arena">];
}

def AssignCapacities : Pass<"leaf-assign-capacities", "::mlir::ModuleOp"> {
  let summary = "Writes the upper bounds of all sizes of @main's buffers into its arguments";
  let description = [{
    Sets `plan.upper_bounds` (elements per dimension) and `plan.capacity` (elements) on each buffer argument. An input's
    bounds come from `leaf.bounds`, an output's from the sizes that @main returns.

    ```mlir
    func.func @main(%x: memref<1x?xf32> {leaf.dims = ["", "n"]}, …
    // becomes, with leaf.bounds = {n = 100}
    func.func @main(%x: memref<1x?xf32> {…, plan.capacity = 100 : i64, plan.upper_bounds = array<i64: 1, 100>}, …
    ```
  }];
}

def AssignWeights : Pass<"leaf-assign-weights", "::mlir::ModuleOp"> {
  let summary = "Gives each used weight an offset in the weight section and drops the others";
  let description = [{
    Offsets are multiples of 64 in the order of first use. Sets `plan.offset` on weights, `plan.weight_bytes` on the
    module.

    ```mlir
    leaf.weight @a = dense<…> : tensor<5xf32>
    // becomes
    leaf.weight @a = dense<…> : tensor<5xf32> {plan.offset = 0 : i64}
    ```
  }];
  let statistics = [Statistic<"numErased", "erased", "Number of weights that nothing uses">];
}

def CheckPlan : Pass<"leaf-check-plan", "::mlir::ModuleOp"> {
  let summary = "Checks the contract at the end of the plan stage";
  let description = [{
    Fails on tensors or allocations in @main, on missing attributes, and on any op that docs/Architecture.md,
    "After plan", does not list.

    ```mlir
    %0 = memref.alloc() : memref<8xf32>   // error: is not allowed in @main after plan
    ```
  }];
}

#endif // LEAFCUTTER_PLAN_PASSES
