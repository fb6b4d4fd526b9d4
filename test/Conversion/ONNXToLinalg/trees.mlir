// RUN: leaf-opt %s -split-input-file -leaf-convert-onnx-to-linalg -verify-diagnostics | FileCheck %s

// A sample walks each tree for as many steps as the deepest one has; a leaf is its own child.
// CHECK-LABEL: func.func @main
// CHECK: leaf.forall {{.*}} outs(%{{.*}} : tensor<6x1xf32>) extents(%c6)
// CHECK:   scf.for
// CHECK:     scf.for %{{.*}} = %{{.*}} to %c1{{.*}} iter_args(%[[AT:.*]] =
// CHECK:       arith.cmpf ole
// CHECK:       arith.select
// CHECK:     arith.addf
func.func @main(%x: tensor<6x2xf32>) -> tensor<6x1xf32> {
  %0 = "onnx.ml.TreeEnsembleRegressor"(%x) {
    n_targets = 1 : i64, nodes_treeids = array<i64: 0, 0, 0>, nodes_nodeids = array<i64: 0, 1, 2>,
    nodes_featureids = array<i64: 1, 0, 0>, nodes_modes = ["BRANCH_LEQ", "LEAF", "LEAF"],
    nodes_values = array<f32: 0.5, 0.0, 0.0>, nodes_truenodeids = array<i64: 1, 0, 0>,
    nodes_falsenodeids = array<i64: 2, 0, 0>, target_treeids = array<i64: 0, 0>, target_nodeids = array<i64: 1, 2>,
    target_ids = array<i64: 0, 0>, target_weights = array<f32: 1.0, -1.0>
  } : (tensor<6x2xf32>) -> tensor<6x1xf32>
  return %0 : tensor<6x1xf32>
}

// -----

func.func @main(%x: tensor<6x2xf32>) -> tensor<6x1xf32> {
  // expected-error @+1 {{has node 0 in tree 0 whose child does not exist}}
  %0 = "onnx.ml.TreeEnsembleRegressor"(%x) {
    n_targets = 1 : i64, nodes_treeids = array<i64: 0>, nodes_nodeids = array<i64: 0>,
    nodes_featureids = array<i64: 1>, nodes_modes = ["BRANCH_LEQ"], nodes_values = array<f32: 0.5>,
    nodes_truenodeids = array<i64: 1>, nodes_falsenodeids = array<i64: 2>, target_treeids = array<i64>,
    target_nodeids = array<i64>, target_ids = array<i64>, target_weights = array<f32>
  } : (tensor<6x2xf32>) -> tensor<6x1xf32>
  return %0 : tensor<6x1xf32>
}
