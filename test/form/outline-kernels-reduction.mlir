// RUN: leaf-opt %s -leaf-outline-kernels | FileCheck %s

// The fill of a reduction goes into the kernel, sizes become index arguments.
// CHECK-LABEL: func.func @main
// CHECK-SAME:  (%[[X:.*]]: tensor<?x8xf32>, %[[N:.*]]: index, %[[C:.*]]: tensor<f32>, %[[Y:.*]]: tensor<?xf32>)
// CHECK:         %[[E:.*]] = tensor.empty(%[[N]]) : tensor<?xf32>
// CHECK:         plan.call @kernel_0(%[[X]] : tensor<?x8xf32>) outs(%[[E]] : tensor<?xf32>) -> tensor<?xf32>
// CHECK:         plan.call @kernel_1(%[[Y]], %[[C]] : tensor<?xf32>, tensor<f32>) outs({{.*}}) sizes(%[[N]])
// CHECK-NOT:     linalg
// CHECK:       plan.kernel @kernel_0(%[[A:.*]]: tensor<?x8xf32>, %[[O:.*]]: tensor<?xf32>)
// CHECK:         %[[F:.*]] = linalg.fill ins(%{{.*}} : f32) outs(%[[O]] : tensor<?xf32>)
// CHECK:         linalg.generic {{.*}} outs(%[[F]] :
func.func @main(%x: tensor<?x8xf32>, %n: index, %c: tensor<f32>, %y: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                       iterator_types = ["parallel", "reduction"]}
    ins(%x : tensor<?x8xf32>) outs(%f : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  // A scalar of a tensor and arithmetic on a size move into the body.
  // CHECK:       plan.kernel @kernel_1(%[[A:.*]]: tensor<?xf32>, %[[C:.*]]: tensor<f32>, %[[O:.*]]: tensor<?xf32>, %[[N:.*]]: index)
  // CHECK:         linalg.generic
  // CHECK:           tensor.extract %[[C]][] : tensor<f32>
  // CHECK:           arith.index_cast %[[N]]
  %scalar = tensor.extract %c[] : tensor<f32>
  %i = arith.index_cast %n : index to i64
  %count = arith.sitofp %i : i64 to f32
  %1 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
    ins(%y : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.mulf %a, %scalar : f32
    %t = arith.divf %s, %count : f32
    linalg.yield %t : f32
  } -> tensor<?xf32>
  return %0, %1 : tensor<?xf32>, tensor<?xf32>
}
