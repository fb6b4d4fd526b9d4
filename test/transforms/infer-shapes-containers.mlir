// RUN: leaf-opt %s -leaf-infer-shapes -split-input-file | FileCheck %s

// A sequence of known length is its tensors: what is put in, taken out or counted is known when the model is compiled.
// CHECK-LABEL: func.func @main
// CHECK-SAME: -> (tensor<3xf32> {leaf.name = "y[0]"}, tensor<2xf32> {leaf.name = "y[1]"}, tensor<i64> {leaf.name = "n"})
// CHECK-NOT: Sequence
// CHECK: %[[N:.*]] = onnx.Constant() {value = dense<2> : tensor<i64>}
// CHECK: return %arg1, %arg0, %[[N]]
func.func @main(%a: tensor<2xf32> {leaf.name = "a"}, %b: tensor<3xf32> {leaf.name = "b"})
    -> (!onnx.Seq<tensor<*xf32>> {leaf.name = "y"}, tensor<i64> {leaf.name = "n"}) {
  %none = onnx.NoValue : none
  %front = onnx.Constant() {value = dense<0> : tensor<i64>} : () -> tensor<i64>
  %s = onnx.SequenceConstruct(%a) : (tensor<2xf32>) -> !onnx.Seq<tensor<*xf32>>
  %t = onnx.SequenceInsert(%s, %b, %front) : (!onnx.Seq<tensor<*xf32>>, tensor<3xf32>, tensor<i64>) -> !onnx.Seq<tensor<*xf32>>
  %n = onnx.SequenceLength(%t) : (!onnx.Seq<tensor<*xf32>>) -> tensor<i64>
  return %t, %n : !onnx.Seq<tensor<*xf32>>, tensor<i64>
}

// -----

// Parts of a split: sizes given, the last one smaller.
// CHECK-LABEL: func.func @main
// CHECK: %[[SIZES:.*]] = onnx.Constant() {value = dense<[2, 2, 1]> : tensor<3xi64>}
// CHECK: onnx.Split(%arg0, %[[SIZES]]) {axis = 1 : i64} : (tensor<3x5xf32>, tensor<3xi64>) -> (tensor<3x2xf32>, tensor<3x2xf32>, tensor<3x1xf32>)
func.func @main(%x: tensor<3x5xf32> {leaf.name = "x"}) -> (!onnx.Seq<tensor<*xf32>> {leaf.name = "y"}) {
  %two = onnx.Constant() {value = dense<2> : tensor<i64>} : () -> tensor<i64>
  %y = onnx.SplitToSequence(%x, %two) {axis = 1 : i64} : (tensor<3x5xf32>, tensor<i64>) -> !onnx.Seq<tensor<*xf32>>
  return %y : !onnx.Seq<tensor<*xf32>>
}

// -----

// A position that data decide picks from elements of one shape.
// CHECK-LABEL: func.func @main
// CHECK: %[[TABLE:.*]] = onnx.Concat({{.*}}) {axis = 0 : i64} : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<2x2xf32>
// CHECK: onnx.Gather(%[[TABLE]], %arg2)
func.func @main(%a: tensor<2xf32> {leaf.name = "a"}, %b: tensor<2xf32> {leaf.name = "b"}, %i: tensor<i64> {leaf.name = "i"})
    -> (tensor<2xf32> {leaf.name = "y"}) {
  %s = onnx.SequenceConstruct(%a, %b) : (tensor<2xf32>, tensor<2xf32>) -> !onnx.Seq<tensor<*xf32>>
  %y = onnx.SequenceAt(%s, %i) : (!onnx.Seq<tensor<*xf32>>, tensor<i64>) -> tensor<*xf32>
  %z = onnx.Identity(%y) : (tensor<*xf32>) -> tensor<2xf32>
  return %z : tensor<2xf32>
}

// -----

// Branches yield the tensors of their sequences.
// CHECK-LABEL: func.func @main
// CHECK: onnx.If
// CHECK: onnx.Yield %{{.*}}, %{{.*}} : tensor<2xf32>, tensor<2xf32>
// CHECK: -> (tensor<2xf32>, tensor<2xf32>)
func.func @main(%c: tensor<i1> {leaf.name = "c"}, %x: tensor<2xf32> {leaf.name = "x"}) -> (!onnx.Seq<tensor<*xf32>> {leaf.name = "y"}) {
  %y = "onnx.If"(%c) ({
    %a = onnx.Abs(%x) : (tensor<2xf32>) -> tensor<2xf32>
    %s = onnx.SequenceConstruct(%a, %x) : (tensor<2xf32>, tensor<2xf32>) -> !onnx.Seq<tensor<*xf32>>
    onnx.Yield %s : !onnx.Seq<tensor<*xf32>>
  }, {
    %a = onnx.Neg(%x) : (tensor<2xf32>) -> tensor<2xf32>
    %s = onnx.SequenceConstruct(%x, %a) : (tensor<2xf32>, tensor<2xf32>) -> !onnx.Seq<tensor<*xf32>>
    onnx.Yield %s : !onnx.Seq<tensor<*xf32>>
  }) : (tensor<i1>) -> !onnx.Seq<tensor<*xf32>>
  return %y : !onnx.Seq<tensor<*xf32>>
}

// -----

// A loop that carries a sequence is unrolled.
// CHECK-LABEL: func.func @main
// CHECK-NOT: onnx.Loop
// CHECK: %[[A:.*]] = onnx.Add(%arg0, %arg0)
// CHECK: %[[B:.*]] = onnx.Add(%arg0, %arg0)
// CHECK: return %[[A]], %[[B]]
func.func @main(%x: tensor<2xf32> {leaf.name = "x"}) -> (!onnx.Seq<tensor<*xf32>> {leaf.name = "y"}) {
  %none = onnx.NoValue : none
  %two = onnx.Constant() {value = dense<2> : tensor<i64>} : () -> tensor<i64>
  %e = onnx.SequenceEmpty() {dtype = 1 : i64} : () -> !onnx.Seq<tensor<*xf32>>
  %y = "onnx.Loop"(%two, %none, %e) ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %s: !onnx.Seq<tensor<*xf32>>):
    %a = onnx.Add(%x, %x) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    %t = onnx.SequenceInsert(%s, %a, %none) : (!onnx.Seq<tensor<*xf32>>, tensor<2xf32>, none) -> !onnx.Seq<tensor<*xf32>>
    onnx.Yield %c, %t : tensor<i1>, !onnx.Seq<tensor<*xf32>>
  }) : (tensor<i64>, none, !onnx.Seq<tensor<*xf32>>) -> !onnx.Seq<tensor<*xf32>>
  return %y : !onnx.Seq<tensor<*xf32>>
}

// -----

// Whether an optional has something is known.
// CHECK-LABEL: func.func @main
// CHECK: %[[YES:.*]] = onnx.Constant() {value = dense<true> : tensor<i1>}
// CHECK: return %[[YES]], %arg0
func.func @main(%x: tensor<2xf32> {leaf.name = "x"}) -> (tensor<i1> {leaf.name = "has"}, tensor<2xf32> {leaf.name = "y"}) {
  %o = onnx.Optional(%x) : (tensor<2xf32>) -> !onnx.Opt<tensor<2xf32>>
  %has = onnx.OptionalHasElement(%o) : (!onnx.Opt<tensor<2xf32>>) -> tensor<i1>
  %y = onnx.OptionalGetElement(%o) : (!onnx.Opt<tensor<2xf32>>) -> tensor<2xf32>
  return %has, %y : tensor<i1>, tensor<2xf32>
}
