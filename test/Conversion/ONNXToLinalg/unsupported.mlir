// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg -verify-diagnostics

func.func @main(%x: tensor<4xui8>) -> tensor<?x?x3xui8> {
  // expected-error @below {{has no lowering}}
  %0 = "onnx.ImageDecoder"(%x) : (tensor<4xui8>) -> tensor<?x?x3xui8>
  return %0 : tensor<?x?x3xui8>
}
