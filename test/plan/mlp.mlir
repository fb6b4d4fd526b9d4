// RUN: leaf-opt %s -pass-pipeline='builtin.module(canonicalize,cse,leaf-outline-kernels,canonicalize,cse,leaf-deduplicate-kernels,leaf-check-form,leaf-bufferize-plan,canonicalize,cse,leaf-assign-capacities,leaf-assign-arena,leaf-assign-weights,leaf-check-plan)' | FileCheck %s

// A two-layer perceptron through form and plan: one arena slot, the last kernel writes the output.
// CHECK:      module attributes {{.*}}plan.arena_bytes = 64 : i64{{.*}}plan.weight_bytes = 192 : i64
// CHECK-DAG:  leaf.weight @w0 = {{.*}} {plan.offset = 0 : i64}
// CHECK-DAG:  leaf.weight @b0 = {{.*}} {plan.offset = 64 : i64}
// CHECK:      func.func @main(%[[X:.*]]: memref<1x2x2xf32> {{.*}}, %[[Y:.*]]: memref<1x2xf32>
// CHECK:        plan.slot 0 bytes 64 : memref<1x3xf32>
// CHECK:        plan.call @kernel_0
// CHECK:        plan.call @kernel_1
// CHECK:        return{{$}}
module attributes {leaf.model = "mlp"} {
  leaf.weight @w0 = dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0], [1.0, 2.0, 3.0]]> : tensor<4x3xf32>
  leaf.weight @b0 = dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  leaf.weight @w1 = dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  func.func @main(%x: tensor<1x2x2xf32> {leaf.name = "x"}) -> (tensor<1x2xf32> {leaf.name = "y"}) {
    %w0 = leaf.load_weight @w0 : tensor<4x3xf32>
    %b0 = leaf.load_weight @b0 : tensor<3xf32>
    %w1 = leaf.load_weight @w1 : tensor<3x2xf32>
    %flat = tensor.collapse_shape %x [[0], [1, 2]] : tensor<1x2x2xf32> into tensor<1x4xf32>
    %e0 = tensor.empty() : tensor<1x3xf32>
    %h = leaf.contract ins(%flat, %w0 : tensor<1x4xf32>, tensor<4x3xf32>) extras(%b0 : tensor<3xf32>) outs(%e0 : tensor<1x3xf32>)
      {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (n)>, affine_map<(m, n, k) -> (m, n)>],
       iterator_types = ["parallel", "parallel", "reduction"]}
      lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
      rhs { ^bb0(%r: f32): leaf.yield %r : f32 }
      epilogue { ^bb0(%acc: f32, %b: f32):
        %zero = arith.constant 0.0 : f32
        %s = arith.addf %acc, %b : f32
        %m = arith.maximumf %s, %zero : f32
        leaf.yield %m : f32 }
      -> tensor<1x3xf32> loc("/fc0")
    %e1 = tensor.empty() : tensor<1x2xf32>
    %y = leaf.contract ins(%h, %w1 : tensor<1x3xf32>, tensor<3x2xf32>) outs(%e1 : tensor<1x2xf32>)
      {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
       iterator_types = ["parallel", "parallel", "reduction"]}
      lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
      rhs { ^bb0(%r: f32): leaf.yield %r : f32 }
      epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 }
      -> tensor<1x2xf32> loc("/fc1")
    return %y : tensor<1x2xf32>
  }
}
