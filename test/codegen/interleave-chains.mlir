// RUN: leaf-opt %s -pass-pipeline='builtin.module(func.func(leaf-interleave-chains{depth=3}))' | FileCheck %s

// Two chains between two stores: step by step, each load where its chain begins.
// CHECK-LABEL: func.func @two
// CHECK:         %[[A:.*]] = memref.load %arg0[%c0]
// CHECK-NEXT:    %[[B:.*]] = memref.load %arg0[%c1]
// CHECK-NEXT:    %[[A1:.*]] = math.sqrt %[[A]]
// CHECK-NEXT:    %[[B1:.*]] = math.sqrt %[[B]]
// CHECK-NEXT:    %[[A2:.*]] = math.absf %[[A1]]
// CHECK-NEXT:    %[[B2:.*]] = math.absf %[[B1]]
// CHECK:         arith.negf %[[A2]]
// CHECK-NEXT:    arith.negf %[[B2]]
// CHECK-NEXT:    memref.store
// CHECK-NEXT:    memref.store
func.func @two(%x: memref<2xf32>, %y: memref<2xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.load %x[%c0] : memref<2xf32>
  %a1 = math.sqrt %a : f32
  %a2 = math.absf %a1 : f32
  %a3 = arith.negf %a2 : f32
  %b = memref.load %x[%c1] : memref<2xf32>
  %b1 = math.sqrt %b : f32
  %b2 = math.absf %b1 : f32
  %b3 = arith.negf %b2 : f32
  memref.store %a3, %y[%c0] : memref<2xf32>
  memref.store %b3, %y[%c1] : memref<2xf32>
  return
}

// What reads memory after a store stays after it.
// CHECK-LABEL: func.func @store_between
// CHECK:         memref.store
// CHECK-NEXT:    memref.load
func.func @store_between(%x: memref<2xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.load %x[%c0] : memref<2xf32>
  %a1 = math.sqrt %a : f32
  %a2 = math.absf %a1 : f32
  %a3 = arith.negf %a2 : f32
  memref.store %a3, %x[%c1] : memref<2xf32>
  %b = memref.load %x[%c1] : memref<2xf32>
  %b1 = math.sqrt %b : f32
  %b2 = math.absf %b1 : f32
  %b3 = arith.negf %b2 : f32
  memref.store %b3, %x[%c1] : memref<2xf32>
  return
}
