// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// f16 is computed in f32; signedness comes from the ONNX type and is gone from the tensors.

// CHECK-LABEL: func.func @main
// CHECK-SAME: %{{.*}}: tensor<4xf16>, %{{.*}}: tensor<4xi8> {leaf.element_type = "uint8"}
// CHECK-SAME: -> (tensor<4xf16>, tensor<4xi8> {leaf.element_type = "uint8"}, tensor<4xi1> {leaf.element_type = "bool"})
func.func @main(%x: tensor<4xf16>, %u: tensor<4xui8>) -> (tensor<4xf16>, tensor<4xui8>, tensor<4xi1>) {
  // CHECK: %[[A:.*]] = arith.extf %{{.*}} : f16 to f32
  // CHECK: %[[B:.*]] = arith.addf %{{.*}}, %{{.*}} : f32
  // CHECK: arith.truncf %[[B]] : f32 to f16
  %0 = "onnx.Add"(%x, %x) : (tensor<4xf16>, tensor<4xf16>) -> tensor<4xf16>
  // CHECK: arith.maxui %{{.*}} : i8
  %1 = "onnx.Max"(%u, %u) : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  // CHECK: arith.cmpi ult
  %2 = "onnx.Less"(%u, %1) : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xi1>
  return %0, %1, %2 : tensor<4xf16>, tensor<4xui8>, tensor<4xi1>
}
