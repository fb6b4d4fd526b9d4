// RUN: leaf-opt %s -leaf-infer-shapes -split-input-file -verify-diagnostics

func.func @main(%x: tensor<2xf32> {leaf.name = "x"}, %trip: tensor<i64> {leaf.name = "trip"}) -> (!onnx.Seq<tensor<*xf32>> {leaf.name = "y"}) {
  %none = onnx.NoValue : none
  %e = onnx.SequenceEmpty() {dtype = 1 : i64} : () -> !onnx.Seq<tensor<*xf32>>
  // expected-error @+1 {{carried by a loop whose number of iterations is not known}}
  %y = "onnx.Loop"(%trip, %none, %e) ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %s: !onnx.Seq<tensor<*xf32>>):
    // expected-error @+1 {{is not known in length}}
    %t = onnx.SequenceInsert(%s, %x, %none) : (!onnx.Seq<tensor<*xf32>>, tensor<2xf32>, none) -> !onnx.Seq<tensor<*xf32>>
    onnx.Yield %c, %t : tensor<i1>, !onnx.Seq<tensor<*xf32>>
  }) : (tensor<i64>, none, !onnx.Seq<tensor<*xf32>>) -> !onnx.Seq<tensor<*xf32>>
  return %y : !onnx.Seq<tensor<*xf32>>
}

// -----

func.func @main(%a: tensor<2xf32> {leaf.name = "a"}) -> (tensor<2xf32> {leaf.name = "y"}) {
  %five = onnx.Constant() {value = dense<5> : tensor<i64>} : () -> tensor<i64>
  %s = onnx.SequenceConstruct(%a) : (tensor<2xf32>) -> !onnx.Seq<tensor<*xf32>>
  // expected-error @+1 {{positions must be constants within the sequence}}
  %y = onnx.SequenceAt(%s, %five) : (!onnx.Seq<tensor<*xf32>>, tensor<i64>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// -----

func.func @main(%c: tensor<i1> {leaf.name = "c"}, %x: tensor<2xf32> {leaf.name = "x"}) -> (!onnx.Seq<tensor<*xf32>> {leaf.name = "y"}) {
  // expected-error @+1 {{has another length or presence in each branch}}
  %y = "onnx.If"(%c) ({
    %s = onnx.SequenceConstruct(%x, %x) : (tensor<2xf32>, tensor<2xf32>) -> !onnx.Seq<tensor<*xf32>>
    onnx.Yield %s : !onnx.Seq<tensor<*xf32>>
  }, {
    %s = onnx.SequenceConstruct(%x) : (tensor<2xf32>) -> !onnx.Seq<tensor<*xf32>>
    onnx.Yield %s : !onnx.Seq<tensor<*xf32>>
  }) : (tensor<i1>) -> !onnx.Seq<tensor<*xf32>>
  return %y : !onnx.Seq<tensor<*xf32>>
}
