// RUN: leaf-opt %s -leaf-check-compress -verify-diagnostics

func.func @other_dialect(%x: f32) -> f32 {
  // expected-error @+1 {{must not be there after 'compress'}}
  %0 = arith.addf %x, %x : f32
  return %0 : f32
}
