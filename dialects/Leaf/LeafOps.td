//===- LeafOps.td - contractions, weights and bounds -------------*- tablegen -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_DIALECT_LEAFOPS
#define LEAF_DIALECT_LEAFOPS

include "mlir/IR/OpBase.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferIntRangeInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/ValueBoundsOpInterface.td"

def Leaf_Dialect : Dialect {
  let name = "leaf";
  let cppNamespace = "::leaf";
  let summary = "Contractions, weights and size bounds of a neural network being compiled";
  let description = [{
    The ops that upstream dialects have no word for: weights as module symbols, upper bounds of dynamic sizes, and one
    contraction op with scalar regions from which the micro-kernel emitter makes code. See dialects/Leaf/README.md.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::bufferization::BufferizationDialect"];
}

class Leaf_Op<string mnemonic, list<Trait> traits = []> : Op<Leaf_Dialect, mnemonic, traits>;

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

def Leaf_WeightOp : Leaf_Op<"weight", [Symbol]> {
  let summary = "a constant of the model, as a module symbol";
  let description = [{
    Bytes live in a `dense_resource` blob (backed by the mapped ONNX file where they were imported unchanged), so they
    are neither copied nor merged nor spread by canonicalization. Layout is dense row-major of `value`'s type.
    `onnx_name` is the initializer's name in the ONNX file (absent for derived weights, e.g. packed ones).

    ```mlir
    leaf.weight @conv1 = dense_resource<conv1> : tensor<16x1x3x3xf32> {onnx_name = "conv1.weight"}
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, ElementsAttr:$value, OptionalAttr<StrAttr>:$onnx_name);
  let assemblyFormat = "$sym_name `=` $value attr-dict";
  let extraClassDeclaration = [{
    /// The dense type of the weight's value.
    ::mlir::RankedTensorType getWeightType() {
      return ::llvm::cast<::mlir::RankedTensorType>(getValue().getShapedType());
    }
    /// Raw little-endian bytes, dense row-major. Empty when the resource is not attached (an elided dump).
    /// i1 elements take one byte each (0 or 1). Owned by the attribute.
    ::llvm::ArrayRef<char> getRawBytes();
    /// As getRawBytes(), with a splat written out into `storage`, which then owns the bytes.
    ::llvm::ArrayRef<char> getDenseBytes(std::vector<char> &storage);
  }];
}

def Leaf_LoadWeightOp : Leaf_Op<"load_weight", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    DeclareOpInterfaceMethods<BufferizableOpInterface, ["bufferize", "isWritable", "getBufferType"]>]> {
  let summary = "the value of a weight symbol, as a tensor before bufferization and a memref after";
  let arguments = (ins FlatSymbolRefAttr:$weight);
  let results = (outs AnyShaped:$result);
  let assemblyFormat = "$weight attr-dict `:` type($result)";
  let extraClassDeclaration = [{
    /// The symbol this op refers to, or null.
    ::leaf::WeightOp resolve();
  }];
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

def Leaf_BoundOp : Leaf_Op<"bound", [Pure, SameOperandsAndResultType,
    DeclareOpInterfaceMethods<InferIntRangeInterface, ["inferResultRanges"]>,
    DeclareOpInterfaceMethods<ValueBoundsOpInterface, ["populateBoundsForIndexValue"]>]> {
  let summary = "a size together with its upper bound";
  let description = [{
    Yields `n` unchanged and tells every analysis that 0 <= n <= max (elements). The entry point checks the bound of
    each input dimension before it runs, so that a larger size is an error code and never an overrun.
  }];
  let arguments = (ins Index:$n, I64Attr:$max);
  let results = (outs Index:$result);
  let assemblyFormat = "$n `,` $max attr-dict";
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Contraction
//===----------------------------------------------------------------------===//

def Leaf_ContractOp : Leaf_Op<"contract", [DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "out = epilogue(sum over reduction loops of lhs_prologue(lhs) * rhs_prologue(rhs), extras)";
  let description = [{
    The one contraction: matmul, batched matmul, GEMV, convolution (direct, strided, dilated, grouped, depthwise).
    `indexing_maps` has one map per operand in the order lhs, rhs, extras..., out, all over the same loops.
    `iterator_types` has "parallel" or "reduction" per loop. Every loop appears as a plain dimension in at least one
    operand's map (its extent is that operand's size); the out map holds only parallel loops, each at most once and
    plain or with a constant offset. A packed rhs uses `floordiv`/`mod`: `(n floordiv 16, k, n mod 16)`.

    Regions work on scalars and are cloned at vector type by the emitter:
    - `lhs_prologue (l)`  : element of lhs -> value of the accumulator type
    - `rhs_prologue (r, prologue extras...)` : element of rhs -> value of the accumulator type (dequantize, f16 -> f32)
    - `epilogue (acc, e...)`: accumulator and one element of each extra -> element of out
    The accumulator starts at zero; its type is that of the epilogue's first argument. Extras that the rhs prologue
    needs (scales, zero points) are the first `num_rhs_extras` extras and are passed to it after the rhs element; the
    remaining ones are passed to the epilogue. Extras are tensors/memrefs indexed by their map; the map of a scalar
    broadcast is `() `.

    Constants may be captured by regions only as `arith.constant` inside them.

    With `winograd = m` (2 or 4) the op is a 3x3 convolution of stride 1, computed by Winograd's minimal filtering
    F(m x m, 3 x 3) (Lavin and Gray, arXiv:1509.09308): `rhs` holds the transformed filters G g G^T, so its two filter
    dimensions have m + 2 elements, while lhs and out stay those of the convolution.

    ```mlir
    %r = leaf.contract ins(%x, %w : tensor<128x384xf32>, tensor<24x384x16xf32>) extras(%b : tensor<384xf32>)
           outs(%o : tensor<128x384xf32>)
           {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n floordiv 16, k, n mod 16)>,
                             affine_map<(m, n, k) -> (n)>, affine_map<(m, n, k) -> (m, n)>],
            iterator_types = ["parallel", "parallel", "reduction"]}
           lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
           rhs { ^bb0(%r: f32): leaf.yield %r : f32 }
           epilogue { ^bb0(%acc: f32, %e: f32): %s = arith.addf %acc, %e : f32  leaf.yield %s : f32 }
           -> tensor<128x384xf32>
    ```
  }];
  let arguments = (ins AnyShaped:$lhs, AnyShaped:$rhs, Variadic<AnyShaped>:$extras, AnyShaped:$out,
                       AffineMapArrayAttr:$indexing_maps, StrArrayAttr:$iterator_types,
                       DefaultValuedAttr<I64Attr, "0">:$num_rhs_extras, OptionalAttr<I64Attr>:$winograd);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let regions = (region SizedRegion<1>:$lhs_prologue, SizedRegion<1>:$rhs_prologue, SizedRegion<1>:$epilogue);
  let assemblyFormat = [{
    `ins` `(` $lhs `,` $rhs `:` type($lhs) `,` type($rhs) `)` (`extras` `(` $extras^ `:` type($extras) `)`)?
    `outs` `(` $out `:` type($out) `)` attr-dict `lhs` $lhs_prologue `rhs` $rhs_prologue `epilogue` $epilogue
    (`->` type($result)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutMutable(); }
    unsigned getNumLoops() { return getIteratorTypes().size(); }
    bool isReduction(unsigned loop);
    ::mlir::AffineMap getLhsMap() { return getMap(0); }
    ::mlir::AffineMap getRhsMap() { return getMap(1); }
    ::mlir::AffineMap getExtraMap(unsigned i) { return getMap(2 + i); }
    ::mlir::AffineMap getOutMap() { return getMap(2 + getExtras().size()); }
    ::mlir::AffineMap getMap(unsigned i) {
      return ::llvm::cast<::mlir::AffineMapAttr>(getIndexingMaps()[i]).getValue();
    }
    ::mlir::Type getAccumulatorType() { return getEpilogue().front().getArgument(0).getType(); }
    /// Operand and dimension of it that give the extent of `loop`.
    std::pair<::mlir::Value, unsigned> getLoopExtentSource(unsigned loop);
    /// Static extent of `loop` or ShapedType::kDynamic.
    int64_t getStaticLoopExtent(unsigned loop);
  }];
}

def Leaf_YieldOp : Leaf_Op<"yield", [Pure, Terminator, ReturnLike]> {
  let summary = "ends a region of leaf.contract";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

//===----------------------------------------------------------------------===//
// Data movement
//===----------------------------------------------------------------------===//

def Leaf_ConcatOp : Leaf_Op<"concat", [DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "writes its inputs one after another along `dim` of the destination";
  let description = [{
    Sizes of all other dimensions are equal; the destination's size along `dim` is the sum of the inputs'. A
    destination-passing twin of `tensor.concat`, because that one lowers to strided slices which are no kernels.
  }];
  let arguments = (ins Variadic<AnyShaped>:$inputs, AnyShaped:$out, I64Attr:$dim);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    `ins` `(` $inputs `:` type($inputs) `)` `outs` `(` $out `:` type($out) `)` `dim` $dim attr-dict
    (`->` type($result)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutMutable(); }
  }];
}

def Leaf_BorderOp : Leaf_Op<"border", [DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "writes a constant around a box of the destination";
  let description = [{
    The box has `size` elements from `low` in each dimension. What lies in it stays as it is: whoever computes it writes
    it there, so that the reader of a padded tensor needs neither a copy nor tests of bounds. The shape is static.

    ```mlir
    %r = leaf.border outs(%o : tensor<1x6x6x8xf32>) low [0, 1, 1, 0] size [1, 4, 4, 8] value 0.0 : f32
         -> tensor<1x6x6x8xf32>
    ```
  }];
  let arguments = (ins AnyShaped:$out, DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$size, TypedAttrInterface:$value);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    `outs` `(` $out `:` type($out) `)` `low` $low `size` $size `value` $value attr-dict (`->` type($result)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutMutable(); }
  }];
}

//===----------------------------------------------------------------------===//
// Imperative loops
//===----------------------------------------------------------------------===//

def Leaf_ForallOp : Leaf_Op<"forall", [AttrSizedOperandSegments, DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "independent iterations of scalar code that reads inputs and writes destinations by index";
  let description = [{
    For what is no map from elements to elements: sorting, scattering, walking a tree. The body runs once for each
    point of the index space 0 .. extents (once where there are no extents). Its arguments are one `index` per extent,
    then a memref of the same shape and element type for each input and each destination. It holds `memref.load`,
    `memref.store`, `memref.dim` on these, `scf.for`, `scf.if` and scalar `arith`/`math`, and ends with `leaf.yield`.

    Iterations run in any order, and in parallel: what one writes no other may read or write. A destination holds
    nothing when the op begins, and every element of it is written. A destination whose result has no use is scratch:
    it is the same for all iterations of a worker and holds nothing when an iteration begins.

    ```mlir
    %r = leaf.forall ins(%x : tensor<8x4xf32>) outs(%o : tensor<8xf32>) extents(%c8) {
    ^bb0(%i: index, %row: memref<8x4xf32>, %last: memref<8xf32>):
      %c3 = arith.constant 3 : index
      %e = memref.load %row[%i, %c3] : memref<8x4xf32>
      memref.store %e, %last[%i] : memref<8xf32>
      leaf.yield
    } -> tensor<8xf32>
    ```
  }];
  let arguments = (ins Variadic<AnyShaped>:$inputs, Variadic<AnyShaped>:$outs, Variadic<Index>:$extents);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    (`ins` `(` $inputs^ `:` type($inputs) `)`)? `outs` `(` $outs `:` type($outs) `)` (`extents` `(` $extents^ `)`)?
    attr-dict-with-keyword $body (`->` type($results)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutsMutable(); }
    /// Body arguments: the point of the index space, then the buffers of inputs and of destinations.
    ::llvm::ArrayRef<::mlir::BlockArgument> getPoint() {
      return getBody().getArguments().take_front(getExtents().size());
    }
    ::llvm::ArrayRef<::mlir::BlockArgument> getBuffers() {
      return getBody().getArguments().drop_front(getExtents().size());
    }
  }];
}

#endif // LEAF_DIALECT_LEAFOPS
