//===- Passes.td - the stages as passes ---------------------------*- tablegen -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_PIPELINE_PASSES
#define LEAFCUTTER_PIPELINE_PASSES

include "mlir/Pass/PassBase.td"

def StageNormalize : Pass<"leaf-stage-normalize", "::mlir::ModuleOp"> {
  let summary = "run the stage normalize";
  let description = [{
    From the imported graph to one where every value has a rank and every op is supported, as docs/Architecture.md
    says. Ends with `leaf-check-normalize`.

    ```mlir
    %0 = onnx.Relu(%x) : (tensor<1x4xf32>) -> tensor<*xf32>      // before
    %0 = onnx.Relu(%x) : (tensor<1x4xf32>) -> tensor<1x4xf32>    // after
    ```
  }];
}

def StageCompress : Pass<"leaf-stage-compress", "::mlir::ModuleOp"> {
  let summary = "run the stage compress";
  let description = [{
    Prunes and quantizes as asked; without options the graph stays as it is. Ends with its contract check, which is
    that of `normalize`.
  }];
}

def StageOptimize : Pass<"leaf-stage-optimize", "::mlir::ModuleOp"> {
  let summary = "run the stage optimize";
  let description = [{
    From any supported op to core ops with channels last. Ends with `leaf-check-optimize`.
  }];
}

def StageForm : Pass<"leaf-stage-form", "::mlir::ModuleOp"> {
  let summary = "run the stage form";
  let description = [{
    From ONNX core ops to calls of kernels on tensors, with equal kernels merged. Ends with `leaf-check-form`.

    ```mlir
    %0 = onnx.Gemm(%x, %w, %b) …                                                     // before
    %0 = plan.call @kernel_0(%x, %w_packed, %b : …) outs(%e : …) -> tensor<1x256xf32>  // after
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", "\"host\"", "Target that weights are packed for">
  ];
}

def StagePlan : Pass<"leaf-stage-plan", "::mlir::ModuleOp"> {
  let summary = "run the stage plan";
  let description = [{
    Gives every value of the plan body a buffer at a static offset of the arena; kernels stay on tensors. Ends with
    `leaf-check-plan`.

    ```mlir
    %e = tensor.empty() : tensor<1x256xf32>               // before
    %e = plan.slot 0 bytes 1024 : memref<1x256xf32>       // after
    ```
  }];
}

def StageCodegen : Pass<"leaf-stage-codegen", "::mlir::ModuleOp"> {
  let summary = "run the stage codegen";
  let description = [{
    Emits each kernel's body as loops over native vectors and makes calls into launches. Ends with
    `leaf-check-codegen`.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"host\"", "Target that code is generated for">,
    Option<"maxThreads", "max-threads", "unsigned", "1", "Workers that scratch is reserved for">
  ];
}

#endif // LEAFCUTTER_PIPELINE_PASSES
