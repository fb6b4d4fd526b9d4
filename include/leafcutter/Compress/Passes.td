//===- Passes.td - passes of the stage compress ------------------*- tablegen -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_COMPRESS_PASSES
#define LEAFCUTTER_COMPRESS_PASSES

include "mlir/Pass/PassBase.td"

class CompressPass<string argument> : Pass<argument, "::mlir::ModuleOp"> {
  let dependentDialects = ["::leaf::LeafDialect", "::leaf::onnx::ONNXDialect"];
}

def QuantizeStatic : CompressPass<"leaf-quantize-static"> {
  let summary = "8-bit weights, and activations with scales from calibration, as QuantizeLinear and DequantizeLinear";
  let description = [{
    Conv, ConvTranspose, Gemm and MatMul get weights of 8 bits, symmetric, one scale for each output channel, and
    activations quantized by the ranges in `leaf.ranges` (attribute of arguments and of ops: low and high of each
    result; NaN where unknown). What only moves data (Reshape, Transpose, MaxPool, Concat, …) between two quantized
    values computes on quantized ones, with the same scale on both sides; what stands between a contraction and the
    next quantized value (bias, activation, residual) stays float: it is the contraction's epilogue. Biases become
    32-bit integers in units of both scales.

    An op with `leaf.float` (the reason, as a string) keeps its weights and reads unquantized values. The pass sets the
    attribute on layers that it has to leave alone.

    ```mlir
    func.func @main(%x: tensor<1x4xf32> {leaf.ranges = array<f64: -1.0, 1.55>})
    %y = onnx.MatMul(%x, %w) : (tensor<1x4xf32>, tensor<4x3xf32>) -> tensor<1x3xf32>
    // becomes
    %q = onnx.QuantizeLinear(%x, %s, %z) … -> tensor<1x4xui8>                     // s = 0.01, z = 100
    %d = onnx.DequantizeLinear(%q, %s, %z) …
    %v = onnx.DequantizeLinear(%w8, %ws, %wz) {axis = 1 : i64} … -> tensor<4x3xf32>
    %y = onnx.MatMul(%d, %v) …
    ```
  }];
  let options = [
    Option<"activations", "activations", "std::string", "\"uint8\"", "Type of activations: uint8, int8 or int16">
  ];
  let statistics = [Statistic<"numLayers", "layers", "Layers quantized">,
                    Statistic<"numValues", "values", "Activations quantized">];
}

def QuantizeDynamic : CompressPass<"leaf-quantize-dynamic"> {
  let summary = "8-bit weights, and activations quantized with the range they have in each run";
  let description = [{
    MatMul and Gemm with a constant weight become MatMulInteger on 8-bit values: the activation is quantized by
    DynamicQuantizeLinear (one scale for the tensor), or, with `per-token`, by the largest magnitude of each row.
    Activations that several layers read are quantized once. Conv becomes ConvInteger: its input is quantized by the
    largest magnitude of the tensor around the zero point 128, or 0 where it is never negative (behind a Relu), so that
    the border is a constant. Weights of depthwise convolutions, recurrent layers and embeddings become 8 bits that are
    dequantized. A layer with `leaf.float` stays as it is.

    ```mlir
    %y = onnx.MatMul(%x, %w) : (tensor<8x4xf32>, tensor<4x3xf32>) -> tensor<8x3xf32>
    // becomes
    %q, %s, %z = onnx.DynamicQuantizeLinear(%x) : (tensor<8x4xf32>) -> (tensor<8x4xui8>, tensor<f32>, tensor<ui8>)
    %i = onnx.MatMulInteger(%q, %w8, %z, %wz) … -> tensor<8x3xi32>
    %f = onnx.Cast(%i) {to = 1 : i64} … -> tensor<8x3xf32>
    %t = onnx.Mul(%s, %ws) : (tensor<f32>, tensor<3xf32>) -> tensor<3xf32>
    %y = onnx.Mul(%f, %t) …
    ```
  }];
  let options = [
    Option<"perToken", "per-token", "bool", "false", "One scale for each row of the activations">
  ];
  let statistics = [Statistic<"numLayers", "layers", "Layers quantized">];
}

def QuantizeWeights : CompressPass<"leaf-quantize-weights"> {
  let summary = "store weights in 8 bits or in half precision and compute in float";
  let description = [{
    Weights of contractions, recurrent layers and embeddings (tables that Gather reads) become DequantizeLinear of int8,
    with one scale for each output channel, or a Cast of float16 or bfloat16. Values beyond float16 keep a weight as it
    is, and so does `leaf.float` on the op that reads it.

    ```mlir
    %w = leaf.load_weight @w : tensor<64x64xf32>
    %y = onnx.MatMul(%x, %w) …
    // becomes
    %w = leaf.load_weight @w_f16 : tensor<64x64xf16>
    %v = onnx.Cast(%w) {to = 1 : i64} : (tensor<64x64xf16>) -> tensor<64x64xf32>
    %y = onnx.MatMul(%x, %v) …
    ```
  }];
  let options = [
    Option<"type", "type", "std::string", "\"int8\"", "int8, float16 or bfloat16">
  ];
  let statistics = [Statistic<"numWeights", "weights", "Weights stored smaller">];
}

def EqualizeLayers : CompressPass<"leaf-equalize-layers"> {
  let summary = "even out the channels' ranges between two layers";
  let description = [{
    Cross-layer equalization (Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction,
    2019): where one layer's output goes to another through nothing but Relu, LeakyRelu or pooling, channel i of the
    first is divided by s and the second's weights for it are multiplied by s, so that both have the same range. s is a
    power of two, so that the float model computes the same values.

    ```mlir
    %1 = onnx.Conv(%x, %w1, %b1) …
    %2 = onnx.Relu(%1) …
    %3 = onnx.Conv(%2, %w2, %b2) …     // w1[i] / s[i], b1[i] / s[i], w2[:, i] * s[i]
    ```
  }];
  let statistics = [Statistic<"numPairs", "pairs", "Pairs of layers equalized">];
}

def SmoothQuantize : CompressPass<"leaf-smooth-quantize"> {
  let summary = "move the activations' outliers into the weights";
  let description = [{
    SmoothQuant (Xiao et al., 2023) for the activation that MatMul and Gemm read, by the largest magnitude of each of
    its channels in `leaf.channel_max` (attribute of the op that computes it): s = max(|x|)^alpha / max(|w|)^(1 -
    alpha); the activation is divided by s, the rows of the weights are multiplied by it. The division goes into scale
    and bias of a LayerNormalization that nothing else reads; elsewhere it is a Mul of its own. `leaf.ranges` of what
    changes is dropped: calibrate again.

    ```mlir
    %n = onnx.LayerNormalization(%x, %scale, %bias) {leaf.channel_max = array<f64: 1.0, 90.0>} …
    %y = onnx.MatMul(%n, %w) …             // scale / s, bias / s; w[k, :] * s[k]
    ```
  }];
  let options = [Option<"alpha", "alpha", "double", "0.5", "How much of the outliers the weights take, 0 to 1">];
  let statistics = [Statistic<"numSmoothed", "smoothed", "Activations smoothed">];
}

def CorrectBiases : CompressPass<"leaf-correct-biases"> {
  let summary = "take the mean error of quantization out of the biases";
  let description = [{
    Adds `leaf.bias_error` of a layer (attribute: mean of the float result minus the quantized one, for each output
    channel, over the calibration data) to its bias; a layer without one gets one (Conv, Gemm), or an Add (MatMul).

    ```mlir
    %y = onnx.Gemm(%x, %w, %b) {leaf.bias_error = array<f64: 0.25, -0.5>} …
    // becomes
    %y = onnx.Gemm(%x, %w, %b2) …    // b2 = b + [0.25, -0.5]
    ```
  }];
  let statistics = [Statistic<"numCorrected", "corrected", "Layers whose bias changed">];
}

def SparsifyWeights : CompressPass<"leaf-sparsify-weights"> {
  let summary = "set the smallest weights to zero";
  let description = [{
    By magnitude, layer by layer. `pattern` is unstructured, N:M (of M neighbours along the input channels N stay; the
    share is the pattern's own) or blockRx1 (R neighbouring output channels go together). Layers with `leaf.float`,
    convolutions in groups and small layers stay dense. The weight's symbol tells how it was pruned.

    ```mlir
    leaf.weight @w = …
    // becomes
    leaf.weight @w_1 = … {leaf.sparsity = "2:4"}
    ```
  }];
  let options = [
    Option<"sparsity", "sparsity", "double", "0.5", "Share of zeros, below 1">,
    Option<"pattern", "pattern", "std::string", "\"unstructured\"", "Where zeros may be">,
    Option<"least", "least", "int64_t", "1024", "Layers with fewer weights stay dense">
  ];
  let statistics = [Statistic<"numLayers", "layers", "Layers pruned">];
}

def PruneChannels : CompressPass<"leaf-prune-channels"> {
  let summary = "take whole output channels out of layers";
  let description = [{
    The channels of a Conv, Gemm or MatMul with the smallest weights (L2 norm) go, and with them the input channels of
    the one layer that reads them, through activations, pooling, Flatten, constant additions and depthwise
    convolutions. Layers whose result goes elsewhere too (a residual connection, an output) keep theirs. Shapes between
    the layers are open afterwards: leaf-infer-shapes finds them.

    ```mlir
    %1 = onnx.Conv(%x, %w1, %b1) … : (tensor<1x8x8x8xf32>, tensor<16x8x3x3xf32>, tensor<16xf32>) …
    %2 = onnx.Relu(%1) …
    %3 = onnx.Conv(%2, %w2, %b2) … : (…, tensor<32x16x3x3xf32>, …) …
    // becomes, with sparsity = 0.5
    %1 = onnx.Conv(%x, %w1_1, %b1_1) … : (tensor<1x8x8x8xf32>, tensor<8x8x3x3xf32>, tensor<8xf32>) …
    %2 = onnx.Relu(%1) …
    %3 = onnx.Conv(%2, %w2_1, %b2) … : (…, tensor<32x8x3x3xf32>, …) …
    ```
  }];
  let options = [Option<"sparsity", "sparsity", "double", "0.5", "Share of the channels that go, below 1">];
  let statistics = [Statistic<"numLayers", "layers", "Layers with fewer channels">];
}

def ExpandDynamicQuantize : CompressPass<"leaf-expand-dynamic-quantize"> {
  let summary = "spell DynamicQuantizeLinear in reductions and a QuantizeLinear";
  let description = [{
    As the ONNX standard defines it: scale = (max(0, max x) - min(0, min x)) / 255, zero point = saturate(round(-min /
    scale)). A tensor of zeros has scale 0 there, which makes 0 / 0; here its scale is 1.

    ```mlir
    %q, %s, %z = onnx.DynamicQuantizeLinear(%x) : (tensor<8xf32>) -> (tensor<8xui8>, tensor<f32>, tensor<ui8>)
    // becomes
    %low = onnx.ReduceMin(%x) {keepdims = 0 : i64} …
    …
    %q = onnx.QuantizeLinear(%x, %s, %z) …
    ```
  }];
}

#endif // LEAFCUTTER_COMPRESS_PASSES
