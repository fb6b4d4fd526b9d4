//===- TargetModels.h - hand-written output of codegen -----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_TEST_UNIT_TARGETMODELS_H
#define LEAFCUTTER_TEST_UNIT_TARGETMODELS_H

namespace leaf::test {

/// y[i] = 2 * x[i] + w[i] with w = 0.5 for the n <= 16 elements of each of 3 tiles, by way of the arena and of scratch;
/// n must be even. Returns n + 1. Scalar code for every target.
inline constexpr const char *kScale = R"mlir(
module attributes {leaf.model = "scale", leaf.bounds = {n = 16 : i64}, plan.arena_bytes = 512 : i64,
                   plan.arena_align = 64 : i64, plan.weight_bytes = 256 : i64} {
  leaf.weight @w = dense<0.5> : tensor<48xf32> {plan.offset = 64 : i64}
  func.func @main(%x: memref<3x16xf32> {leaf.name = "x"}, %y: memref<48xf32> {leaf.name = "y", plan.output},
                  %n: index {leaf.dim = "n"}) -> (index {leaf.name = "m"}) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %size = leaf.bound %n, 16
    %w = leaf.load_weight @w : memref<48xf32>
    %s = plan.slot 64 bytes 192 : memref<48xf32>
    %scratch = plan.slot 256 bytes 256 : memref<256xi8>
    %rest = arith.remui %size, %c2 : index
    %even = arith.cmpi eq, %rest, %c0 : index
    plan.require %even, "n must be even"
    %flat = memref.collapse_shape %x [[0, 1]] : memref<3x16xf32> into memref<48xf32>
    plan.launch @double(%flat, %s : memref<48xf32>, memref<48xf32>) sizes(%size) tiles(%c3)
    plan.launch @add(%s, %w, %y : memref<48xf32>, memref<48xf32>, memref<48xf32>)
      scratch(%scratch : memref<256xi8>) sizes(%size) tiles(%c3) {scratch_bytes = 64 : i64}
    %more = arith.addi %size, %c1 : index
    return %more : index
  }
  func.func private @double(%x: memref<?xf32>, %y: memref<?xf32> {leaf.restrict}, %scratch: memref<?xi8>, %n: index,
                            %begin: index, %end: index) attributes {leaf.kernel} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c16 = arith.constant 16 : index
    %two = arith.constant 2.0 : f32
    scf.for %t = %begin to %end step %c1 {
      %row = arith.muli %t, %c16 : index
      scf.for %i = %c0 to %n step %c1 {
        %at = arith.addi %row, %i : index
        %v = memref.load %x[%at] : memref<?xf32>
        %d = arith.mulf %v, %two : f32
        memref.store %d, %y[%at] : memref<?xf32>
      }
    }
    return
  }
  func.func private @add(%x: memref<?xf32>, %w: memref<?xf32>, %y: memref<?xf32> {leaf.restrict},
                         %scratch: memref<?xi8>, %n: index, %begin: index, %end: index) attributes {leaf.kernel} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c16 = arith.constant 16 : index
    %tmp = memref.view %scratch[%c0][%c16] : memref<?xi8> to memref<?xf32>
    scf.for %t = %begin to %end step %c1 {
      %row = arith.muli %t, %c16 : index
      scf.for %i = %c0 to %n step %c1 {
        %at = arith.addi %row, %i : index
        %v = memref.load %w[%at] : memref<?xf32>
        memref.store %v, %tmp[%i] : memref<?xf32>
      }
      scf.for %i = %c0 to %n step %c1 {
        %at = arith.addi %row, %i : index
        %v = memref.load %x[%at] : memref<?xf32>
        %a = memref.load %tmp[%i] : memref<?xf32>
        %r = arith.addf %v, %a : f32
        memref.store %r, %y[%at] : memref<?xf32>
      }
    }
    return
  }
}
)mlir";

} // namespace leaf::test

#endif // LEAFCUTTER_TEST_UNIT_TARGETMODELS_H
