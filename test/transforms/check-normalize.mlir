// RUN: leaf-opt %s -leaf-check-normalize -split-input-file -verify-diagnostics

// All operators without a lowering are named together, with how many nodes use them.
// expected-error @+1 {{the model uses 2 operators without a lowering}}
module {
  func.func @unsupported(%x: tensor<2x3xf32>, %file: tensor<9xui8>) -> tensor<2x3xf32> {
    // Where a reason is known, it is said.
    // expected-note @+1 {{; files are decoded by the caller}}
    %d = onnx.ImageDecoder(%file) : (tensor<9xui8>) -> tensor<2x2x3xui8>
    // expected-note @+1 {{onnx.Bernoulli: 2 nodes}}
    %0 = onnx.Bernoulli(%x) : (tensor<2x3xf32>) -> tensor<2x3xf32>
    %1 = onnx.Bernoulli(%0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
    return %1 : tensor<2x3xf32>
  }
}

// -----

func.func @no_rank(%x: tensor<*xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{has a result without a rank after 'normalize'}}
  %0 = onnx.Relu(%x) : (tensor<*xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @other_dialect(%x: f32) -> f32 {
  // expected-error @+1 {{must not be there after 'normalize'}}
  %0 = arith.addf %x, %x : f32
  return %0 : f32
}

// -----

func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @+1 {{axis 7 is out of range: the operand has rank 2}}
  %0 = onnx.Softmax(%x) {axis = 7 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}
