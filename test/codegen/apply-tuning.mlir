// A shape that the file knows gets its choice; each shape is noted, and another target's choices do not count.
// RUN: split-file %s %t
// RUN: leaf-opt %t/in.mlir --leaf-apply-tuning="file=%t/tuning.json target=machine" | FileCheck %s
// RUN: leaf-opt %t/in.mlir --leaf-apply-tuning="file=%t/tuning.json target=other" | FileCheck %s --check-prefix=OTHER
// RUN: not leaf-opt %t/in.mlir --leaf-apply-tuning="file=%t/damaged.json target=machine" 2>&1 | FileCheck %s --check-prefix=DAMAGED
// RUN: not leaf-opt %t/in.mlir --leaf-apply-tuning="file=%t/format.json target=machine" 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: not leaf-opt %t/in.mlir --leaf-apply-tuning="file=%t/field.json target=machine" 2>&1 | FileCheck %s --check-prefix=FIELD
// DAMAGED: tuning file '{{.*}}damaged.json' is damaged or none; write it anew by --tune
// FORMAT: tuning file '{{.*}}format.json' has a format that this leafc does not know
// FIELD: tuning file '{{.*}}field.json' has an entry that is no choice: loops 1

// CHECK: leaf.contract
// CHECK-SAME: leaf.tuning = {rows = 6 : i64, serial = true, vectors = 4 : i64}
// CHECK-SAME: leaf.tuning_key = "loops 16 32 sum 8; lhs f32 d0,d2; rhs f32 d2,d1; out f32 d0,d1; then"
// OTHER: leaf.contract
// OTHER-NOT: leaf.tuning =
// OTHER-SAME: leaf.tuning_key = "loops 16 32 sum 8

//--- tuning.json
{"format": 1, "targets": {"machine": {
  "loops 16 32 sum 8; lhs f32 d0,d2; rhs f32 d2,d1; out f32 d0,d1; then": {"rows": 6, "vectors": 4, "serial": true}}}}
//--- damaged.json
{"format": 1, "targets": {
//--- format.json
{"format": 2, "targets": {}}
//--- field.json
{"format": 1, "targets": {"machine": {"loops 1": {"rows": 0}}}}
//--- in.mlir
func.func @main(%x: tensor<16x8xf32>, %w: tensor<8x32xf32>) -> tensor<16x32xf32> {
  %e = tensor.empty() : tensor<16x32xf32>
  %r = leaf.contract ins(%x, %w : tensor<16x8xf32>, tensor<8x32xf32>) outs(%e : tensor<16x32xf32>)
    {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
     iterator_types = ["parallel", "parallel", "reduction"]}
    lhs { ^bb0(%l: f32): leaf.yield %l : f32 }
    rhs { ^bb0(%v: f32): leaf.yield %v : f32 }
    epilogue { ^bb0(%acc: f32): leaf.yield %acc : f32 } -> tensor<16x32xf32>
  return %r : tensor<16x32xf32>
}
