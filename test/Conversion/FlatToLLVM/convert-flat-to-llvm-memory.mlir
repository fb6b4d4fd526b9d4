// RUN: leaf-opt %s -leaf-convert-flat-to-llvm | FileCheck %s

// CHECK-LABEL: llvm.func internal @scalar(
// CHECK:         %[[A:.*]] = llvm.getelementptr inbounds %arg0[%arg1] : (!llvm.ptr, i64) -> !llvm.ptr, f32
// CHECK:         %[[V:.*]] = llvm.load %[[A]] {alignment = 4 : i64} : !llvm.ptr -> f32
// CHECK:         llvm.store %[[V]], %{{.*}} {alignment = 4 : i64} : f32, !llvm.ptr
func.func private @scalar(%m: memref<?xf32>, %i: index, %j: index) {
  %v = memref.load %m[%i] : memref<?xf32>
  memref.store %v, %m[%j] : memref<?xf32>
  return
}

// Vectors are only as aligned as their elements.
// CHECK-LABEL: llvm.func internal @vectors(
// CHECK:         llvm.load %{{.*}} {alignment = 2 : i64} : !llvm.ptr -> vector<8xf16>
// CHECK:         llvm.store %{{.*}}, %{{.*}} {alignment = 2 : i64} : vector<8xf16>, !llvm.ptr
func.func private @vectors(%m: memref<?xf16>, %i: index, %j: index) {
  %v = vector.load %m[%i] : memref<?xf16>, vector<8xf16>
  vector.store %v, %m[%j] : memref<?xf16>, vector<8xf16>
  return
}

// CHECK-LABEL: llvm.func internal @masked(
// CHECK:         llvm.intr.masked.load %{{.*}}, %arg2, %arg3 {alignment = 4 : i32}
// CHECK:         llvm.intr.masked.store %{{.*}}, %{{.*}}, %arg2 {alignment = 4 : i32}
func.func private @masked(%m: memref<?xf32>, %i: index, %mask: vector<8xi1>, %pass: vector<8xf32>) {
  %v = vector.maskedload %m[%i], %mask, %pass : memref<?xf32>, vector<8xi1>, vector<8xf32> into vector<8xf32>
  vector.maskedstore %m[%i], %mask, %v : memref<?xf32>, vector<8xi1>, vector<8xf32>
  return
}

// CHECK-LABEL: llvm.func internal @view(
// CHECK:         %[[V:.*]] = llvm.getelementptr inbounds %arg0[%arg1] : (!llvm.ptr, i64) -> !llvm.ptr, i8
// CHECK:         llvm.load %[[V]] {alignment = 4 : i64} : !llvm.ptr -> f32
func.func private @view(%scratch: memref<?xi8>, %offset: index, %size: index) -> f32 {
  %c0 = arith.constant 0 : index
  %v = memref.view %scratch[%offset][%size] : memref<?xi8> to memref<?xf32>
  %r = memref.load %v[%c0] : memref<?xf32>
  return %r : f32
}

// Booleans take a byte.
// CHECK-LABEL: llvm.func internal @boolean(
// CHECK:         %[[B:.*]] = llvm.load %{{.*}} {alignment = 1 : i64} : !llvm.ptr -> i8
// CHECK:         %[[V:.*]] = llvm.trunc %[[B]] : i8 to i1
// CHECK:         %[[W:.*]] = llvm.zext %[[V]] : i1 to i8
// CHECK:         llvm.store %[[W]]
func.func private @boolean(%m: memref<4xi1>, %i: index) {
  %v = memref.load %m[%i] : memref<4xi1>
  memref.store %v, %m[%i] : memref<4xi1>
  return
}

// Static strides; the pointer already includes the layout's offset.
// CHECK-LABEL: llvm.func internal @strided(
// CHECK:         %[[C:.*]] = llvm.mlir.constant(16 : i64)
// CHECK:         %[[R:.*]] = llvm.mul %arg1, %[[C]] overflow<nsw>
// CHECK:         %[[I:.*]] = llvm.add %[[R]], %arg2 overflow<nsw>
// CHECK:         llvm.getelementptr inbounds %arg0[%[[I]]]
func.func private @strided(%m: memref<2x8xf32, strided<[16, 1], offset: 32>>, %i: index, %j: index) -> f32 {
  %v = memref.load %m[%i, %j] : memref<2x8xf32, strided<[16, 1], offset: 32>>
  return %v : f32
}

// CHECK-LABEL: llvm.func internal @subview(
// CHECK:         %[[C:.*]] = llvm.mlir.constant(8 : i64)
// CHECK:         %[[R:.*]] = llvm.mul %arg1, %[[C]]
// CHECK:         %[[P:.*]] = llvm.getelementptr inbounds %arg0[%[[R]]]
// CHECK:         llvm.return %[[P]]
func.func private @subview(%m: memref<4x8xf32>, %row: index) -> memref<1x8xf32, strided<[8, 1], offset: ?>> {
  %v = memref.subview %m[%row, 0] [1, 8] [1, 1] : memref<4x8xf32> to memref<1x8xf32, strided<[8, 1], offset: ?>>
  return %v : memref<1x8xf32, strided<[8, 1], offset: ?>>
}

// CHECK-LABEL: llvm.func internal @reshapes(
// CHECK-NEXT:    llvm.return %arg0
func.func private @reshapes(%m: memref<4x8xf32>) -> memref<?xf32> {
  %e = memref.expand_shape %m [[0, 1], [2]] output_shape [2, 2, 8] : memref<4x8xf32> into memref<2x2x8xf32>
  %c = memref.collapse_shape %e [[0, 1, 2]] : memref<2x2x8xf32> into memref<32xf32>
  %d = memref.cast %c : memref<32xf32> to memref<?xf32>
  return %d : memref<?xf32>
}

// CHECK-LABEL: llvm.func internal @reinterpret(
// CHECK:         llvm.getelementptr inbounds %arg0[%arg1] : (!llvm.ptr, i64) -> !llvm.ptr, f32
func.func private @reinterpret(%m: memref<32xf32>, %at: index) -> memref<8xf32, strided<[1], offset: ?>> {
  %r = memref.reinterpret_cast %m to offset: [%at], sizes: [8], strides: [1]
    : memref<32xf32> to memref<8xf32, strided<[1], offset: ?>>
  return %r : memref<8xf32, strided<[1], offset: ?>>
}

// CHECK-LABEL: llvm.func internal @prefetch(
// CHECK:         "llvm.intr.prefetch"
func.func private @prefetch(%m: memref<?xf32>, %i: index) {
  memref.prefetch %m[%i], read, locality<3>, data : memref<?xf32>
  return
}
