// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg -split-input-file -verify-diagnostics | FileCheck %s

// A pattern is a table of states, one row of 256 for each; places are held within the pool.
// CHECK-LABEL: func.func @main
// CHECK-DAG: leaf.load_weight @automaton : tensor<{{[0-9]+}}xi16>
// CHECK-DAG: leaf.load_weight @accepting
// CHECK: leaf.forall
// CHECK:   arith.minui
// CHECK:   arith.minui
// CHECK:   scf.for
func.func @main(%s: tensor<3xi64>, %p: tensor<9xui8>) -> tensor<3xi1> {
  %0 = onnx.StringNode "RegexFullMatch"(%s, %p) {pattern = "a+b?"} : (tensor<3xi64>, tensor<9xui8>) -> tensor<3xi1>
  return %0 : tensor<3xi1>
}

// -----

func.func @main(%s: tensor<3xi64>, %p: tensor<9xui8>) -> tensor<3xi1> {
  // expected-error @+1 {{has a pattern that cannot be compiled: '\p' is not supported at byte 2 of the pattern}}
  %0 = onnx.StringNode "RegexFullMatch"(%s, %p) {pattern = "\\pLword"} : (tensor<3xi64>, tensor<9xui8>) -> tensor<3xi1>
  return %0 : tensor<3xi1>
}
