// RUN: leaf-opt %s -leaf-convert-flat-to-llvm | FileCheck %s
// RUN: leaf-opt %s -leaf-convert-flat-to-llvm=index-bitwidth=32 | FileCheck %s --check-prefix=INDEX32

// vector.fma and math.fma are fused on every target.
// CHECK-LABEL: llvm.func internal @fused(
// CHECK:         llvm.intr.fma(%arg0, %arg1, %arg2) : (vector<4xf32>, vector<4xf32>, vector<4xf32>) -> vector<4xf32>
// CHECK:         llvm.intr.fma(
// CHECK-NOT:     fmuladd
func.func private @fused(%a: vector<4xf32>, %b: vector<4xf32>, %c: vector<4xf32>, %s: f32) -> f32 {
  %0 = vector.fma %a, %b, %c : vector<4xf32>
  %1 = vector.reduction <add>, %0 : vector<4xf32> into f32
  %2 = math.fma %1, %s, %s : f32
  return %2 : f32
}

// CHECK-LABEL: llvm.func internal @math(
// CHECK:         llvm.intr.sqrt
// CHECK:         llvm.intr.floor
// CHECK:         llvm.intr.ceil
// CHECK:         llvm.intr.roundeven
// CHECK:         llvm.intr.trunc
// CHECK:         llvm.intr.fabs
// CHECK:         llvm.intr.copysign
func.func private @math(%v: vector<8xf32>) -> vector<8xf32> {
  %0 = math.sqrt %v : vector<8xf32>
  %1 = math.floor %0 : vector<8xf32>
  %2 = math.ceil %1 : vector<8xf32>
  %3 = math.roundeven %2 : vector<8xf32>
  %4 = math.trunc %3 : vector<8xf32>
  %5 = math.absf %4 : vector<8xf32>
  %6 = math.copysign %5, %v : vector<8xf32>
  return %6 : vector<8xf32>
}

// CHECK-LABEL: llvm.func internal @lanes(
// CHECK:         llvm.shufflevector {{.*}} [0, 0, 0, 0]
// CHECK:         llvm.shufflevector {{.*}} [0, 4, 1, 5]
// CHECK:         llvm.extractelement
// CHECK:         llvm.insertelement
// CHECK:         llvm.bitcast {{.*}} : vector<4xf32> to vector<4xi32>
func.func private @lanes(%s: f32, %v: vector<4xf32>, %i: index) -> vector<4xi32> {
  %0 = vector.broadcast %s : f32 to vector<4xf32>
  %1 = vector.shuffle %0, %v [0, 4, 1, 5] : vector<4xf32>, vector<4xf32>
  %2 = vector.extract %1[%i] : f32 from vector<4xf32>
  %3 = vector.insert %2, %v [1] : f32 into vector<4xf32>
  %4 = vector.bitcast %3 : vector<4xf32> to vector<4xi32>
  return %4 : vector<4xi32>
}

// CHECK-LABEL: llvm.func internal @loop(
// CHECK:         llvm.br ^[[HEAD:bb[0-9]+]](%{{.*}} : i64, f32)
// CHECK:       ^[[HEAD]](%{{.*}}: i64, %{{.*}}: f32):
// CHECK:         llvm.icmp "slt"
// CHECK:         llvm.cond_br
// INDEX32-LABEL: llvm.func internal @loop(
// INDEX32-SAME:    %arg1: i32
// INDEX32:       llvm.br ^[[HEAD:bb[0-9]+]](%{{.*}} : i32, f32)
func.func private @loop(%m: memref<?xf32>, %n: index) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%sum = %zero) -> f32 {
    %v = memref.load %m[%i] : memref<?xf32>
    %next = arith.addf %sum, %v : f32
    scf.yield %next : f32
  }
  return %r : f32
}

// CHECK-LABEL: llvm.func internal @rounding_division(
// CHECK-NOT:     arith
func.func private @rounding_division(%a: index, %b: index) -> index {
  %0 = arith.ceildivsi %a, %b : index
  %1 = arith.floordivsi %0, %b : index
  %2 = arith.ceildivui %1, %b : index
  %3 = affine.apply affine_map<(d0) -> (d0 floordiv 4 + 1)>(%2)
  return %3 : index
}

// Insertion of a dynamic lane and index arithmetic follow the width of index.
// INDEX32-LABEL: llvm.func internal @index_cast(
// INDEX32:         llvm.sext %arg0 : i32 to i64
func.func private @index_cast(%i: index) -> i64 {
  %0 = arith.index_cast %i : index to i64
  return %0 : i64
}
