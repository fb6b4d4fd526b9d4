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

def FoldPreprocessing : Pass<"leaf-fold-preprocessing", "::mlir::ModuleOp"> {
  let summary = "make the pre- and postprocessing that was asked for ops of the graph";
  let description = [{
    An argument with `leaf.preprocess` takes the caller's layout and element type, and ops turn it into what the model
    takes: (x - mean) / std in float32 (float64 where the model takes that) and the Transpose last, so that it cancels
    with those of channels-last convolutions. A result with `leaf.argmax` becomes the index of its maximum. The
    attributes are those of leafcutter/Transforms/Preprocessing.h; means do not go into the weights of a convolution,
    since that is wrong where it pads.

    ```mlir
    func.func @main(%x: tensor<1x3x8x8xf32> {leaf.preprocess = {perm = array<i64: 0, 3, 1, 2>, channel_axis = 3 : i64,
                                             type = ui8, mean = array<f64: 127.0>}})
    // becomes
    func.func @main(%x: tensor<1x8x8x3xui8>)
    %0 = onnx.Cast(%x) {to = 1 : i64} : (tensor<1x8x8x3xui8>) -> tensor<1x8x8x3xf32>
    %1 = onnx.Sub(%0, %mean) : (tensor<1x8x8x3xf32>, tensor<f32>) -> tensor<1x8x8x3xf32>
    %2 = onnx.Transpose(%1) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x3xf32>) -> tensor<1x3x8x8xf32>
    ```
  }];
  let dependentDialects = ["::leaf::LeafDialect", "::leaf::onnx::ONNXDialect"];
  let statistics = [Statistic<"numInputs", "inputs", "Arguments rewritten">,
                    Statistic<"numOutputs", "outputs", "Results rewritten">];
}

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

def LowerStrings : Pass<"leaf-lower-strings", "::mlir::ModuleOp"> {
  let summary = "tensors of strings become places and bytes";
  let description = [{
    A tensor of strings becomes two: its places, an i64 `offset << 32 | length` for each element, and a pool of bytes.
    Operators that move elements move the places; where elements of several tensors come together, so do their pools.
    An operator that reads bytes becomes an onnx.StringNode on both, and one that is not known on strings is an error. A
    result of the entry becomes NAME and NAME.bytes. Shapes must have been inferred.

    ```mlir
    %x = onnx.Strings %spans, %pool : (tensor<3xi64>, tensor<24xui8>) -> tensor<3x!onnx.String>
    %y = onnx.Reshape(%x, %shape) : (tensor<3x!onnx.String>, tensor<2xi64>) -> tensor<1x3x!onnx.String>
    %z = onnx.RegexFullMatch(%y) {pattern = "a+"} : (tensor<1x3x!onnx.String>) -> tensor<1x3xi1>
    // becomes
    %y = onnx.Reshape(%spans, %shape) : (tensor<3xi64>, tensor<2xi64>) -> tensor<1x3xi64>
    %z = onnx.StringNode "RegexFullMatch"(%y, %pool) {pattern = "a+"}
        : (tensor<1x3xi64>, tensor<24xui8>) -> tensor<1x3xi1>
    ```
  }];
  let dependentDialects = ["::leaf::LeafDialect", "::leaf::onnx::ONNXDialect"];
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

def CanonicalizeONNX : Pass<"leaf-canonicalize-onnx", "::mlir::ModuleOp"> {
  let summary = "remove ops that change nothing and spell regrouping as Reshape";
  let description = [{
    Identity, Dropout (inference), Cast to the same type, Transpose by the identity, and Reshape, Expand, Slice and
    Tile that keep a static shape go, and so do x * 1, x / 1, max(x, -inf) and min(x, inf). Flatten, Squeeze and
    Unsqueeze between static shapes become Reshape, Reshape of Reshape one, and a reduction that is reshaped to its
    kept dimensions keeps them. An Expand goes where its user broadcasts, and a Concat of all parts of a Split
    takes what was split.

    ```mlir
    %0 = onnx.Flatten(%x) {axis = 1 : i64} : (tensor<1x4x2x2xf32>) -> tensor<1x16xf32>
    // becomes
    %s = onnx.Constant() {value = dense<[1, 16]> : tensor<2xi64>} : () -> tensor<2xi64>
    %0 = onnx.Reshape(%x, %s) {allowzero = 0 : i64} : (tensor<1x4x2x2xf32>, tensor<2xi64>) -> tensor<1x16xf32>
    ```
  }];
  let dependentDialects = ["::leaf::LeafDialect", "::leaf::onnx::ONNXDialect"];
  let statistics = [Statistic<"numRemoved", "removed", "Ops that equalled their operand">];
}

def FoldBatchNorm : Pass<"leaf-fold-batch-norm", "::mlir::ModuleOp"> {
  let summary = "fold inference BatchNormalization into weights";
  let description = [{
    Into the constant weight and bias of the Conv, ConvTranspose or Gemm before it when nothing else reads that op;
    otherwise it becomes a Mul and an Add with constants. Factors are computed in double.

    ```mlir
    %0 = onnx.Conv(%x, %w, %b) …
    %1 = onnx.BatchNormalization(%0, %scale, %bias, %mean, %var) …
    // becomes
    %1 = onnx.Conv(%x, %w_scaled, %b_shifted) …
    ```
  }];
  let dependentDialects = ["::leaf::LeafDialect", "::leaf::onnx::ONNXDialect"];
  let statistics = [Statistic<"numFolded", "folded", "Normalizations folded into weights">,
                    Statistic<"numDecomposed", "decomposed", "Normalizations turned into Mul and Add">];
}

def QOperatorToQDQ : Pass<"leaf-q-operator-to-qdq", "::mlir::ModuleOp"> {
  let summary = "quantized operators as QuantizeLinear and DequantizeLinear around float ones";
  let description = [{
    QLinearConv and QLinearMatMul come to the one form in which quantization is represented. The bias of a convolution,
    an i32, is dequantized by the product of the data's and the weight's scale.

    ```mlir
    %y = onnx.QLinearMatMul(%a, %sa, %za, %b, %sb, %zb, %sy, %zy) : (tensor<2x4xui8>, …) -> tensor<2x3xui8>
    // becomes
    %0 = onnx.DequantizeLinear(%a, %sa, %za) …
    %1 = onnx.DequantizeLinear(%b, %sb, %zb) …
    %2 = onnx.MatMul(%0, %1) : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
    %y = onnx.QuantizeLinear(%2, %sy, %zy) : … -> tensor<2x3xui8>
    ```
  }];
  let dependentDialects = ["::leaf::onnx::ONNXDialect"];
  let statistics = [Statistic<"numConverted", "converted", "Quantized operators rewritten">];
}

def DropUnusedWeights : Pass<"leaf-drop-unused-weights", "::mlir::ModuleOp"> {
  let summary = "erase weights that nothing loads";
  let description = [{
    ```mlir
    leaf.weight @unused = dense<0.0> : tensor<4xf32>   // no leaf.load_weight @unused: goes
    ```
  }];
  let statistics = [Statistic<"numDropped", "dropped", "Weights erased">];
}

//===----------------------------------------------------------------------===//
// optimize
//===----------------------------------------------------------------------===//

def FuseGraphPatterns : Pass<"leaf-fuse-graph-patterns", "::mlir::ModuleOp"> {
  let summary = "recognise operators written out in smaller ones";
  let description = [{
    GELU by erf or tanh, layer normalization over trailing axes, and softmax, in whatever order their factors and
    terms were written. The constants of the formula must be there (to five digits), otherwise nothing is changed.

    ```mlir
    %1 = onnx.Div(%x, %sqrt2) …
    %2 = onnx.Erf(%1) …
    %3 = onnx.Add(%2, %one) …
    %4 = onnx.Mul(%x, %3) …
    %5 = onnx.Mul(%4, %half) …
    // becomes
    %5 = onnx.Gelu(%x) {approximate = "none"} : (tensor<8xf32>) -> tensor<8xf32>
    ```
  }];
  let dependentDialects = ["::leaf::LeafDialect", "::leaf::onnx::ONNXDialect"];
  let statistics = [Statistic<"numFused", "fused", "Patterns replaced by one op">];
}

def GlobalPoolToReduce : Pass<"leaf-global-pool-to-reduce", "::mlir::ModuleOp"> {
  let summary = "spell global pooling as a reduction over the spatial axes";
  let description = [{
    ```mlir
    %0 = onnx.GlobalAveragePool(%x) : (tensor<1x8x7x7xf32>) -> tensor<1x8x1x1xf32>
    // becomes
    %a = onnx.Constant() {value = dense<[2, 3]> : tensor<2xi64>} : () -> tensor<2xi64>
    %0 = onnx.ReduceMean(%x, %a) {keepdims = 1 : i64} : (tensor<1x8x7x7xf32>, tensor<2xi64>) -> tensor<1x8x1x1xf32>
    ```
  }];
  let dependentDialects = ["::leaf::LeafDialect", "::leaf::onnx::ONNXDialect"];
}

def ChannelsLast : Pass<"leaf-channels-last", "::mlir::ModuleOp"> {
  let summary = "make convolutions and pools channels last, with transposes around";
  let description = [{
    Conv, ConvInteger, ConvTranspose, MaxPool, AveragePool, LRN and RoiAlign get the unit attribute
    `leaf.channels_last`: their data operand and result become N, spatial..., C; the weight stays as ONNX has it.

    ```mlir
    %0 = onnx.Conv(%x, %w, %b) : (tensor<1x3x8x8xf32>, …) -> tensor<1x4x8x8xf32>
    // becomes
    %t = onnx.Transpose(%x) {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x3x8x8xf32>) -> tensor<1x8x8x3xf32>
    %c = onnx.Conv(%t, %w, %b) {leaf.channels_last} : (tensor<1x8x8x3xf32>, …) -> tensor<1x8x8x4xf32>
    %0 = onnx.Transpose(%c) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x4xf32>) -> tensor<1x4x8x8xf32>
    ```
  }];
  let dependentDialects = ["::leaf::LeafDialect", "::leaf::onnx::ONNXDialect"];
  let statistics = [Statistic<"numConverted", "converted", "Ops made channels last">];
}

def PropagateTransposes : Pass<"leaf-propagate-transposes", "::mlir::ModuleOp"> {
  let summary = "move transposes down until they cancel";
  let description = [{
    A Transpose moves below elementwise ops (constants and operands with unit dimensions are permuted for free), Concat,
    Split, Slice, Pad, Tile, Expand, reductions, Softmax, quantization, and a Reshape that touches unit dimensions
    only. Neighbours compose; one that moves unit dimensions only becomes a Reshape. Where a flattened Transpose
    meets a constant weight of Gemm or MatMul, the weight's rows are permuted instead.

    ```mlir
    %1 = onnx.Transpose(%0) {perm = array<i64: 0, 3, 1, 2>} …
    %2 = onnx.Relu(%1) …
    %3 = onnx.Transpose(%2) {perm = array<i64: 0, 2, 3, 1>} …
    // becomes
    %3 = onnx.Relu(%0) …
    ```
  }];
  let dependentDialects = ["::leaf::LeafDialect", "::leaf::onnx::ONNXDialect"];
  let statistics = [Statistic<"numMoved", "moved", "Ops that transposes moved past">];
}

//===----------------------------------------------------------------------===//
// Contracts
//===----------------------------------------------------------------------===//

class CheckPass<string stage, string what> : Pass<"leaf-check-" # stage, "::mlir::ModuleOp"> {
  let summary = "check what holds after " # stage;
  let description = what;
}

def CheckImport : CheckPass<"import", [{
  Only onnx ops, weights and functions.
}]>;
def CheckNormalize : CheckPass<"normalize", [{
  Every value has a rank and every op is supported; all operators that are not are named in one error, each with its
  number of nodes and the first of them.
}]>;
def CheckCompress : CheckPass<"compress", "The contract of normalize still holds.">;
def CheckOptimize : CheckPass<"optimize", [{
  Core ops only, and convolutions and pools are channels last.
}]>;

#endif // LEAFCUTTER_TRANSFORMS_PASSES
