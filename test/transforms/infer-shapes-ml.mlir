// RUN: leaf-opt %s -leaf-infer-shapes | FileCheck %s

// Operators of ai.onnx.ml whose schema infers no shape: one label and a score per class for each sample.
// CHECK-LABEL: func.func @main
// CHECK: onnx.ml.TreeEnsembleClassifier{{.*}} -> (tensor<?xi64>, tensor<?x3xf32>)
// CHECK: onnx.ml.ArrayFeatureExtractor{{.*}} -> tensor<?x2xf32>
module attributes {leaf.bounds = {batch = 8 : i64}} {
  func.func @main(%x: tensor<?x4xf32> {leaf.name = "x", leaf.dims = ["batch", ""]}) -> (tensor<?xi64> {leaf.name = "l"}, tensor<?x2xf32> {leaf.name = "p"}) {
    %columns = onnx.Constant() {value = dense<[2, 0]> : tensor<2xi64>} : () -> tensor<2xi64>
    %label, %scores = "onnx.ml.TreeEnsembleClassifier"(%x) {
      classlabels_int64s = array<i64: 0, 1, 2>, nodes_treeids = array<i64: 0>, nodes_nodeids = array<i64: 0>,
      nodes_featureids = array<i64: 0>, nodes_modes = ["LEAF"], nodes_values = array<f32: 0.0>,
      nodes_truenodeids = array<i64: 0>, nodes_falsenodeids = array<i64: 0>, class_treeids = array<i64: 0>,
      class_nodeids = array<i64: 0>, class_ids = array<i64: 1>, class_weights = array<f32: 1.0>
    } : (tensor<?x4xf32>) -> (tensor<*xi64>, tensor<*xf32>)
    %p = "onnx.ml.ArrayFeatureExtractor"(%scores, %columns) : (tensor<*xf32>, tensor<2xi64>) -> tensor<*xf32>
    %a = onnx.Identity(%label) : (tensor<*xi64>) -> tensor<?xi64>
    %b = onnx.Identity(%p) : (tensor<*xf32>) -> tensor<?x2xf32>
    return %a, %b : tensor<?xi64>, tensor<?x2xf32>
  }
}
