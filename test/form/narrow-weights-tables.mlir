// RUN: leaf-opt %s -leaf-narrow-weights | FileCheck %s --check-prefixes=CHECK,F16
// RUN: leaf-opt %s -leaf-narrow-weights=format=bf16 | FileCheck %s --check-prefixes=CHECK,BF16

// Rows of an embedding are widened when they are picked.
// CHECK-LABEL: func.func @main
// F16:           %[[W:.*]] = leaf.load_weight @w_f16 : tensor<3x2xf16>
// BF16:          %[[W:.*]] = leaf.load_weight @w_bf16 : tensor<3x2xi16>
// F16:             %[[E:.*]] = tensor.extract %[[W]][%{{.*}}] : tensor<3x2xf16>
// F16-NEXT:        %[[F:.*]] = arith.extf %[[E]] : f16 to f32
// BF16:            %[[E:.*]] = tensor.extract %[[W]][%{{.*}}] : tensor<3x2xi16>
// BF16-NEXT:       %[[B:.*]] = arith.extui %[[E]] : i16 to i32
// BF16:            %[[S:.*]] = arith.shli %[[B]], %{{.*}} : i32
// BF16-NEXT:       %[[F:.*]] = arith.bitcast %[[S]] : i32 to f32
// CHECK:           linalg.yield %[[F]] : f32
// CHECK-NOT:   leaf.weight @w =
leaf.weight @w = dense<[[1.0, 0.1], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>

func.func @main(%i: tensor<4xi64>) -> tensor<4x2xf32> {
  %w = leaf.load_weight @w : tensor<3x2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m)>, affine_map<(m, n) -> (m, n)>],
                       iterator_types = ["parallel", "parallel"]} ins(%i : tensor<4xi64>) outs(%e : tensor<4x2xf32>) {
  ^bb0(%at: i64, %o: f32):
    %row = arith.index_cast %at : i64 to index
    %column = linalg.index 1 : index
    %v = tensor.extract %w[%row, %column] : tensor<3x2xf32>
    linalg.yield %v : f32
  } -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// What a generic reads as an operand stays: it is read once, or small.
// CHECK-LABEL: func.func @operand
// CHECK:         leaf.load_weight @b : tensor<2x2xf32>
leaf.weight @b = dense<0.1> : tensor<2x2xf32>

func.func @operand() -> tensor<2x2xf32> {
  %b = leaf.load_weight @b : tensor<2x2xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>],
                       iterator_types = ["parallel", "parallel"]} ins(%b : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%v: f32, %o: f32):
    %n = arith.negf %v : f32
    linalg.yield %n : f32
  } -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}
