// RUN: leaf-opt %s -split-input-file -verify-diagnostics

func.func @missing_result(%x: tensor<1x3x4x4xf32>) {
  // expected-error @+1 {{expected 2 results}}
  %0 = onnx.MaxPool(%x) {kernel_shape = array<i64: 2, 2>} : (tensor<1x3x4x4xf32>) -> tensor<1x3x3x3xf32>
  return
}

// -----

func.func @missing_operand(%x: tensor<1x2xf32>) {
  // expected-error @+1 {{expected 3 operands, but found 2}}
  %0 = onnx.Gemm(%x, %x) : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @required_attribute(%x: tensor<2xf32>) {
  // expected-error @+1 {{requires attribute 'axis'}}
  %0 = onnx.Concat(%x, %x) : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @kind_of_attribute(%x: tensor<2xf32>) {
  // expected-error @+1 {{attribute 'axis' failed to satisfy constraint: 64-bit integer attribute}}
  %0 = onnx.Concat(%x, %x) {axis = 1 : i32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
  return
}
