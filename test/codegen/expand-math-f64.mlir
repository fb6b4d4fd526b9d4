// RUN: leaf-opt %s -leaf-expand-math='fma=true round-instructions=true' | FileCheck %s

// Functions of f64 become arithmetic on f64 and 64-bit integers, on vectors too.
// CHECK-LABEL: func.func private @double
// CHECK-NOT: math.exp
// CHECK: arith.fptosi %{{.*}} : vector<4xf64> to vector<4xi64>
// CHECK-COUNT-13: math.fma %{{.*}} : vector<4xf64>
// CHECK: arith.shli %{{.*}} : vector<4xi64>
// CHECK-NOT: math.log
// CHECK: arith.bitcast %{{.*}} : vector<4xf64> to vector<4xi64>
// CHECK: arith.divf %{{.*}} : vector<4xf64>
// CHECK: return
func.func private @double(%x: vector<4xf64>) -> vector<4xf64> {
  %0 = math.exp %x : vector<4xf64>
  %1 = math.log %0 : vector<4xf64>
  return %1 : vector<4xf64>
}
