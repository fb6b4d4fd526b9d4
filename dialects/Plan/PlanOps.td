//===- PlanOps.td - kernels, arena and entry point ----------------*- tablegen -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_DIALECT_PLANOPS
#define LEAF_DIALECT_PLANOPS

include "mlir/IR/OpBase.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Plan_Dialect : Dialect {
  let name = "plan";
  let cppNamespace = "::leaf::plan";
  let summary = "The executable: kernels, their calls, the arena";
  let description = [{
    Structured and target-neutral: `plan.call` in straight line, `scf.if` and `scf.while`. See dialects/Plan/README.md.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::bufferization::BufferizationDialect"];
}

class Plan_Op<string mnemonic, list<Trait> traits = []> : Op<Plan_Dialect, mnemonic, traits>;

def Plan_KernelOp : Plan_Op<"kernel", [IsolatedFromAbove, Symbol, FunctionOpInterface]> {
  let summary = "a fusion group as a destination-passing function on tensors";
  let description = [{
    Arguments are the inputs (weights included), then `num_outs` destinations, then sizes (`index`). Results are tied
    to the destinations in order. The body is straight line: compute ops in destination style (`linalg.generic`,
    `linalg.fill`, `leaf.contract`, `leaf.concat`), `tensor.empty` for temporaries, `tensor.dim`, `arith`, and one
    `plan.yield`. Kernels know nothing of names or weights; equal ones are deduplicated.

    `shared_loops` is the number of leading loops that all compute ops of the body have in common (all parallel, same
    extents, temporaries indexed by them plainly and first): the emitter runs them as one outer loop, so that
    temporaries shrink to what one iteration needs. 0 for a body with one compute op.
    `in_place[i]` is the input whose buffer destination i may share (-1: none): every element of it is read before, or
    at, the iteration that writes the same element.
    `nodes` are the names of the ONNX nodes computed here (of the first call site where kernels were deduplicated).
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type, I64Attr:$num_outs,
                       DefaultValuedAttr<I64Attr, "0">:$shared_loops,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$in_place,
                       OptionalAttr<StrArrayAttr>:$nodes,
                       OptionalAttr<DictArrayAttr>:$arg_attrs, OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region AnyRegion:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    ::mlir::Region *getCallableRegion() { return &getBody(); }
    /// Index of the first destination argument; shaped arguments before it are inputs, index arguments follow the outs.
    unsigned getFirstOut();
  }];
}

def Plan_YieldOp : Plan_Op<"yield", [Pure, Terminator, ReturnLike]> {
  let summary = "ends a plan.kernel";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

def Plan_CallOp : Plan_Op<"call", [AttrSizedOperandSegments, DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>, DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    DeclareOpInterfaceMethods<BufferizableOpInterface, ["bufferizesToMemoryRead", "bufferizesToMemoryWrite",
        "getAliasingValues", "bufferize", "resolveConflicts"]>]> {
  let summary = "runs a kernel";
  let description = [{
    On tensors the results are the destinations' new values; on memrefs there are no results. Destinations are only
    written, never read. A memref operand is contiguous, or has static strides (a slice of a KV cache at capacity).
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee, Variadic<AnyShaped>:$ins, Variadic<AnyShaped>:$outs,
                       Variadic<Index>:$sizes);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $callee `(` ($ins^ `:` type($ins))? `)` `outs` `(` $outs `:` type($outs) `)` (`sizes` `(` $sizes^ `)`)? attr-dict
    (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutsMutable(); }
    /// The callee, or null.
    ::leaf::plan::KernelOp resolve();
  }];
}

def Plan_SlotOp : Plan_Op<"slot", [Pure]> {
  let summary = "a buffer in the arena";
  let description = [{
    `offset` in bytes from the arena's start, a multiple of the arena's alignment; `bytes` is the capacity reserved
    there. Dense row-major at the actual `sizes`.
  }];
  let arguments = (ins I64Attr:$offset, I64Attr:$bytes, Variadic<Index>:$sizes);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$offset `bytes` $bytes (`[` $sizes^ `]`)? attr-dict `:` type($result)";
}

def Plan_RequireOp : Plan_Op<"require", []> {
  let summary = "ends the run with an error when the condition is false";
  let description = [{
    The status is LEAF_ERROR_BOUND with `bound`, for a size above what was reserved for it, and LEAF_ERROR_SHAPE
    without.
  }];
  let arguments = (ins I1:$condition, StrAttr:$message, UnitAttr:$bound);
  let assemblyFormat = "$condition `,` $message attr-dict";
  let hasCanonicalizeMethod = 1;
}

def Plan_LaunchOp : Plan_Op<"launch", [AttrSizedOperandSegments, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "runs an emitted kernel over its tiles; what plan.call becomes at the end of codegen";
  let description = [{
    The callee is a private `func.func` with the signature (buffers as rank-1 dynamic memrefs in the order of
    `buffers`, scratch as memref<?xi8>, sizes, tile_begin, tile_end : index). A buffer operand is any memref whose
    base pointer plus offset is what the kernel gets. `scratch` is the arena slot with `scratch_bytes` bytes for each
    of max-threads workers. The tiles 0 .. `tiles` may be split between workers.
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee, Variadic<AnyMemRef>:$buffers, Optional<AnyMemRef>:$scratch,
                       Variadic<Index>:$sizes, Index:$tiles, DefaultValuedAttr<I64Attr, "0">:$scratch_bytes);
  let assemblyFormat = [{
    $callee `(` ($buffers^ `:` type($buffers))? `)` (`scratch` `(` $scratch^ `:` type($scratch) `)`)?
    (`sizes` `(` $sizes^ `)`)? `tiles` `(` $tiles `)` attr-dict
  }];
}

#endif // LEAF_DIALECT_PLANOPS
