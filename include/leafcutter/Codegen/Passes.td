//===- Passes.td - kernels to loops over native vectors ----------*- tablegen -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_CODEGEN_PASSES
#define LEAFCUTTER_CODEGEN_PASSES

include "mlir/Pass/PassBase.td"

def ApplyTuning : Pass<"leaf-apply-tuning", "::mlir::ModuleOp"> {
  let summary = "note measured choices on contractions";
  let description = [{
    Reads a tuning file (`leafc --tune=FILE`, include/leafcutter/Codegen/Tuning.h) and puts what it says about a
    contraction's shape on the op: which of Winograd's algorithms, rows and vectors of the register tile, bytes of a
    block, one thread or several. leaf-choose-winograd and leaf-emit-kernels ask for it before their cost models. Also
    notes the shape itself, before it is packed, so that the pass can run again for another target.

    ```mlir
    leaf.contract … {indexing_maps = …}                                                             // before
    leaf.contract … {indexing_maps = …, leaf.tuning = {rows = 6 : i64, vectors = 4 : i64},
                     leaf.tuning_key = "loops 128 384 sum 1536; lhs f32 d0,d2; …"}                  // after
    ```
  }];
  let options = [
    Option<"file", "file", "std::string", "\"\"", "The tuning file; empty: shapes are noted only">,
    Option<"target", "target", "std::string", "\"\"", "What the file calls the target">
  ];
  let statistics = [Statistic<"numTuned", "tuned contractions", "Contractions that the file has a choice for">];
  let dependentDialects = ["::leaf::LeafDialect"];
}

def SpecializeKernels : Pass<"leaf-specialize-kernels", "::mlir::ModuleOp"> {
  let summary = "give kernels a clone for each layout that calls pass, and mark arguments that nothing else overlaps";
  let description = [{
    Kernels are on tensors, so a buffer with static strides (a slice of a KV cache at capacity) is known at the call
    only. Calls are grouped by the layouts of their operands; each group but the first gets a clone of the kernel.
    Strides that are not those of a dense buffer go to argument attribute `leaf.strides`. An argument is marked
    `leaf.restrict` where, at all calls of the group, what is written through it overlaps no other operand.

    ```mlir
    plan.call @k(%cache : memref<1x4x?x16xf32, strided<[4096, 1024, 16, 1]>>) outs(…)      // before
    plan.kernel @k(%0: tensor<1x4x?x16xf32> {leaf.strides = array<i64: 4096, 1024, 16, 1>}, …)  // after
    ```
  }];
  let statistics = [Statistic<"numClones", "kernels cloned", "Kernels cloned for another layout">];
  let dependentDialects = ["::leaf::plan::PlanDialect"];
}

def EmitKernels : Pass<"leaf-emit-kernels", "::mlir::ModuleOp"> {
  let summary = "emit the body of each plan.kernel as loops over native vectors, and make calls into launches";
  let description = [{
    Each kernel becomes a function on rank-1 memrefs with a scratch argument, its sizes and the range of tiles to run;
    each `plan.call` a `plan.launch` with the number of tiles. Contractions get micro-kernels with accumulators in
    registers, elementwise ops and reductions one vector loop. Sizes that are equal in a kernel are one argument.
    A function's `leaf.cost` is an estimate of its operations and bytes; a kernel that takes less than
    `least-microseconds` by it, at the rates given, is launched on the calling thread (`plan.serial`). For several
    `workers` so are launches between which data would move from core to core for longer than threads gain, and the
    outermost tiles are rows of images or matrices where that pays, as many for each worker: a worker then reads what it
    wrote itself in the kernel before.
    Module attribute `leaf.scalar_kernels` names kernels that stayed scalar on a target with vectors.

    ```mlir
    plan.kernel @k(%0: tensor<8xf32>, %1: tensor<8xf32>) -> tensor<8xf32> { … linalg.generic … }       // before
    func.func private @k(%0: memref<?xf32>, %1: memref<?xf32>, %s: memref<?xi8>, %b: index, %e: index) // after
    ```
  }];
  let options = [
    Option<"vectorBytes", "vector-bytes", "int64_t", "32", "Native vector width in bytes; 0: scalar code">,
    Option<"registers", "registers", "int64_t", "16", "Vector (or scalar float) registers">,
    Option<"fma", "fma", "bool", "true", "Fused multiply-add in hardware">,
    Option<"leastMicroseconds", "least-microseconds", "int64_t", "0", "Below it on one thread; -1: all are">,
    Option<"operationsPerMicrosecond", "operations-per-microsecond", "int64_t", "20000", "Rate for that estimate">,
    Option<"bytesPerMicrosecond", "bytes-per-microsecond", "int64_t", "20000", "Rate for that estimate">,
    Option<"workers", "workers", "int64_t", "1", "Threads that tiles are made for">,
    Option<"l2Bytes", "l2-bytes", "int64_t", "524288", "Second level cache of a core">,
    Option<"dot", "dot", "std::string", "\"\"", "Instruction for dot products of bytes: vpdpbusd, vpmaddwd, or none">,
    Option<"bf16Dot", "bf16-dot", "std::string", "\"\"", "Instruction for dot products of bfloat16 (vdpbf16ps)">,
    Option<"amxInt8", "amx-int8", "bool", "false", "Tile registers with dot products of bytes">,
    Option<"amxBf16", "amx-bf16", "bool", "false", "Tile registers with dot products of bfloat16">
  ];
  let statistics = [
    Statistic<"numSerial", "serial kernels", "Kernels that run on the calling thread">,
    Statistic<"numKernels", "kernels", "Kernels emitted">,
    Statistic<"numScalar", "scalar kernels", "Kernels that stayed scalar on a target with vectors">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
    "::leaf::machine::MachineDialect", "::leaf::plan::PlanDialect"
  ];
}

def PlaceScratch : Pass<"leaf-place-scratch", "::mlir::ModuleOp"> {
  let summary = "append the scratch of kernels to the arena";
  let description = [{
    Kernels run one after another, so one slot behind the arena serves all launches: the largest scratch of any kernel
    for each of the workers, of which module attribute `plan.max_workers` tells the number where it is not 1.

    ```mlir
    plan.launch @k(…) tiles(%n) {scratch_bytes = 256 : i64}                                  // before
    %s = plan.slot 4096 bytes 256 : memref<256xi8>                                           // after
    plan.launch @k(…) scratch(%s : memref<256xi8>) tiles(%n) {scratch_bytes = 256 : i64}
    ```
  }];
  let options = [Option<"maxThreads", "max-threads", "unsigned", "1", "Workers that scratch is reserved for">];
  let statistics = [Statistic<"scratchBytes", "scratch bytes", "Bytes of scratch appended to the arena">];
  let dependentDialects = ["::leaf::plan::PlanDialect", "::mlir::memref::MemRefDialect"];
}

def ExpandMath : Pass<"leaf-expand-math"> {
  let summary = "replace math functions and ops that would become calls by arithmetic";
  let description = [{
    exp and erf get formulas of our own, rarer functions upstream's polynomials, minimum and maximum a compare and a
    select with the same treatment of NaN. What the target has no instruction for (fused multiply-add, rounding, square
    root, f16 conversion) is made of what it has. Where it has a fused multiply-add, a product that is added once
    becomes one, and vectors divided by a constant scale (QuantizeLinear) are multiplied by its reciprocal and
    corrected, which gives the same bits.

    ```mlir
    %m = arith.maximumf %x, %zero : vector<8xf32>                                           // before
    %c = arith.cmpf ogt, %zero, %x : vector<8xf32>
    %m = arith.select %c, %zero, %x : vector<8xi1>, vector<8xf32>                           // after
    ```
  }];
  let options = [
    Option<"fma", "fma", "bool", "true", "Fused multiply-add in hardware">,
    Option<"roundInstructions", "round-instructions", "bool", "true", "floor, ceil, roundeven, trunc in hardware">,
    Option<"sqrtInstruction", "sqrt-instruction", "bool", "true", "Square root in hardware">,
    Option<"f16Conversion", "f16-conversion", "bool", "true", "f16 to and from f32 in hardware">,
    Option<"quickDivision", "quick-division", "bool", "false",
           "Divisions hide behind other work, as on x86-64 (seven operations instead of one took a convolution that is "
           "quantized up to twice the time)">
  ];
  let statistics = [Statistic<"numExpanded", "expanded", "Ops expanded">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"
  ];
}

def InterleaveChains : Pass<"leaf-interleave-chains", "::mlir::func::FuncOp"> {
  let summary = "Puts independent long formulas side by side";
  let description = [{
    The emitter writes an epilogue for several vectors one after another. Where that is long (an exponential, say), the
    processor's window holds too few of these chains at a time, and waits for results. Between two ops that write
    memory, ops are ordered by how many others they wait for, so that step k of all chains comes before step k + 1.

    ```mlir
    %a0 = f(%a)   %a1 = g(%a0)   %b0 = f(%b)   %b1 = g(%b0)
    // becomes
    %a0 = f(%a)   %b0 = f(%b)   %a1 = g(%a0)   %b1 = g(%b0)
    ```
  }];
  let options = [Option<"depth", "depth", "unsigned", "16", "shortest chain that is worth it, in ops">];
  let statistics = [Statistic<"numSegments", "segments", "Number of straight lines that were ordered anew">];
}

def CheckCodegen : Pass<"leaf-check-codegen", "::mlir::ModuleOp"> {
  let summary = "check the contract of stage codegen";
  let description = [{
    Fails where a kernel holds an op or a type that the emitters do not lower, or where a kernel or call on tensors is
    left. docs/Architecture.md has the list.
  }];
}

#endif // LEAFCUTTER_CODEGEN_PASSES
