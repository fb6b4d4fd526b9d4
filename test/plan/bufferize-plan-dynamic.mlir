// RUN: leaf-opt %s -leaf-bufferize-plan | FileCheck %s

// Open dimensions: inputs get their size from the index argument; the output's size is returned.
// CHECK-LABEL: func.func @main
// CHECK-SAME:  (%[[X:.*]]: memref<1x?xf32> {{.*}}, %[[Y:.*]]: memref<1x?xf32> {{.*}}plan.output}, %[[N:.*]]: index {leaf.dim = "n"})
// CHECK-SAME:  -> (index {leaf.axis = 1 : i64, leaf.name = "y"})
// CHECK:         %[[B:.*]] = leaf.bound %[[N]], 63
// CHECK:         %[[XV:.*]] = memref.reinterpret_cast %[[X]] to offset: [0], sizes: [1, %[[B]]]
// CHECK:         %[[YV:.*]] = memref.reinterpret_cast %[[Y]] to offset: [0], sizes: [1, %[[B]]]
// CHECK:         plan.call @k(%[[XV]] : memref<1x?xf32>) outs(%[[YV]] : memref<1x?xf32>) sizes(%[[B]])
// CHECK:         return %[[B]] : index
module attributes {leaf.bounds = {n = 63 : i64}} {
  func.func @main(%x: tensor<1x?xf32> {leaf.name = "x", leaf.dims = ["", "n"]}, %n: index {leaf.dim = "n"})
      -> (tensor<1x?xf32> {leaf.name = "y", leaf.dims = ["", "n"]}) {
    %b = leaf.bound %n, 63
    %e = tensor.empty(%b) : tensor<1x?xf32>
    %0 = plan.call @k(%x : tensor<1x?xf32>) outs(%e : tensor<1x?xf32>) sizes(%b) -> tensor<1x?xf32>
    return %0 : tensor<1x?xf32>
  }

  plan.kernel @k(%0: tensor<1x?xf32>, %1: tensor<1x?xf32>, %2: index) -> tensor<1x?xf32> attributes {num_outs = 1 : i64} {
    %3 = linalg.exp ins(%0 : tensor<1x?xf32>) outs(%1 : tensor<1x?xf32>) -> tensor<1x?xf32>
    plan.yield %3 : tensor<1x?xf32>
  }
}
