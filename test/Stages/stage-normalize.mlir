// RUN: leaf-opt %s -split-input-file -leaf-stage-normalize | FileCheck %s

// Shapes are inferred through the graph.
// CHECK-LABEL: func.func @main
// CHECK: onnx.Relu(%{{.*}}) : (tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK: onnx.Neg(%{{.*}}) : (tensor<1x4xf32>) -> tensor<1x4xf32>
func.func @main(%x: tensor<1x4xf32> {leaf.name = "x"}) -> (tensor<*xf32> {leaf.name = "y"}) {
  %0 = onnx.Relu(%x) : (tensor<1x4xf32>) -> tensor<*xf32>
  %1 = onnx.Neg(%0) : (tensor<*xf32>) -> tensor<*xf32>
  return %1 : tensor<*xf32>
}

// -----

// An empty graph stays empty.
// CHECK-LABEL: func.func @main
// CHECK-NEXT: return %{{.*}} : tensor<4xf32>
func.func @main(%x: tensor<4xf32> {leaf.name = "x"}) -> (tensor<4xf32> {leaf.name = "y"}) {
  return %x : tensor<4xf32>
}
