// RUN: leaf-opt %s -leaf-expand-math | FileCheck %s
// RUN: leaf-opt %s -leaf-expand-math='quick-division=true' | FileCheck %s --check-prefix=QUICK
// RUN: leaf-opt %s -leaf-expand-math='fma=false round-instructions=false sqrt-instruction=false f16-conversion=false' | FileCheck %s --check-prefix=BARE

// A limit that is a number takes one compare and one select, in the order of x86's maxps.
// CHECK-LABEL: func.func @relu
// CHECK-SAME:    %[[X:.*]]: vector<8xf32>
// CHECK:         %[[Z:.*]] = arith.constant dense<0.000000e+00>
// CHECK:         %[[C:.*]] = arith.cmpf ogt, %[[Z]], %[[X]]
// CHECK:         %[[R:.*]] = arith.select %[[C]], %[[Z]], %[[X]]
// CHECK:         return %[[R]]
func.func @relu(%x: vector<8xf32>) -> vector<8xf32> {
  %z = arith.constant dense<0.0> : vector<8xf32>
  %m = arith.maximumf %x, %z : vector<8xf32>
  return %m : vector<8xf32>
}

// Where it does not matter which operand a NaN gives, one comparison is enough.
// CHECK-LABEL: func.func @largest
// CHECK-NEXT:    arith.cmpf ogt, %arg1, %arg0
// CHECK-NEXT:    arith.select %{{.*}}, %arg1, %arg0
// CHECK-NEXT:    return
func.func @largest(%x: vector<8xf32>, %y: vector<8xf32>) -> vector<8xf32> {
  %m = arith.maxnumf %x, %y fastmath<nnan> : vector<8xf32>
  return %m : vector<8xf32>
}

// No function is left.
// CHECK-LABEL: func.func @functions
// CHECK-NOT:     math.{{exp|erf|tanh|log|powf|sin|rsqrt|fpowi}}
// CHECK:         math.fma
// CHECK:         return
// BARE-LABEL: func.func @functions
// BARE-NOT:     math.{{exp|erf|tanh|log|powf|sin|rsqrt|fpowi|fma|sqrt|floor|ceil|roundeven|trunc}}
// BARE:         return
func.func @functions(%x: vector<4xf32>) -> vector<4xf32> {
  %0 = math.exp %x : vector<4xf32>
  %1 = math.erf %0 : vector<4xf32>
  %2 = math.tanh %1 : vector<4xf32>
  %3 = math.log %2 : vector<4xf32>
  %4 = math.powf %3, %2 : vector<4xf32>
  %5 = math.sin %4 : vector<4xf32>
  %6 = math.rsqrt %5 : vector<4xf32>
  %7 = math.floor %6 : vector<4xf32>
  %8 = math.ceil %7 : vector<4xf32>
  %9 = math.roundeven %8 : vector<4xf32>
  %10 = math.sqrt %9 : vector<4xf32>
  return %10 : vector<4xf32>
}

// A product that is added once becomes a fused multiply-add.
// CHECK-LABEL: func.func @contract
// CHECK:         math.fma
// CHECK-NOT:     arith.mulf
// BARE-LABEL: func.func @contract
// BARE:         arith.mulf
// BARE:         arith.addf
func.func @contract(%x: f32, %y: f32, %z: f32) -> f32 {
  %p = arith.mulf %x, %y : f32
  %s = arith.addf %z, %p : f32
  return %s : f32
}

// CHECK-LABEL: func.func @half
// CHECK:         arith.extf
// BARE-LABEL: func.func @half
// BARE-NOT:     arith.extf
// BARE-NOT:     arith.truncf
// BARE:         return
func.func @half(%x: f16) -> f16 {
  %w = arith.extf %x : f16 to f32
  %p = arith.mulf %w, %w : f32
  %h = arith.truncf %p : f32 to f16
  return %h : f16
}

// CHECK-LABEL: func.func @elements
// CHECK:         vector.broadcast
// CHECK:         vector.insert
// CHECK-NOT:     vector.from_elements
func.func @elements(%x: f32, %y: f32) -> vector<2xf32> {
  %v = vector.from_elements %x, %y : vector<2xf32>
  return %v : vector<2xf32>
}

// A quotient that saturates: the divisor's reciprocal, and two corrections by the exact remainder. Without a fused
// multiply-add there is no exact remainder.
// CHECK-LABEL: func.func @saturated_quotient
// CHECK-NOT:     arith.divf
// CHECK:         %[[Q:.*]] = arith.mulf
// CHECK:         %[[R:.*]] = math.fma %[[Q]], %{{.*}}, %[[X:.*]] :
// CHECK:         %[[Q1:.*]] = math.fma %[[R]], %{{.*}}, %[[Q]]
// CHECK:         %[[R1:.*]] = math.fma %[[Q1]], %{{.*}}, %[[X]]
// CHECK:         math.fma %[[R1]], %{{.*}}, %[[Q1]]
// QUICK-LABEL: func.func @saturated_quotient
// QUICK:         arith.divf %{{.*}}, %{{.*}} : vector<8xf32>
// BARE-LABEL: func.func @saturated_quotient
// BARE:         arith.divf %{{.*}}, %{{.*}} : vector<8xf32>
func.func @saturated_quotient(%x: vector<8xf32>) -> vector<8xf32> {
  %s = arith.constant dense<0.3> : vector<8xf32>
  %q = arith.divf %x, %s {leaf.saturates} : vector<8xf32>
  return %q : vector<8xf32>
}

// Other quotients, and those by tiny scales, are divided.
// CHECK-LABEL: func.func @quotients
// CHECK-COUNT-2: arith.divf
func.func @quotients(%x: vector<8xf32>) -> (vector<8xf32>, vector<8xf32>) {
  %s = arith.constant dense<0.3> : vector<8xf32>
  %t = arith.constant dense<1.0e-30> : vector<8xf32>
  %q = arith.divf %x, %s : vector<8xf32>
  %r = arith.divf %x, %t {leaf.saturates} : vector<8xf32>
  return %q, %r : vector<8xf32>, vector<8xf32>
}
