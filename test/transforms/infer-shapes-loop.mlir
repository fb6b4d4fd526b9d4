// RUN: leaf-opt %s -leaf-infer-shapes | FileCheck %s

// A state keeps the shape that it starts with; what is collected has the trip count in front.
// CHECK-LABEL: func.func @main
// CHECK: onnx.Loop
// CHECK: ^bb0(%{{.*}}: tensor<i64>, %{{.*}}: tensor<i1>, %{{.*}}: tensor<2x3xf32>)
// CHECK: -> (tensor<2x3xf32>, tensor<5x2x3xf32>)
func.func @main(%x: tensor<2x3xf32> {leaf.name = "x"}) -> (tensor<2x3xf32> {leaf.name = "y"}, tensor<5x2x3xf32> {leaf.name = "z"}) {
  %n = onnx.NoValue : none
  %m = onnx.Constant() {value = dense<5> : tensor<i64>} : () -> tensor<i64>
  %0:2 = "onnx.Loop"(%m, %n, %x) ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %s: tensor<*xf32>):
    %1 = onnx.Relu(%s) : (tensor<*xf32>) -> tensor<*xf32>
    onnx.Yield %c, %1, %1 : tensor<i1>, tensor<*xf32>, tensor<*xf32>
  }) : (tensor<i64>, none, tensor<2x3xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  %a = onnx.Identity(%0#0) : (tensor<*xf32>) -> tensor<2x3xf32>
  %b = onnx.Identity(%0#1) : (tensor<*xf32>) -> tensor<5x2x3xf32>
  return %a, %b : tensor<2x3xf32>, tensor<5x2x3xf32>
}

// A state that the body makes longer is open, and what follows from its first size is not taken for granted.
// CHECK-LABEL: func.func @growing
// CHECK: ^bb0(%{{.*}}: tensor<i64>, %{{.*}}: tensor<i1>, %[[S:.*]]: tensor<?x2xf32>)
// CHECK:   onnx.Concat(%[[S]], %{{.*}}) {axis = 0 : i64} : (tensor<?x2xf32>, tensor<1x2xf32>) -> tensor<?x2xf32>
// CHECK:   onnx.Shape(%[[S]])
// CHECK: -> (tensor<?x2xf32>, tensor<5x2xi64>)
func.func @growing(%x: tensor<1x2xf32> {leaf.name = "x"}) -> (tensor<?x2xf32> {leaf.name = "y"}, tensor<5x2xi64> {leaf.name = "z"}) {
  %n = onnx.NoValue : none
  %m = onnx.Constant() {value = dense<5> : tensor<i64>} : () -> tensor<i64>
  %0:2 = "onnx.Loop"(%m, %n, %x) ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %s: tensor<*xf32>):
    %1 = onnx.Concat(%s, %x) {axis = 0 : i64} : (tensor<*xf32>, tensor<1x2xf32>) -> tensor<*xf32>
    %2 = onnx.Shape(%s) : (tensor<*xf32>) -> tensor<2xi64>
    onnx.Yield %c, %1, %2 : tensor<i1>, tensor<*xf32>, tensor<2xi64>
  }) : (tensor<i64>, none, tensor<1x2xf32>) -> (tensor<*xf32>, tensor<*xi64>)
  %a = onnx.Identity(%0#0) : (tensor<*xf32>) -> tensor<?x2xf32>
  %b = onnx.Identity(%0#1) : (tensor<*xi64>) -> tensor<5x2xi64>
  return %a, %b : tensor<?x2xf32>, tensor<5x2xi64>
}

// A loop that a condition may end collects an open number of slices.
// CHECK-LABEL: func.func @ended
// CHECK: -> (tensor<2xf32>, tensor<?x2xf32>)
func.func @ended(%x: tensor<2xf32> {leaf.name = "x"}, %stop: tensor<i1> {leaf.name = "stop"}) -> (tensor<2xf32> {leaf.name = "y"}, tensor<?x2xf32> {leaf.name = "z"}) {
  %n = onnx.NoValue : none
  %m = onnx.Constant() {value = dense<5> : tensor<i64>} : () -> tensor<i64>
  %0:2 = "onnx.Loop"(%m, %n, %x) ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %s: tensor<*xf32>):
    %1 = onnx.Relu(%s) : (tensor<*xf32>) -> tensor<*xf32>
    onnx.Yield %stop, %1, %1 : tensor<i1>, tensor<*xf32>, tensor<*xf32>
  }) : (tensor<i64>, none, tensor<2xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  %a = onnx.Identity(%0#0) : (tensor<*xf32>) -> tensor<2xf32>
  %b = onnx.Identity(%0#1) : (tensor<*xf32>) -> tensor<?x2xf32>
  return %a, %b : tensor<2xf32>, tensor<?x2xf32>
}

// Scan: slices without the axis, outputs with it.
// CHECK-LABEL: func.func @scanned
// CHECK: ^bb0(%{{.*}}: tensor<2xf32>, %{{.*}}: tensor<2xf32>)
// CHECK: -> (tensor<2xf32>, tensor<2x7xf32>)
func.func @scanned(%s: tensor<2xf32> {leaf.name = "s"}, %x: tensor<2x7xf32> {leaf.name = "x"}) -> (tensor<2xf32> {leaf.name = "t"}, tensor<2x7xf32> {leaf.name = "y"}) {
  %0:2 = "onnx.Scan"(%s, %x) ({
  ^bb0(%a: tensor<*xf32>, %b: tensor<*xf32>):
    %1 = onnx.Add(%a, %b) : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
    onnx.Yield %1, %1 : tensor<*xf32>, tensor<*xf32>
  }) {num_scan_inputs = 1 : i64, scan_input_axes = array<i64: 1>, scan_output_axes = array<i64: -1>} : (tensor<2xf32>, tensor<2x7xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  %a = onnx.Identity(%0#0) : (tensor<*xf32>) -> tensor<2xf32>
  %b = onnx.Identity(%0#1) : (tensor<*xf32>) -> tensor<2x7xf32>
  return %a, %b : tensor<2xf32>, tensor<2x7xf32>
}
