// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg | FileCheck %s

// A state that grows lies dense at the front of a buffer for the largest, its sizes beside it.
// CHECK-LABEL: func.func @main
// CHECK: tensor.empty() : tensor<12xf32>
// CHECK: scf.for {{.*}} iter_args(%[[S:.*]] = %{{.*}}, %[[N:.*]] = %{{.*}}, %{{.*}} = %{{.*}}) -> (tensor<12xf32>, index, index)
// CHECK:   %[[K:.*]] = leaf.bound %[[N]], 6
// CHECK:   %[[COUNT:.*]] = arith.muli %[[K]]
// CHECK:   tensor.extract_slice %[[S]][0] [%[[COUNT]]] [1]
// CHECK:   %[[FITS:.*]] = arith.cmpi ule
// CHECK:   plan.require %[[FITS]], "a size is above its bound" {bound}
// CHECK:   tensor.insert_slice %{{.*}} into %[[S]][0]
func.func @main(%x: tensor<1x2xf32>, %trip: tensor<i64>) -> tensor<?x2xf32> {
  %none = onnx.NoValue : none
  %0 = "onnx.Loop"(%trip, %none, %x) ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %s: tensor<?x2xf32>):
    %1 = onnx.Concat(%s, %x) {axis = 0 : i64} : (tensor<?x2xf32>, tensor<1x2xf32>) -> tensor<?x2xf32>
    onnx.Yield %c, %1 : tensor<i1>, tensor<?x2xf32>
  }) {leaf.result_bounds = array<i64: 6>} : (tensor<i64>, none, tensor<1x2xf32>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}
