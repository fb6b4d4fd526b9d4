// RUN: leaf-opt %s -leaf-emit-kernels='least-microseconds=2 operations-per-microsecond=1000 bytes-per-microsecond=2000' -canonicalize -cse | FileCheck %s
// RUN: leaf-opt %s -leaf-emit-kernels='workers=2 least-microseconds=1 operations-per-microsecond=1000 bytes-per-microsecond=2000' -canonicalize -cse | FileCheck %s --check-prefix=WORKERS
// RUN: leaf-opt %s -leaf-emit-kernels='workers=2 least-microseconds=1 operations-per-microsecond=10000 bytes-per-microsecond=6000' -canonicalize -cse | FileCheck %s --check-prefix=FASTER

#id = affine_map<(i, j) -> (i, j)>
#cols = affine_map<(i, j) -> (j)>

// 1,200 operations take 1.2 us, 9,600 bytes 4.8 us: two launches are worth two threads, the small one is not.
// CHECK-LABEL: func.func @main
// CHECK:         plan.launch @small({{.*}}) tiles({{.*}}) {plan.serial}
// CHECK:         plan.launch @large({{.*}}) tiles({{.*}}){{$}}
// CHECK:         plan.launch @means({{.*}}) tiles(%c2
// CHECK-LABEL: func.func private @small({{.*}} attributes {leaf.cost = array<i64: 300, 2400>, leaf.kernel}
// CHECK-LABEL: func.func private @large({{.*}} attributes {leaf.cost = array<i64: 1200, 9600>, leaf.kernel}

// Columns of long sums are blocks of whole strips, so that there are several.
// CHECK-LABEL: func.func private @means({{.*}} attributes {leaf.cost = array<i64: 64000, 256256>
// CHECK:         arith.muli %{{.*}}, %c32
// 256,256 bytes in a cache take 64 us at 4 KB/us, and at 12 KB/us 21 us: half of that, 1 us to launch and 20 us to wake the
// other worker are less than the first and more than the second. The other launches have one tile.
// WORKERS:         plan.launch @large({{.*}}) tiles(%c1
// WORKERS:         plan.launch @means({{.*}}) tiles({{.*}}){{$}}
// FASTER:          plan.launch @means({{.*}}) tiles({{.*}}) {plan.serial}
func.func @main(%x: memref<3x100xf32>, %y: memref<3x100xf32>, %p: memref<12x100xf32>, %q: memref<12x100xf32>,
                %m: memref<1000x64xf32>, %n: memref<64xf32>) {
  plan.call @small(%x : memref<3x100xf32>) outs(%y : memref<3x100xf32>)
  plan.call @large(%p : memref<12x100xf32>) outs(%q : memref<12x100xf32>)
  plan.call @means(%m : memref<1000x64xf32>) outs(%n : memref<64xf32>)
  return
}
plan.kernel @small(%0: tensor<3x100xf32>, %1: tensor<3x100xf32>) -> tensor<3x100xf32> attributes {num_outs = 1 : i64} {
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<3x100xf32>) outs(%1 : tensor<3x100xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<3x100xf32>
  plan.yield %2 : tensor<3x100xf32>
}
plan.kernel @large(%0: tensor<12x100xf32>, %1: tensor<12x100xf32>) -> tensor<12x100xf32> attributes {num_outs = 1 : i64} {
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<12x100xf32>) outs(%1 : tensor<12x100xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<12x100xf32>
  plan.yield %2 : tensor<12x100xf32>
}
plan.kernel @means(%0: tensor<1000x64xf32>, %1: tensor<64xf32>) -> tensor<64xf32> attributes {num_outs = 1 : i64} {
  %zero = arith.constant 0.0 : f32
  %f = linalg.fill ins(%zero : f32) outs(%1 : tensor<64xf32>) -> tensor<64xf32>
  %2 = linalg.generic {indexing_maps = [#id, #cols], iterator_types = ["reduction", "parallel"]}
      ins(%0 : tensor<1000x64xf32>) outs(%f : tensor<64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<64xf32>
  plan.yield %2 : tensor<64xf32>
}
