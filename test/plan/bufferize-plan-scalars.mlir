// RUN: leaf-opt %s -leaf-bufferize-plan | FileCheck %s

// A tensor of scalars is a dense buffer: the kernel takes it as it is.
// CHECK-LABEL: func.func @main
// CHECK:         %[[A:.*]] = memref.alloc() {{.*}}: memref<1xi64>
// CHECK:         memref.store %{{.*}}, %[[A]]
// CHECK-NOT:     plan.call @copy
// CHECK:         plan.call @k(%[[A]] : memref<1xi64>)
func.func @main(%n: index) -> tensor<1xi64> {
  %i = arith.index_cast %n : index to i64
  %s = tensor.from_elements %i : tensor<1xi64>
  %e = tensor.empty() : tensor<1xi64>
  %0 = plan.call @k(%s : tensor<1xi64>) outs(%e : tensor<1xi64>) -> tensor<1xi64>
  return %0 : tensor<1xi64>
}

plan.kernel @k(%0: tensor<1xi64>, %1: tensor<1xi64>) -> tensor<1xi64> attributes {num_outs = 1 : i64} {
  plan.yield %1 : tensor<1xi64>
}
