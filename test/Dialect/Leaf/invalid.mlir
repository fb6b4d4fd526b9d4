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

// -----

func.func @winograd_of_five(%x: tensor<1x6x6x8xf32>, %w: tensor<5x5x8x8xf32>, %o: tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32> {
  // expected-error @+1 {{winograd = 4 needs a rhs of 6x6 transformed filters}}
  %r = leaf.contract ins(%x, %w : tensor<1x6x6x8xf32>, tensor<5x5x8x8xf32>) outs(%o : tensor<1x4x4x8xf32>)
    {indexing_maps = [affine_map<(n, h, w, o, kh, kw, i) -> (n, h + kh, w + kw, i)>,
                      affine_map<(n, h, w, o, kh, kw, i) -> (kh, kw, i, o)>,
                      affine_map<(n, h, w, o, kh, kw, i) -> (n, h, w, o)>],
     iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"],
     winograd = 4 : i64}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%q: f32): leaf.yield %q : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<1x4x4x8xf32>
  return %r : tensor<1x4x4x8xf32>
}

// -----

func.func @winograd_of_a_product(%x: tensor<6x8xf32>, %w: tensor<8x8xf32>, %o: tensor<6x8xf32>) -> tensor<6x8xf32> {
  // expected-error @+1 {{winograd must be 2 or 4, on a convolution of stride 1}}
  %r = leaf.contract ins(%x, %w : tensor<6x8xf32>, tensor<8x8xf32>) outs(%o : tensor<6x8xf32>)
    {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
     iterator_types = ["parallel", "parallel", "reduction"], winograd = 4 : i64}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 } rhs { ^bb0(%q: f32): leaf.yield %q : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<6x8xf32>
  return %r : tensor<6x8xf32>
}

// -----

func.func @border_outside(%o: tensor<4x6xf32>) -> tensor<4x6xf32> {
  // expected-error @+1 {{has a box that leaves 'tensor<4x6xf32>' in dimension 1}}
  %r = leaf.border outs(%o : tensor<4x6xf32>) low [0, 3] size [4, 4] value 0.0 : f32 -> tensor<4x6xf32>
  return %r : tensor<4x6xf32>
}

// -----

func.func @border_of_ints(%o: tensor<4x6xf32>) -> tensor<4x6xf32> {
  // expected-error @+1 {{a value of its element type}}
  %r = leaf.border outs(%o : tensor<4x6xf32>) low [0, 1] size [4, 4] value 0 : i32 -> tensor<4x6xf32>
  return %r : tensor<4x6xf32>
}
