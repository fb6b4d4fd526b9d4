// RUN: leaf-opt %s -leaf-outline-kernels | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>

module {
  leaf.weight @w = dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]> : tensor<3x3xf32>

  // A contract and the elementwise op behind it become two kernels; weights stay arguments.
  // CHECK-LABEL: func.func @main
  // CHECK-SAME:  (%[[X:.*]]: tensor<2x3xf32>)
  // CHECK:         %[[W:.*]] = leaf.load_weight @w
  // CHECK:         %[[E0:.*]] = tensor.empty() : tensor<2x3xf32>
  // CHECK:         %[[R0:.*]] = plan.call @kernel_0(%[[X]], %[[W]] : tensor<2x3xf32>, tensor<3x3xf32>) outs(%[[E0]] : tensor<2x3xf32>)
  // CHECK:         %[[E1:.*]] = tensor.empty() : tensor<2x3xf32>
  // CHECK:         %[[R1:.*]] = plan.call @kernel_1(%[[R0]] : tensor<2x3xf32>) outs(%[[E1]] : tensor<2x3xf32>)
  // CHECK:         return %[[R1]]
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    %w = leaf.load_weight @w : tensor<3x3xf32>
    %zero = arith.constant 0.0 : f32
    %e = tensor.empty() : tensor<2x3xf32>
    %0 = leaf.contract ins(%x, %w : tensor<2x3xf32>, tensor<3x3xf32>) outs(%e : tensor<2x3xf32>)
      {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
       iterator_types = ["parallel", "parallel", "reduction"]}
      lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
      rhs { ^bb0(%r: f32): leaf.yield %r : f32 }
      epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 }
      -> tensor<2x3xf32> loc("/fc/Gemm")
    %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) {
    ^bb0(%a: f32, %b: f32):
      %m = arith.maximumf %a, %zero : f32
      linalg.yield %m : f32
    } -> tensor<2x3xf32> loc(fused["/Relu", "/Relu", "/Other"])
    return %1 : tensor<2x3xf32>
  }
}

// CHECK:       plan.kernel @kernel_0(%[[A:.*]]: tensor<2x3xf32>, %[[B:.*]]: tensor<3x3xf32>, %[[O:.*]]: tensor<2x3xf32>) -> tensor<2x3xf32>
// CHECK-SAME:    nodes = ["/fc/Gemm"]
// CHECK-SAME:    num_outs = 1
// CHECK:         leaf.contract ins(%[[A]], %[[B]] : {{.*}}) outs(%[[O]] :

// The constant is inside, and the result may take the buffer of the operand.
// CHECK:       plan.kernel @kernel_1(%[[A:.*]]: tensor<2x3xf32>, %[[O:.*]]: tensor<2x3xf32>)
// CHECK-SAME:    in_place = array<i64: 0>
// CHECK-SAME:    nodes = ["/Relu", "/Other"]
// CHECK:         arith.constant 0.0
// CHECK:         linalg.generic {{.*}} ins(%[[A]] : {{.*}}) outs(%[[O]] :
