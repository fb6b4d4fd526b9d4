// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=16 registers=32 dot=sdot' -canonicalize -cse | FileCheck %s --check-prefix=VECTOR
// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=0 registers=32 dot=smlad' -canonicalize -cse | FileCheck %s --check-prefix=SCALAR

#id = affine_map<(i) -> (i)>

// Clamped, then rounded by the addition of 1.5 * 2^23. An odd zero point is added afterwards, for it would turn ties the
// other way.
// VECTOR-LABEL: func.func private @quantize(
// VECTOR-NOT:     math.roundeven
// VECTOR:         arith.maximumf
// VECTOR:         arith.minimumf
// VECTOR:         arith.addf %{{.*}} : vector<4xf32>
// VECTOR:         arith.bitcast %{{.*}} : vector<4xf32> to vector<4xi32>
// VECTOR:         arith.trunci %{{.*}} : vector<4xi32> to vector<4xi8>
// VECTOR:         arith.addi %{{.*}} : vector<4xi8>

// SCALAR-LABEL: func.func private @quantize(
// SCALAR-NOT:     math.roundeven
// SCALAR:         machine.saturate %{{.*}} zero 3 bits 8 signed true : f32 -> i32
plan.kernel @quantize(%0: tensor<64xf32>, %1: tensor<64xi8>) -> tensor<64xi8> attributes {num_outs = 1 : i64} {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%0 : tensor<64xf32>) outs(%1 : tensor<64xi8>) {
  ^bb0(%x: f32, %o: i8):
    %zero = arith.constant 3.0 : f32
    %low = arith.constant -128.0 : f32
    %high = arith.constant 127.0 : f32
    %a = math.roundeven %x : f32
    %b = arith.addf %a, %zero : f32
    %c = arith.maximumf %b, %low : f32
    %d = arith.minimumf %c, %high : f32
    %e = arith.fptosi %d : f32 to i32
    %f = arith.trunci %e : i32 to i8
    linalg.yield %f : i8
  } -> tensor<64xi8>
  plan.yield %r : tensor<64xi8>
}
func.func @main(%x: memref<64xf32>, %o: memref<64xi8>) {
  plan.call @quantize(%x : memref<64xf32>) outs(%o : memref<64xi8>)
  return
}
