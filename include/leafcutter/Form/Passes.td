//===- Passes.td - passes of the form stage -----------------------*- tablegen -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_FORM_PASSES
#define LEAFCUTTER_FORM_PASSES

include "mlir/Pass/PassBase.td"

def OutlineKernels : Pass<"leaf-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "Moves each fusion group into a plan.kernel and calls it";
  let description = [{
    A fusion group is one `leaf.contract`, one `leaf.concat`, one `linalg.generic`, or a row group (`shared_loops` of
    `plan.kernel`). Initial fills, temporaries and scalar constants go with it; tensors it reads (weights too) become
    inputs, tensors read after it destinations, and sizes it uses index arguments.

    ```mlir
    %e = tensor.empty() : tensor<8xf32>
    %0 = linalg.generic {…} ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) {…} -> tensor<8xf32>
    // becomes
    %e = tensor.empty() : tensor<8xf32>
    %0 = plan.call @kernel_0(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
    plan.kernel @kernel_0(%arg0: tensor<8xf32>, %arg1: tensor<8xf32>) -> tensor<8xf32> attributes {num_outs = 1 : i64} {…}
    ```
  }];
  let dependentDialects = ["::leaf::plan::PlanDialect", "::mlir::tensor::TensorDialect", "::mlir::arith::ArithDialect"];
  let statistics = [Statistic<"numKernels", "kernels", "Number of kernels formed">,
                    Statistic<"numRowGroups", "row-groups", "Number of kernels with several compute ops">];
}

def DeduplicateKernels : Pass<"leaf-deduplicate-kernels", "::mlir::ModuleOp"> {
  let summary = "Merges kernels that compute the same";
  let description = [{
    Two kernels are equal when their types, attributes other than the name and `nodes`, and bodies are (locations
    ignored). All calls go to the first one.

    ```mlir
    plan.call @kernel_0(%x …)   plan.call @kernel_1(%y …)
    // becomes
    plan.call @kernel_0(%x …)   plan.call @kernel_0(%y …)
    ```
  }];
  let statistics = [Statistic<"numMerged", "merged", "Number of kernels that another one replaced">];
}

def CheckForm : Pass<"leaf-check-form", "::mlir::ModuleOp"> {
  let summary = "Checks the contract at the end of the form stage";
  let description = [{
    Fails on any op that docs/Architecture.md, "After form", does not list, naming the op's location.

    ```mlir
    %0 = linalg.generic …   // error in @main: compute ops belong into kernels
    ```
  }];
}

#endif // LEAFCUTTER_FORM_PASSES
