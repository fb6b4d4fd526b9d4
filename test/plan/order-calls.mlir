// RUN: leaf-opt %s -leaf-order-calls | FileCheck %s

// Each wide buffer dies before the next one is made; which one comes first is all the same.
// CHECK-LABEL: func.func @main
// CHECK:         %[[A:.*]] = plan.call @wide
// CHECK:         %[[C:.*]] = plan.call @narrow(%[[A]] :
// CHECK:         %[[B:.*]] = plan.call @wide
// CHECK:         %[[D:.*]] = plan.call @narrow(%[[B]] :
// CHECK:         plan.call @join(%[[D]], %[[C]] :
func.func @main(%x: tensor<16xf32>) -> tensor<16xf32> {
  %e = tensor.empty() : tensor<1024xf32>
  %a = plan.call @wide(%x : tensor<16xf32>) outs(%e : tensor<1024xf32>) -> tensor<1024xf32>
  %b = plan.call @wide(%x : tensor<16xf32>) outs(%e : tensor<1024xf32>) -> tensor<1024xf32>
  %f = tensor.empty() : tensor<16xf32>
  %c = plan.call @narrow(%a : tensor<1024xf32>) outs(%f : tensor<16xf32>) -> tensor<16xf32>
  %d = plan.call @narrow(%b : tensor<1024xf32>) outs(%f : tensor<16xf32>) -> tensor<16xf32>
  %r = plan.call @join(%c, %d : tensor<16xf32>, tensor<16xf32>) outs(%f : tensor<16xf32>) -> tensor<16xf32>
  return %r : tensor<16xf32>
}

// Nothing is gained: the given order stays.
// CHECK-LABEL: func.func @same
// CHECK:         plan.call @join(%arg1, %arg0 :
// CHECK-NEXT:    plan.call @join(%arg0, %arg1 :
// CHECK-NEXT:    plan.call @join(%{{.*}}, %{{.*}} :
func.func @same(%x: tensor<16xf32>, %y: tensor<16xf32>) -> tensor<16xf32> {
  %f = tensor.empty() : tensor<16xf32>
  %a = plan.call @join(%y, %x : tensor<16xf32>, tensor<16xf32>) outs(%f : tensor<16xf32>) -> tensor<16xf32>
  %b = plan.call @join(%x, %y : tensor<16xf32>, tensor<16xf32>) outs(%f : tensor<16xf32>) -> tensor<16xf32>
  %r = plan.call @join(%a, %b : tensor<16xf32>, tensor<16xf32>) outs(%f : tensor<16xf32>) -> tensor<16xf32>
  return %r : tensor<16xf32>
}

// A destination that is no tensor.empty: what it holds may matter.
// CHECK-LABEL: func.func @left_alone
// CHECK:         plan.call @wide
// CHECK-NEXT:    plan.call @wide
func.func @left_alone(%x: tensor<16xf32>, %o: tensor<1024xf32>) -> tensor<16xf32> {
  %a = plan.call @wide(%x : tensor<16xf32>) outs(%o : tensor<1024xf32>) -> tensor<1024xf32>
  %b = plan.call @wide(%x : tensor<16xf32>) outs(%a : tensor<1024xf32>) -> tensor<1024xf32>
  %f = tensor.empty() : tensor<16xf32>
  %c = plan.call @narrow(%a : tensor<1024xf32>) outs(%f : tensor<16xf32>) -> tensor<16xf32>
  %d = plan.call @narrow(%b : tensor<1024xf32>) outs(%f : tensor<16xf32>) -> tensor<16xf32>
  %r = plan.call @join(%c, %d : tensor<16xf32>, tensor<16xf32>) outs(%f : tensor<16xf32>) -> tensor<16xf32>
  return %r : tensor<16xf32>
}

plan.kernel @wide(%0: tensor<16xf32>, %1: tensor<1024xf32>) -> tensor<1024xf32> attributes {num_outs = 1 : i64} {
  plan.yield %1 : tensor<1024xf32>
}
plan.kernel @narrow(%0: tensor<1024xf32>, %1: tensor<16xf32>) -> tensor<16xf32> attributes {num_outs = 1 : i64} {
  plan.yield %1 : tensor<16xf32>
}
plan.kernel @join(%0: tensor<16xf32>, %1: tensor<16xf32>, %2: tensor<16xf32>) -> tensor<16xf32> attributes {num_outs = 1 : i64} {
  plan.yield %2 : tensor<16xf32>
}
