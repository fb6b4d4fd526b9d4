// RUN: leaf-opt %s -leaf-infer-shapes -split-input-file -verify-diagnostics

func.func @inner_dimensions(%x: tensor<2x3xf32>, %y: tensor<4x5xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{shapes do not fit: }}
  %0 = onnx.MatMul(%x, %y) : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @declared_otherwise(%x: tensor<2x3xf32>) -> tensor<2x4xf32> {
  // expected-error @+1 {{result 0 contradicts the model: dimension 1 is 3, not 4}}
  %0 = onnx.Relu(%x) : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

func.func @unknown_rank(%x: tensor<2x3xf32>, %t: tensor<?xi64>) -> tensor<*xf32> {
  // expected-error @+1 {{rank that depends on the input's values; fix its sizes with --dim NAME=N}}
  %0 = onnx.Reshape(%x, %t) : (tensor<2x3xf32>, tensor<?xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
