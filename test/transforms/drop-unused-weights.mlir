// RUN: leaf-opt %s -leaf-drop-unused-weights | FileCheck %s

// CHECK: leaf.weight @used
leaf.weight @used = dense<1.0> : tensor<4xf32>
// CHECK-NOT: leaf.weight @unused
leaf.weight @unused = dense<0.0> : tensor<4xf32>

func.func @main() -> tensor<4xf32> {
  %w = leaf.load_weight @used : tensor<4xf32>
  return %w : tensor<4xf32>
}
