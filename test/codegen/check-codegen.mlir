// RUN: leaf-opt %s -split-input-file -verify-diagnostics -leaf-check-codegen

func.func private @double(%0: memref<?xf64>, %s: memref<?xi8>, %b: index, %e: index) attributes {leaf.kernel} {
  %v = memref.load %0[%b] : memref<?xf64>
  // expected-error @below {{no code can be made of 'math.exp' on 'f64': this function has a formula for f32 only}}
  %x = math.exp %v : f64
  memref.store %x, %0[%b] : memref<?xf64>
  return
}

// -----

// expected-error @below {{'plan.kernel' op is left after codegen}}
plan.kernel @k(%0: tensor<8xf32>) -> tensor<8xf32> attributes {num_outs = 1 : i64} {
  plan.yield %0 : tensor<8xf32>
}
