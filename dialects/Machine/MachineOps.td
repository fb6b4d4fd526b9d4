//===- MachineOps.td - instructions that kernels name ------------*- tablegen -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_DIALECT_MACHINEOPS
#define LEAF_DIALECT_MACHINEOPS

include "mlir/IR/OpBase.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Machine_Dialect : Dialect {
  let name = "machine";
  let cppNamespace = "::leaf::machine";
  let summary = "Instructions of processors that no upstream dialect has in a form that both backends lower";
  let description = [{
    Kernels after codegen name dot products and tile registers by these ops. LLVM gets an intrinsic of each, C a
    function with the intrinsic of the compiler's header. See dialects/Machine/README.md.
  }];
}

class Machine_Op<string mnemonic, list<Trait> traits = []> : Op<Machine_Dialect, mnemonic, traits>;

/// Vectors, or one register of 32 bits.
def Machine_DotOperand : AnyTypeOf<[VectorOfNonZeroRankOf<[AnyType]>, I32]>;

def Machine_DotOp : Machine_Op<"dot", [Pure, AllTypesMatch<["acc", "result"]>]> {
  let summary = "acc[i] + sum over g < G of lhs[i * G + g] * rhs[i * G + g], by one instruction";
  let description = [{
    `instruction` is the mnemonic, which says how the elements are read and what the sum is: `vpdpbusd` (x86: unsigned
    times signed bytes), `vpmaddwd` (signed 16-bit pairs), `vdpbf16ps` (pairs of bfloat16, f32 sums), `sdot` and `usdot`
    (AArch64: signed, or unsigned times signed, bytes). Vectors have the width that the instruction has; G is the ratio
    of their numbers of elements. No sum saturates.

    The others are short sequences, and take a whole group of one row and one column. `smull` and `vmull` (AArch64, ARM)
    multiply 16 signed bytes and add the products, in an order of their own, to four sums that are parts of one;
    `smlal` and `vmlal` do that with one addition in 16 bits, which holds unless both elements of both pairs of bytes
    are -128. `vmladava` (Helium) adds the products of 16 signed bytes to an i32; `smlad` and `usmlad` (SIMD32 of ARM)
    those of the four bytes of an i32, signed or unsigned times signed.

    ```mlir
    %1 = machine.dot "vpdpbusd" %x, %w, %0 : vector<64xi8>, vector<64xi8>, vector<16xi32>
    %3 = machine.dot "smlad" %u, %v, %2 : i32, i32, i32
    ```
  }];
  let arguments = (ins StrAttr:$instruction, Machine_DotOperand:$lhs, Machine_DotOperand:$rhs, Machine_DotOperand:$acc);
  let results = (outs Machine_DotOperand:$result);
  let assemblyFormat = [{
    $instruction $lhs `,` $rhs `,` $acc attr-dict `:` type($lhs) `,` type($rhs) `,` type($acc)
  }];
  let hasVerifier = 1;
}

def Machine_SaturateOp : Machine_Op<"saturate", [Pure]> {
  let summary = "round_half_even(value) + zero, saturated to `bits` bits, by ARM's float unit and DSP instructions";
  let description = [{
    `bits` is 8 or 16. The rounded number saturates at the ends of i32 first, as the sum does. No number has no result.

    ```mlir
    %1 = machine.saturate %0 zero -128 bits 8 signed true : f32 -> i32
    ```
  }];
  let arguments = (ins F32:$value, I64Attr:$zero, I64Attr:$bits, BoolAttr:$is_signed);
  let results = (outs I32:$result);
  let assemblyFormat = [{
    $value `zero` $zero `bits` $bits `signed` $is_signed attr-dict `:` type($value) `->` type($result)
  }];
}

def Machine_LoadWordOp : Machine_Op<"load_word", [MemoryEffects<[MemRead]>]> {
  let summary = "the 32 bits at element `index` of a buffer of bytes or bfloat16, of any alignment";
  let arguments = (ins AnyMemRef:$memref, Index:$index);
  let results = (outs I32:$result);
  let assemblyFormat = "$memref `[` $index `]` attr-dict `:` type($memref)";
  let hasFolder = 1;
}

def Machine_RequestTilesOp : Machine_Op<"request_tiles", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "asks Linux for the tile registers of AMX; false where it does not give them";
  let description = [{
    A process has them only from its first request on; further ones cost about 100 ns. The entry of a model with kernels
    that use tile registers asks at each run, so that its caller needs no call for it.
  }];
  let results = (outs I1:$result);
  let assemblyFormat = "attr-dict";
}

def Machine_TileConfigOp : Machine_Op<"tile_config", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "sets the shapes of the tile registers of AMX";
  let description = [{
    Register t has `rows[t]` rows of `row_bytes[t]` bytes (at most 16 and 64); its content becomes zero. The 64 bytes of
    the configuration are written to `buffer` at element 0 first. Without `rows` all registers are released: a kernel
    does that before it returns.

    ```mlir
    machine.tile_config %scratch rows [16, 16, 16] row_bytes [64, 64, 64] : memref<?xi8>
    ```
  }];
  let arguments = (ins AnyMemRef:$buffer, DenseI64ArrayAttr:$rows, DenseI64ArrayAttr:$row_bytes);
  let assemblyFormat = "$buffer `rows` $rows `row_bytes` $row_bytes attr-dict `:` type($buffer)";
  let hasFolder = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The 64 bytes that the instruction reads: palette 1, 16-bit row_bytes from byte 16 on, rows from byte 48 on.
    ::llvm::SmallVector<int8_t> getConfiguration();
  }];
}

def Machine_TileZeroOp : Machine_Op<"tile_zero", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "clears a tile register of AMX";
  let arguments = (ins I64Attr:$tile);
  let assemblyFormat = "$tile attr-dict";
}

class Machine_TileMoveOp<string mnemonic> : Machine_Op<mnemonic, [MemoryEffects<[MemRead, MemWrite]>]> {
  let description = "Row r lies at element `index`, plus r times `stride` bytes.";
  let arguments = (ins I64Attr:$tile, AnyMemRef:$memref, Index:$index, Index:$stride);
  let assemblyFormat = "$tile `,` $memref `[` $index `]` `stride` $stride attr-dict `:` type($memref)";
  let hasFolder = 1;
}

def Machine_TileLoadOp : Machine_TileMoveOp<"tile_load"> { let summary = "loads a tile register of AMX"; }

def Machine_TileStoreOp : Machine_TileMoveOp<"tile_store"> { let summary = "stores a tile register of AMX"; }

def Machine_TileDotOp : Machine_Op<"tile_dot", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "acc[m][n] += sum over k, g of lhs[m][k * G + g] * rhs[k][n * G + g], on tile registers of AMX";
  let description = [{
    `instruction` is one of tdpbssd, tdpbsud, tdpbusd, tdpbuud (bytes, G = 4, i32 sums) and tdpbf16ps (bfloat16, G = 2,
    f32 sums).
  }];
  let arguments = (ins StrAttr:$instruction, I64Attr:$acc, I64Attr:$lhs, I64Attr:$rhs);
  let assemblyFormat = "$instruction $acc `,` $lhs `,` $rhs attr-dict";
}

#endif // LEAF_DIALECT_MACHINEOPS
