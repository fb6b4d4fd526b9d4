//===- Passes.td - conversions between dialects ------------------*- tablegen -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_CONVERSION_PASSES
#define LEAFCUTTER_CONVERSION_PASSES

include "mlir/Pass/PassBase.td"

def ConvertFlatToLLVM : Pass<"leaf-convert-flat-to-llvm", "::mlir::ModuleOp"> {
  let summary = "lower the output of codegen to the LLVM dialect";
  let description = [{
    Every memref becomes one bare pointer that already includes the memref's offset; `index` becomes an integer of
    `index-bitwidth` bits everywhere, vector code included. `@main` becomes `NAME_entry`, a C function that checks its
    arguments and bounds; kernels become internal functions; `plan.launch` becomes a call, or, where there may be more
    than one tile, a call of a launcher that hands the tiles to `leaf_context.parallel_for`. Weights are erased:
    the entry reads them through `leaf_context.weights`.

    ```mlir
    func.func @main(%x: memref<8xf32>, %y: memref<8xf32> {plan.output}) {
      plan.launch @k(%x, %y : memref<8xf32>, memref<8xf32>) tiles(%c1)
    // ->
    llvm.func @NAME_entry(%ctx: !llvm.ptr, %buffers: !llvm.ptr, %dims: !llvm.ptr) -> i32 {
      … llvm.call @k(%x, %y, %null, %c0, %c1) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, i64, i64) -> ()
    ```
  }];
  let options = [
    Option<"indexBitwidth", "index-bitwidth", "unsigned", "64", "bits of index, size_t and pointers of the target">,
  ];
  let statistics = [
    Statistic<"numLaunches", "launches", "kernel launches lowered">,
    Statistic<"numLaunchers", "launchers", "kernels that may run on several workers">,
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::cf::ControlFlowDialect", "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect"];
}

def ConvertFlatToEmitC : Pass<"leaf-convert-flat-to-emitc", "::mlir::ModuleOp"> {
  let summary = "kernels and entry point, as codegen leaves them, to C in the EmitC dialect";
  let description = [{
    Each kernel becomes one static function, `@main` becomes `NAME_entry` with the ABI of leaf.h. Buffers are pointers,
    vectors GNU vectors; what C has no operator for is a call of a helper `leaf_<op>_<type>` that the C printer defines.
    A kernel that runs over several tiles also gets a launcher for `leaf_context.parallel_for`.

    ```mlir
    func.func private @k(%x: memref<?xf32>, %y: memref<?xf32> {leaf.restrict}, …) {
      %v = vector.load %x[%i] : memref<?xf32>, vector<8xf32>
    ```
    becomes
    ```mlir
    emitc.func @k(%x: !emitc.opaque<"const leaf_f32 *">, %y: !emitc.opaque<"leaf_f32 *LEAF_RESTRICT">, …) {
      %v = call_opaque "leaf_load_f32x8"(%x, %i) : … -> !emitc.opaque<"leaf_f32x8">
    ```
  }];
  let options = [Option<"vectorBytes", "vector-bytes", "unsigned", "32", "native vector width in bytes">];
  let statistics = [Statistic<"numFunctions", "num-functions", "functions converted">];
  let dependentDialects = ["::mlir::emitc::EmitCDialect", "::mlir::arith::ArithDialect"];
}

def ConvertLeafToLinalg : Pass<"leaf-convert-leaf-to-linalg", "::mlir::ModuleOp"> {
  let summary = "reference lowering of leaf ops to upstream dialects";
  let description = [{
    What `leaf.contract`, `leaf.concat` and `leaf.load_weight` mean, in `linalg.generic`, `tensor.insert_slice` and
    `arith.constant`: for tests that run a module through upstream passes and compare numbers. No stage uses it.

    ```mlir
    %w = leaf.load_weight @w : tensor<4xf32>
    ```
    becomes
    ```mlir
    %w = arith.constant dense_resource<w> : tensor<4xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

def ConvertONNXToLinalg : Pass<"leaf-convert-onnx-to-linalg", "::mlir::ModuleOp"> {
  let summary = "core ONNX operators to linalg.generic, leaf.contract and leaf.concat on tensors";
  let description = [{
    Walks @main in order. Every tensor constant becomes a `leaf.load_weight`; a Cast or DequantizeLinear of a weight
    goes into the rhs prologue of its contraction; weights of convolutions and transposed Gemms are re-laid out here;
    integer shape arithmetic becomes `arith` on index; each dynamic dimension name becomes an index argument of @main.

    ```mlir
    %1 = onnx.Relu(%0) : (tensor<1x8xf32>) -> tensor<1x8xf32>
    ```
    becomes
    ```mlir
    %1 = linalg.generic {…} ins(%0 : tensor<1x8xf32>) outs(%e : tensor<1x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %m = arith.maximumf %in, %zero : f32
      linalg.yield %m : f32
    } -> tensor<1x8xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect", "::mlir::scf::SCFDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::bufferization::BufferizationDialect", "::leaf::LeafDialect",
                           "::leaf::plan::PlanDialect"];
}

#endif // LEAFCUTTER_CONVERSION_PASSES
