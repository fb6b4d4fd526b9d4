// RUN: leaf-opt %s -leaf-check-optimize -verify-diagnostics

func.func @channels_first(%x: tensor<1x1x4x4xf32>, %w: tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32> {
  %none = onnx.NoValue : none
  // expected-error @+1 {{must be channels last after 'optimize'}}
  %0 = onnx.Conv(%x, %w, %none) : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>, none) -> tensor<1x2x4x4xf32>
  return %0 : tensor<1x2x4x4xf32>
}
