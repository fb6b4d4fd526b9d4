// RUN: leaf-opt %s -leaf-emit-kernels='vector-bytes=16 registers=32' -canonicalize -cse | FileCheck %s

// A row above of 6 pixels, none below; a pixel before and one behind each of the 4 rows of the box, which start at 32
// and 32 + 5 * 8 elements.
// CHECK-LABEL: func.func private @border(
// CHECK-DAG:     %[[ONE:.*]] = arith.constant dense<1.000000e+00> : vector<4xf32>
// CHECK:         scf.for %{{.*}} = %c0 to %c48 step %{{.*}} {
// CHECK:           vector.store %[[ONE]], %arg0
// CHECK:         scf.for %{{.*}} = %c0 to %c4 step %c1 {
// CHECK:           vector.store %[[ONE]], %arg0
// CHECK:         scf.for %{{.*}} = %c0 to %c4 step %c1 {
// CHECK:           vector.store %[[ONE]], %arg0
// CHECK-NOT:     scf.for %{{.*}} = %c0 to %c4
func.func @main(%o: memref<1x5x6x8xf32>) {
  plan.call @border() outs(%o : memref<1x5x6x8xf32>)
  return
}
plan.kernel @border(%0: tensor<1x5x6x8xf32>) -> tensor<1x5x6x8xf32> attributes {num_outs = 1 : i64} {
  %r = leaf.border outs(%0 : tensor<1x5x6x8xf32>) low [0, 1, 1, 0] size [1, 4, 4, 8] value 1.0 : f32 -> tensor<1x5x6x8xf32>
  plan.yield %r : tensor<1x5x6x8xf32>
}
