// RUN: leaf-opt %s -split-input-file -verify-diagnostics

func.func @unknown_kernel(%x: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error @+1 {{unknown kernel missing}}
  %r = plan.call @missing(%x : tensor<8xf32>) outs(%x : tensor<8xf32>) -> tensor<8xf32>
  return %r : tensor<8xf32>
}

// -----

plan.kernel @k(%x: tensor<8xf32>, %o: tensor<8xf32>) -> tensor<8xf32> attributes {num_outs = 1 : i64} {
  plan.yield %o : tensor<8xf32>
}
func.func @other_shape(%x: tensor<9xf32>, %o: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error @+1 {{operand 0 is 'tensor<9xf32>', the kernel takes 'tensor<8xf32>'}}
  %r = plan.call @k(%x : tensor<9xf32>) outs(%o : tensor<8xf32>) -> tensor<8xf32>
  return %r : tensor<8xf32>
}

// -----

// expected-error @+1 {{has 1 shaped arguments for 2 destinations}}
plan.kernel @too_many_outs(%o: tensor<8xf32>) -> tensor<8xf32> attributes {num_outs = 2 : i64} {
  plan.yield %o : tensor<8xf32>
}

// -----

// expected-error @+1 {{in_place must be an array of i64}}
plan.kernel @other_type(%0: tensor<4xf32>, %1: tensor<4xf32>) -> tensor<4xf32> attributes {num_outs = 1 : i64, in_place = array<i32: 0>} {
  plan.yield %0 : tensor<4xf32>
}
