// RUN: leaf-opt %s -leaf-deduplicate-kernels | FileCheck %s

#id = affine_map<(d0) -> (d0)>

// CHECK-LABEL: func.func @main
// CHECK:         plan.call @a
// CHECK:         plan.call @a
// CHECK:         plan.call @c
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %0 = plan.call @a(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %1 = plan.call @b(%0 : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %2 = plan.call @c(%1 : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %2 : tensor<4xf32>
}

// CHECK: plan.kernel @a
plan.kernel @a(%0: tensor<4xf32>, %1: tensor<4xf32>) -> tensor<4xf32> attributes {num_outs = 1 : i64, nodes = ["x"]} {
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
    ins(%0 : tensor<4xf32>) outs(%1 : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = math.sqrt %a : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  plan.yield %2 : tensor<4xf32>
}

// CHECK-NOT: plan.kernel @b
plan.kernel @b(%0: tensor<4xf32>, %1: tensor<4xf32>) -> tensor<4xf32> attributes {num_outs = 1 : i64, nodes = ["y"]} {
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
    ins(%0 : tensor<4xf32>) outs(%1 : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = math.sqrt %a : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  plan.yield %2 : tensor<4xf32>
}

// Same but for one op in the body.
// CHECK: plan.kernel @c
plan.kernel @c(%0: tensor<4xf32>, %1: tensor<4xf32>) -> tensor<4xf32> attributes {num_outs = 1 : i64, nodes = ["z"]} {
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
    ins(%0 : tensor<4xf32>) outs(%1 : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = math.absf %a : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  plan.yield %2 : tensor<4xf32>
}
