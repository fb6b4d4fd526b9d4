// RUN: leaf-opt %s -split-input-file -verify-diagnostics

func.func @unknown_weight() -> tensor<4xf32> {
  // expected-error @+1 {{refers to unknown weight @missing}}
  %w = leaf.load_weight @missing : tensor<4xf32>
  return %w : tensor<4xf32>
}

// -----

leaf.weight @w = dense<0.0> : tensor<4xf32>
func.func @other_type() -> tensor<5xf32> {
  // expected-error @+1 {{does not match the weight's 'tensor<4xf32>'}}
  %w = leaf.load_weight @w : tensor<5xf32>
  return %w : tensor<5xf32>
}

// -----

func.func @too_few_maps(%x: tensor<4x3xf32>, %w: tensor<3x8xf32>, %o: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-error @+1 {{expects one indexing map per operand, got 2 for 3}}
  %r = leaf.contract ins(%x, %w : tensor<4x3xf32>, tensor<3x8xf32>) outs(%o : tensor<4x8xf32>)
      {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>],
       iterator_types = ["parallel", "parallel", "reduction"]}
      lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%l: f32): leaf.yield %l : f32 }
      epilogue { ^bb0(%l: f32): leaf.yield %l : f32 } -> tensor<4x8xf32>
  return %r : tensor<4x8xf32>
}

// -----

func.func @reduction_in_output(%x: tensor<4x3xf32>, %w: tensor<3x8xf32>, %o: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // expected-error @+1 {{reduction loop 2 indexes the output}}
  %r = leaf.contract ins(%x, %w : tensor<4x3xf32>, tensor<3x8xf32>) outs(%o : tensor<4x3xf32>)
      {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                        affine_map<(m, n, k) -> (m, k)>],
       iterator_types = ["parallel", "parallel", "reduction"]}
      lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%l: f32): leaf.yield %l : f32 }
      epilogue { ^bb0(%l: f32): leaf.yield %l : f32 } -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// -----

func.func @concat_sizes(%a: tensor<2x3xf32>, %o: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // expected-error @+1 {{in dimension 0}}
  %r = leaf.concat ins(%a : tensor<2x3xf32>) outs(%o : tensor<4x3xf32>) dim 1 -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// -----

func.func @forall_arguments(%x: tensor<8xf32>, %o: tensor<8xf32>) -> tensor<8xf32> {
  %c8 = arith.constant 8 : index
  // expected-error @+1 {{body must take 1 indices and 2 buffers, but takes 2 arguments}}
  %r = leaf.forall ins(%x : tensor<8xf32>) outs(%o : tensor<8xf32>) extents(%c8) {
  ^bb0(%i: index, %in: memref<8xf32>):
    leaf.yield
  } -> tensor<8xf32>
  return %r : tensor<8xf32>
}

// -----

func.func @forall_type(%x: tensor<8xf32>, %o: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error @+1 {{body argument 1 must be the memref of 'tensor<8xf32>'}}
  %r = leaf.forall ins(%x : tensor<8xf32>) outs(%o : tensor<8xf32>) {
  ^bb0(%in: memref<8xf32>, %out: memref<4xf32>):
    leaf.yield
  } -> tensor<8xf32>
  return %r : tensor<8xf32>
}

// -----

func.func @forall_without_end(%o: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error @+1 {{body must end with a leaf.yield without values}}
  %r = "leaf.forall"(%o) <{operandSegmentSizes = array<i32: 0, 1, 0>}> ({
  ^bb0(%out: memref<8xf32>):
  }) : (tensor<8xf32>) -> tensor<8xf32>
  return %r : tensor<8xf32>
}
