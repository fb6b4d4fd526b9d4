// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg -split-input-file -verify-diagnostics

func.func @main(%x: tensor<2xf32>, %stop: tensor<i1>) -> tensor<?x2xf32> {
  %none = onnx.NoValue : none
  // expected-error @unknown {{collects outputs in a loop that only its condition ends; give the largest number of iterations with --bound 'count.all=N'}}
  %0:2 = "onnx.Loop"(%none, %none, %x) ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %s: tensor<2xf32>):
    onnx.Yield %stop, %s, %s : tensor<i1>, tensor<2xf32>, tensor<2xf32>
  }) : (none, none, tensor<2xf32>) -> (tensor<2xf32>, tensor<?x2xf32>) loc("count"(fused["last", "all"]))
  return %0#1 : tensor<?x2xf32>
}

// -----

func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %none = onnx.NoValue : none
  // expected-error @+1 {{never ends: it has neither a trip count nor a condition}}
  %0 = "onnx.Loop"(%none, %none, %x) ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %s: tensor<2xf32>):
    onnx.Yield %c, %s : tensor<i1>, tensor<2xf32>
  }) : (none, none, tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @main(%x: tensor<1x2xf32>, %trip: tensor<i64>) -> tensor<?x2xf32> {
  %none = onnx.NoValue : none
  // expected-error @+1 {{has a result 0 ('tensor<?x2xf32>') whose size data decide; give its largest size with --bound 'NODE.OUTPUT=N'}}
  %0 = "onnx.Loop"(%trip, %none, %x) ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %s: tensor<?x2xf32>):
    %1 = onnx.Concat(%s, %x) {axis = 0 : i64} : (tensor<?x2xf32>, tensor<1x2xf32>) -> tensor<?x2xf32>
    onnx.Yield %c, %1 : tensor<i1>, tensor<?x2xf32>
  }) : (tensor<i64>, none, tensor<1x2xf32>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}
