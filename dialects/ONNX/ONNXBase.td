//===- ONNXBase.td - dialect, base class and structural ops ------*- tablegen -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// The hand-written half of the onnx dialect. ONNXOps.td, printed at build time by Generator/ODSGenerator.cpp, includes
// this file and adds one op per ONNX operator.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_DIALECT_ONNXBASE
#define LEAF_DIALECT_ONNXBASE

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def ONNX_Dialect : Dialect {
  let name = "onnx";
  let cppNamespace = "::leaf::onnx";
  let summary = "The operators of ONNX, each at its newest version, on builtin tensor types";
  let description = [{
    One op per operator of ai.onnx (`onnx.Conv`) and ai.onnx.ml (`onnx.ml.TreeEnsemble`), generated from libonnx's
    schemas. Operands, results and attributes have the schema's names. See dialects/ONNX/README.md.
  }];
  let hasConstantMaterializer = 1;
  let useDefaultTypePrinterParser = 1;
  // Properties and default builders make up most of the generated code (half of 160 s), for no gain here.
  let usePropertiesForAttributes = 0;
}

class ONNX_Type<string name, string typeMnemonic> : TypeDef<ONNX_Dialect, name> { let mnemonic = typeMnemonic; }

def ONNX_Sequence : ONNX_Type<"Sequence", "Seq"> {
  let summary = "a list of tensors";
  let description = [{
    `!onnx.Seq<tensor<*xf32>>`: ONNX's seq(T). Its elements may differ in shape. Normalize resolves it: afterwards each
    element is a tensor of its own.
  }];
  let parameters = (ins "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $elementType `>`";
}

def ONNX_Optional : ONNX_Type<"Optional", "Opt"> {
  let summary = "a tensor or sequence, or nothing";
  let description = [{
    `!onnx.Opt<tensor<4xf32>>`: ONNX's optional(T). Normalize resolves it: whether there is something is known then.
  }];
  let parameters = (ins "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $elementType `>`";
}

def ONNX_String : ONNX_Type<"String", "String"> {
  let summary = "an element of a tensor of strings";
  let description = [{
    `tensor<3x!onnx.String>`: any bytes, UTF-8 by convention. Normalize splits such a tensor (leaf-lower-strings): the
    place of each string as an i64, and a pool of bytes.
  }];
}

class ONNX_Op<string mnemonic, list<Trait> traits = []> : Op<ONNX_Dialect, mnemonic, traits>;

/// An operand or result that may be absent: then its type is none.
def ONNX_MaybeTensor : AnyTypeOf<[AnyTensor, NoneType], "tensor or none">;

/// INT. Unlike I64Attr the accessor is signed.
def ONNX_IntAttr : TypedSignlessIntegerAttrBase<I64, "int64_t", "64-bit integer attribute"> {
  let convertFromStorage = "$_self.getInt()";
}

/// FLOAT. Unlike F32Attr the accessor is a plain float.
def ONNX_FloatAttr : FloatAttrBase<F32, "32-bit float attribute"> {
  let returnType = "float";
  let convertFromStorage = "$_self.getValue().convertToFloat()";
}

def ONNX_NoValueOp : ONNX_Op<"NoValue", [Pure, ConstantLike]> {
  let summary = "stands for an absent optional operand";
  let results = (outs NoneType:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
  let hasFolder = 1;
}

def ONNX_StringsOp : ONNX_Op<"Strings", [Pure]> {
  let summary = "a tensor of strings from their places and bytes";
  let description = [{
    Element i of `spans` (i64) is `offset << 32 | length`: bytes offset to offset + length of `pool` (ui8). Stands for
    inputs and constants until leaf-lower-strings has gone through all that use the result.
  }];
  let arguments = (ins AnyTensor:$spans, AnyTensor:$pool);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = "$spans `,` $pool attr-dict `:` functional-type(operands, results)";
}

def ONNX_StringNodeOp : ONNX_Op<"StringNode", [Pure]> {
  let summary = "an ONNX operator that reads the bytes of strings";
  let description = [{
    What leaf-lower-strings makes of the operator `operator_name`: each operand and result that is a tensor of strings
    became two, spans and pool (see onnx.Strings). Attributes of the operator stand here as they were.
  }];
  let arguments = (ins Variadic<ONNX_MaybeTensor>:$operands_, StrAttr:$operator_name);
  let results = (outs Variadic<ONNX_MaybeTensor>:$results_);
  let assemblyFormat = "$operator_name `(` $operands_ `)` attr-dict `:` functional-type($operands_, $results_)";
}

def ONNX_YieldOp : ONNX_Op<"Yield", [Pure, Terminator, ReturnLike]> {
  let summary = "ends the region of a GRAPH attribute";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

#endif // LEAF_DIALECT_ONNXBASE
