// RUN: leaf-opt %s -leaf-convert-flat-to-emitc | FileCheck %s

// True is 1 in a scalar of C and -1 in a lane. Where the order of the predicate is the other one, operands are swapped.

module attributes {leaf.model = "tiny", plan.arena_bytes = 0 : i64, plan.arena_align = 64 : i64,
                   plan.weight_bytes = 0 : i64} {
  func.func @main() {
    return
  }
  // CHECK: emitc.func @compare
  func.func private @compare(%in: memref<?xf32>, %out: memref<?xf32>, %scratch: memref<?xi8>, %begin: index, %end: index)
      attributes {leaf.kernel, nodes = ["greater"]} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant 0.0 : f32
    %x = memref.load %in[%c0] : memref<?xf32>
    // CHECK-DAG: %[[A:.*]] = cmp gt, %{{.*}}, %{{.*}} : (f32, f32) -> i1
    // CHECK-DAG: %[[B:.*]] = cmp lt, %{{.*}}, %{{.*}} : (f32, f32) -> i1
    %a = arith.cmpf ogt, %x, %zero : f32
    %b = arith.cmpf olt, %x, %zero : f32
    // CHECK: cmp gt, %[[A]], %[[B]] : (i1, i1) -> i1
    %u = arith.cmpi ugt, %a, %b : i1
    // CHECK: cmp gt, %[[B]], %[[A]] : (i1, i1) -> i1
    %s = arith.cmpi sgt, %a, %b : i1
    %both = arith.xori %u, %s : i1
    %r = arith.uitofp %both : i1 to f32
    memref.store %r, %out[%c0] : memref<?xf32>
    %zeros = arith.constant dense<0.0> : vector<8xf32>
    %v = vector.load %in[%c0] : memref<?xf32>, vector<8xf32>
    // CHECK-DAG: %[[VA:.*]] = cmp gt, %{{.*}}, %{{.*}} : (!emitc.opaque<"leaf_f32x8">
    // CHECK-DAG: %[[VB:.*]] = cmp lt, %{{.*}}, %{{.*}} : (!emitc.opaque<"leaf_f32x8">
    %va = arith.cmpf ogt, %v, %zeros : vector<8xf32>
    %vb = arith.cmpf olt, %v, %zeros : vector<8xf32>
    // CHECK: cmp gt, %[[VB]], %[[VA]]
    %vu = arith.cmpi ugt, %va, %vb : vector<8xi1>
    // CHECK: cmp gt, %[[VA]], %[[VB]]
    %vs = arith.cmpi sgt, %va, %vb : vector<8xi1>
    %vboth = arith.xori %vu, %vs : vector<8xi1>
    %vr = arith.uitofp %vboth : vector<8xi1> to vector<8xf32>
    vector.store %vr, %out[%c0] : memref<?xf32>, vector<8xf32>
    return
  }
}
