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
  // Properties and default builders make up most of the generated code (half of 160 s), for no gain here.
  let usePropertiesForAttributes = 0;
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

def ONNX_YieldOp : ONNX_Op<"Yield", [Pure, Terminator, ReturnLike]> {
  let summary = "ends the region of a GRAPH attribute";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

#endif // LEAF_DIALECT_ONNXBASE
