//===- Passes.td - passes of normalize, compress and optimize ----*- tablegen -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_TRANSFORMS_PASSES
#define LEAFCUTTER_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// normalize
//===----------------------------------------------------------------------===//

def InferShapes : Pass<"leaf-infer-shapes", "::mlir::ModuleOp"> {
  let summary = "infer result shapes, folding shape arithmetic on the way";
  let description = [{
    Visits the ops in order. An op on constants becomes a constant; the others get the result types that libonnx's
    schema infers, given the constants and, for integer lists, the elements that are known so far (a size known by name
    only keeps that name). The target of a Reshape with one unknown size is replaced by a constant that says -1 there.
    A contradiction is an error at the op, and so is a value that is left without a rank.

    ```mlir
    %s = onnx.Shape(%x) : (tensor<?x4x16xf32>) -> tensor<*xi64>
    %b = onnx.Gather(%s, %c0) {axis = 0 : i64} : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
    %t = onnx.Concat(%b, %c64) {axis = 0 : i64} : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
    %r = onnx.Reshape(%x, %t) : (tensor<?x4x16xf32>, tensor<*xi64>) -> tensor<*xf32>
    // becomes
    %t = onnx.Constant() {value = dense<[-1, 64]> : tensor<2xi64>} : () -> tensor<2xi64>
    %r = onnx.Reshape(%x, %t) : (tensor<?x4x16xf32>, tensor<2xi64>) -> tensor<?x64xf32>
    ```
  }];
  let dependentDialects = ["::leaf::LeafDialect", "::leaf::onnx::ONNXDialect"];
  let statistics = [Statistic<"numFolded", "folded", "Ops replaced by constants">,
                    Statistic<"numRefined", "refined", "Results that got a more specific type">];
}

def FoldConstants : Pass<"leaf-fold-constants", "::mlir::ModuleOp"> {
  let summary = "replace ops on constants by their value";
  let description = [{
    Evaluates ops whose operands are all constants, exactly for integers. Values above 256 bytes become weights. A Cast
    or DequantizeLinear that makes a weight larger stays: the weight is stored small and decoded at run time.

    ```mlir
    %r = onnx.Add(%c2, %c3) : (tensor<i64>, tensor<i64>) -> tensor<i64>
    // becomes
    %r = onnx.Constant() {value = dense<5> : tensor<i64>} : () -> tensor<i64>
    ```
  }];
  let dependentDialects = ["::leaf::LeafDialect", "::leaf::onnx::ONNXDialect"];
  let options = [Option<"maxResultBytes", "max-result-bytes", "int64_t", "int64_t(64) << 20",
                        "largest value to compute, in bytes">];
  let statistics = [Statistic<"numFolded", "folded", "Ops replaced by constants">];
}

#endif // LEAFCUTTER_TRANSFORMS_PASSES
