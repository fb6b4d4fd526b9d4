// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// One iteration per bin; channels are innermost and, channels last, lie side by side. A fixed number of samples.
// CHECK-LABEL: func.func @main
// CHECK: leaf.forall ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<2x9x7x3xf32>, tensor<5x4xf32>, tensor<5xi64>)
// CHECK-SAME: outs(%{{.*}} : tensor<5x2x4x3xf32>) extents(%{{.*}}, %{{.*}}, %{{.*}})
// CHECK: memref.load %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}, %[[C:.*]]] : memref<2x9x7x3xf32>
// CHECK: memref.load %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}, %[[C]]] : memref<2x9x7x3xf32>
func.func @main(%x: tensor<2x9x7x3xf32>, %r: tensor<5x4xf32>, %i: tensor<5xi64>) -> tensor<5x2x4x3xf32> {
  %0 = "onnx.RoiAlign"(%x, %r, %i) {leaf.channels_last, output_height = 2 : i64, output_width = 4 : i64, sampling_ratio = 2 : i64} : (tensor<2x9x7x3xf32>, tensor<5x4xf32>, tensor<5xi64>) -> tensor<5x2x4x3xf32>
  return %0 : tensor<5x2x4x3xf32>
}
