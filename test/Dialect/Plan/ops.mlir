// RUN: leaf-opt %s | leaf-opt | FileCheck %s

// CHECK: plan.kernel @relu(%{{.*}}: tensor<8xf32>, %{{.*}}: tensor<8xf32>) -> tensor<8xf32> attributes {in_place = array<i64: 0>, nodes = ["/relu"], num_outs = 1 : i64
plan.kernel @relu(%x: tensor<8xf32>, %o: tensor<8xf32>) -> tensor<8xf32>
    attributes {num_outs = 1 : i64, in_place = array<i64: 0>, nodes = ["/relu"]} {
  plan.yield %o : tensor<8xf32>
}

// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<8xf32>, %n: index, %ok: i1) -> tensor<8xf32> {
  // CHECK: plan.require %{{.*}}, "sizes differ"
  plan.require %ok, "sizes differ"
  %e = tensor.empty() : tensor<8xf32>
  // CHECK: plan.call @relu(%{{.*}} : tensor<8xf32>) outs(%{{.*}} : tensor<8xf32>) -> tensor<8xf32>
  %r = plan.call @relu(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  return %r : tensor<8xf32>
}

// CHECK-LABEL: func.func @slots
func.func @slots(%n: index) -> memref<?xf32> {
  // CHECK: plan.slot 128 bytes 64[%{{.*}}] : memref<?xf32>
  %s = plan.slot 128 bytes 64 [%n] : memref<?xf32>
  return %s : memref<?xf32>
}
