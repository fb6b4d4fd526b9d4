// RUN: leaf-opt %s -split-input-file -verify-diagnostics -leaf-check-form

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{is not allowed in @main after form}}
  %0 = math.exp %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

plan.kernel @k(%x: tensor<4xf32>, %o: tensor<4xf32>) -> tensor<4xf32> attributes {num_outs = 1 : i64} {
  // expected-error @below {{is not allowed in a kernel}}
  %0 = math.exp %x : tensor<4xf32>
  plan.yield %0 : tensor<4xf32>
}
