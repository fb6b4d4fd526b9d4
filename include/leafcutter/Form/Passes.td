//===- Passes.td - passes of the form stage -----------------------*- tablegen -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_FORM_PASSES
#define LEAFCUTTER_FORM_PASSES

include "mlir/Pass/PassBase.td"

def PropagateQuantization : Pass<"leaf-propagate-quantization", "::mlir::ModuleOp"> {
  let summary = "moves quantization next to computation, so that bytes are moved instead of numbers";
  let description = [{
    A DequantizeLinear goes below ops that only move elements (Reshape, Transpose, Slice, MaxPool, ...), and a
    QuantizeLinear above them and above Concat; where both meet with the same parameters they are gone. Only one scale
    and zero point for the whole tensor can go so.

    ```mlir
    %1 = onnx.DequantizeLinear(%0, %s, %z) …
    %2 = onnx.MaxPool(%1) …
    %3 = onnx.QuantizeLinear(%2, %s, %z) …
    // becomes
    %3 = onnx.MaxPool(%0) …
    ```
  }];
  let dependentDialects = ["::leaf::LeafDialect", "::leaf::onnx::ONNXDialect"];
  let statistics = [Statistic<"numMoved", "moved", "Quantizations moved or cancelled">];
}

def UnsignedActivations : Pass<"leaf-unsigned-activations", "::mlir::ModuleOp"> {
  let summary = "quantizes activations to unsigned bytes, as the target's dot product takes them";
  let description = [{
    A QuantizeLinear to i8 whose result is only moved and dequantized again becomes one to ui8, with a zero point that
    is larger by 128: the same numbers. Otherwise each kernel would have to flip the top bit of what it reads.

    ```mlir
    %1 = onnx.QuantizeLinear(%0, %s, %z) : (…, tensor<i8>) -> tensor<4xi8>     // %z = -3
    // becomes
    %1 = onnx.QuantizeLinear(%0, %s, %z) : (…, tensor<ui8>) -> tensor<4xui8>   // %z = 125
    ```
  }];
  let dependentDialects = ["::leaf::LeafDialect", "::leaf::onnx::ONNXDialect"];
  let statistics = [Statistic<"numChanged", "changed", "QuantizeLinear ops changed">];
}

def FuseElementwise : Pass<"leaf-fuse-elementwise", "::mlir::ModuleOp"> {
  let summary = "Fuses elementwise producers into their consumers";
  let description = [{
    A parallel `linalg.generic` goes into the generic that reads it when that is its only reader and reads each element
    once, or when computing an element again is cheaper than storing it. A permutation that only a `leaf.contract`
    reads goes into the contract's indexing map, and so does one that alone reads a contract's result.

    ```mlir
    %1 = linalg.generic … ins(%0) {exp}
    %2 = linalg.generic … ins(%1) {negf}
    // becomes
    %2 = linalg.generic … ins(%0) {exp, negf}
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect"];
}

def FuseEpilogues : Pass<"leaf-fuse-epilogues", "::mlir::ModuleOp"> {
  let summary = "Moves elementwise ops behind a contraction into its epilogue";
  let description = [{
    A parallel `linalg.generic` that alone reads a contraction's result, element by element, becomes part of the
    contraction's epilogue: bias, activation, residual, scale, clip, cast. Its other operands become extras; one that is
    a narrower tensor, widened (a DequantizeLinear), is read narrow. Where sums of integers are quantized again by a
    scale that is a power of two, they are multiplied by its reciprocal, which is exact.

    ```mlir
    %0 = leaf.contract … epilogue { ^bb0(%acc): leaf.yield %acc }
    %1 = linalg.generic … ins(%0, %bias) {addf}
    // becomes
    %1 = leaf.contract … extras(%bias) … epilogue { ^bb0(%acc, %e): leaf.yield %acc + %e }
    ```
  }];
  let dependentDialects = ["::leaf::LeafDialect"];
  let statistics = [Statistic<"numFused", "fused", "Number of generics moved into an epilogue">];
}

def NarrowWeights : Pass<"leaf-narrow-weights", "::mlir::ModuleOp"> {
  let summary = "Stores the float32 weights of contractions and tables in 16 bits";
  let description = [{
    Each float32 weight that only contractions multiply by, or that is a table from which elements are picked (the
    embeddings that Gather reads), is rounded (to nearest, ties to even) to float16 or bfloat16, and widened again
    where it is loaded; sums stay float32. Half the memory, and half the traffic where a product has few rows.
    bfloat16 is kept as the upper 16 bits of the float32. A weight beyond the range of float16 stays as it is, with a
    warning.

    ```mlir
    leaf.contract ins(%x, %w : tensor<4x64xf32>, tensor<64x48xf32>) … rhs { ^bb0(%r: f32): leaf.yield %r : f32 }
    // becomes, with format=f16
    leaf.contract ins(%x, %w_f16 : tensor<4x64xf32>, tensor<64x48xf16>) …
      rhs { ^bb0(%r: f16): %f = arith.extf %r : f16 to f32  leaf.yield %f : f32 }
    ```
  }];
  let options = [Option<"format", "format", "std::string", "\"f16\"", "f16 or bf16">];
  let dependentDialects = ["::leaf::LeafDialect", "::mlir::arith::ArithDialect"];
  let statistics = [Statistic<"numNarrowed", "narrowed", "Number of weights stored in 16 bits">];
}

def NarrowOperands : Pass<"leaf-narrow-operands", "::mlir::ModuleOp"> {
  let summary = "Multiplies in bfloat16 where the target has dot products of it";
  let description = [{
    In a contraction of float32 with a weight (of float32, or stored as float16 and widened) both operands are rounded
    to bfloat16 (to nearest, ties to even): the weight here, the data by an op of its own, once for all readers,
    before a padding; it goes into the epilogue of what computes the data. Sums and results stay float32.

    ```mlir
    leaf.contract ins(%x, %w : tensor<4x64xf32>, tensor<64x48xf32>) … lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
    // becomes
    %n = linalg.generic ins(%x) {truncf} -> tensor<4x64xbf16>
    leaf.contract ins(%n, %w_bf16 : tensor<4x64xbf16>, tensor<64x48xbf16>) …
      lhs { ^bb0(%l: bf16): %f = arith.extf %l : bf16 to f32  leaf.yield %f : f32 }
    ```
  }];
  let dependentDialects = ["::leaf::LeafDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numNarrowed", "narrowed", "Number of contractions of bfloat16">];
}

def EncodeSparseWeights : Pass<"leaf-encode-sparse-weights", "::mlir::ModuleOp"> {
  let summary = "Stores weights that are mostly zero without their zeros, where that is faster";
  let description = [{
    A weight `[K…][N]` of contractions of which at least a quarter is zero becomes three: where the entries of each
    column begin, their values, and their positions in a segment of 256 elements of the reduction (`leaf.sparse`,
    dialects/Leaf/Sparse.h). An entry has one column, or 4, 8 or 16 neighbours where zeros come in such blocks. N:M
    patterns are stored like this too: the kernel that they need is the same. A cost model compares the dense kernel
    (by Winograd's filtering where that is possible) with the sparse one. What was done with each weight is left in
    `leaf.sparse_layers` of the module.

    ```mlir
    %r = leaf.contract ins(%x, %w : tensor<64x512xf32>, tensor<512x512xf32>) …  // map (m, n, k) -> (k, n)
    // becomes
    %r = leaf.contract ins(%x, %w_starts : tensor<64x512xf32>, tensor<2x513xi32>)   // map (m, n, k) -> (0, n)
           extras(%w_values, %w_positions : tensor<26214xf32>, tensor<26214xi8>) …
           {leaf.sparse = 1 : i64, num_rhs_extras = 2 : i64, …}
    ```
  }];
  let options = [Option<"lanes", "lanes", "unsigned", "8", "f32 lanes of the target's vectors; 1: scalar code">,
                 Option<"growth", "growth", "unsigned", "150",
                        "percent of their bytes that all weights may grow to by Winograd's filtering; 100: not at all">,
                 Option<"mode", "mode", "std::string", "\"auto\"",
                        "auto: where it is faster; always: where it can; off">];
  let dependentDialects = ["::leaf::LeafDialect"];
  let statistics = [Statistic<"numEncoded", "encoded", "Number of weights encoded">];
}

def ChooseWinograd : Pass<"leaf-choose-winograd", "::mlir::ModuleOp"> {
  let summary = "Computes 3x3 convolutions by Winograd's minimal filtering where that pays";
  let description = [{
    A convolution of 3x3, stride 1 and float32 weights becomes F(4x4, 3x3) or F(2x2, 3x3) (`winograd` of
    `leaf.contract`): 4 or 2.25 times fewer multiplications, for filters that take 4 or 1.78 times the memory. They are
    transformed here, in double precision. An estimate of cycles (multiply-adds, transforms, reading filters that no
    cache holds) says which is faster; the gain per byte says who comes first until the weights have grown to
    `growth` percent of what they were. Relative to the largest output the error is about 1e-6 for F(2x2) and 7e-6 for
    F(4x4), against 5e-7 of the direct sum.

    ```mlir
    %r = leaf.contract ins(%x, %w : tensor<1x58x58x64xf32>, tensor<3x3x64x64xf32>) …
    // becomes
    %r = leaf.contract ins(%x, %w_winograd : tensor<1x58x58x64xf32>, tensor<6x6x64x64xf32>) … {winograd = 4 : i64}
    ```
  }];
  let options = [Option<"lanes", "lanes", "unsigned", "8", "f32 lanes of the target's vectors; 1: nothing is done">,
                 Option<"tile", "tile", "unsigned", "4", "largest m of F(m x m, 3 x 3): 4, 2, or 0 for none">,
                 Option<"growth", "growth", "unsigned", "150", "percent of their bytes that all weights may grow to">];
  let dependentDialects = ["::leaf::LeafDialect"];
  let statistics = [Statistic<"numChosen", "chosen", "Number of convolutions by Winograd">];
}

def PackWeights : Pass<"leaf-pack-weights", "::mlir::ModuleOp"> {
  let summary = "Packs the weights of contractions into panels";
  let description = [{
    A weight `[K…][N]` (N innermost, the contraction's innermost output loop) becomes `[N/NR][K…][NR]`, zero-filled, so
    that the micro-kernel reads it front to back. NR follows `lanes` (f32 lanes of the target's vectors): 32 for 16
    lanes, 16 for 8 and 4, 4 for scalar code; for a smaller N the multiple of the lanes that covers it. Depthwise
    weights stay as they are. Where both operands are bytes or bfloat16 and the target has dot products, the reduction
    is grouped too (`leaf.depth`): `[N/NR][K…/G][NR][G]`, columns of a window and channels as one.

    ```mlir
    %w = leaf.load_weight @w : tensor<64x48xf32>          // map (m, n, k) -> (k, n)
    // becomes, with lanes=8
    %w = leaf.load_weight @w_packed : tensor<3x64x16xf32> // map (m, n, k) -> (n floordiv 16, k, n mod 16)
    ```
  }];
  let options = [
    Option<"lanes", "lanes", "unsigned", "8", "f32 lanes of the target's vectors; 1: scalar code">,
    Option<"byteGroup", "byte-group", "unsigned", "1", "bytes that a lane of a dot product takes; 1: there is none">,
    Option<"bf16Group", "bf16-group", "unsigned", "1", "the same in numbers of bfloat16">
  ];
  let dependentDialects = ["::leaf::LeafDialect"];
  let statistics = [Statistic<"numPacked", "packed", "Number of weights packed">];
}

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
    plan.kernel @kernel_0(%arg0: tensor<8xf32>, %arg1: tensor<8xf32>) -> tensor<8xf32>
        attributes {num_outs = 1 : i64} {…}
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

def SplitReductions : Pass<"leaf-split-reductions", "::mlir::ModuleOp"> {
  let summary = "Cuts long reductions into parts that threads share";
  let description = [{
    A pooling over whole images has few results, each of many elements: threads could share the results, but the rows of
    the image lie in the caches of those that wrote them. Such a reduction along the outermost dimension becomes one for
    each of a number of parts, all in parallel, and one over the parts. Their number depends on the shape and on
    `workers`, for which the model is compiled, not on the threads that run it.

    ```mlir
    %r = linalg.generic … ins(%x : tensor<1x112x112x32xf32>) outs(%zero : tensor<1x32xf32>)
    // becomes
    %e = tensor.expand_shape %x [[0], [1, 2], [3], [4]] … into tensor<1x8x14x112x32xf32>
    %p = linalg.generic … ins(%e) outs(%zeros : tensor<8x1x32xf32>)
    %r = linalg.generic … ins(%p) outs(%zero : tensor<1x32xf32>)
    ```
  }];
  let options = [
    Option<"workers", "workers", "int64_t", "1", "Threads that the model is compiled for; 1: nothing is cut">,
    Option<"leastBytes", "least-bytes", "int64_t", "131072", "Smaller inputs are left alone">
  ];
  let statistics = [Statistic<"numSplit", "split", "Number of reductions that were cut">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

def TileAttention : Pass<"leaf-tile-attention", "::mlir::ModuleOp"> {
  let summary = "Computes attention in blocks of queries, so that their scores stay in the cache";
  let description = [{
    Scores of all queries by all keys exceed the caches long before their inputs do. A contraction of two computed
    values, the generics that reduce and change each row of its result by itself (scale, mask, softmax) and the
    contraction that alone reads these rows are made to go through blocks of rows: the loop of rows becomes two in each
    of them. `leaf-outline-kernels` makes one kernel of the chain, with the outer one among its shared loops, so that
    only the scores of a block exist, once per thread, and rows are whole: unlike with an online softmax (Milakov and
    Gimelshein, arXiv:1805.02867; Dao et al., arXiv:2205.14135) nothing is rescaled (docs/decisions/0030). The number of
    rows is a divisor of all, so that no block is cut off.

    ```mlir
    %s = leaf.contract ins(%q, %k) … -> tensor<1x12x2048x2048xf32>
    %p = linalg.generic … ins(%s)                                        // softmax
    %o = leaf.contract ins(%p, %v) … -> tensor<1x2048x12x64xf32>
    // becomes
    %s = leaf.contract ins(%q, %k) … -> tensor<1x12x32x64x2048xf32>
    %p = linalg.generic … ins(%s)
    %b = leaf.contract ins(%p, %v) … -> tensor<1x32x64x12x64xf32>
    %o = tensor.collapse_shape %b [[0], [1, 2], [3], [4]] …
    ```
  }];
  let options = [
    Option<"tileBytes", "tile-bytes", "int64_t", "131072", "Most bytes of the scores of a block">,
    Option<"workers", "workers", "int64_t", "1", "Threads that the model is compiled for, which share the blocks out">
  ];
  let statistics = [Statistic<"numTiled", "tiled", "Number of chains that go in blocks">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
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
