// RUN: leaf-opt %s -leaf-check-import -verify-diagnostics

func.func @other_dialect(%x: f32) -> f32 {
  // expected-error @+1 {{must not be there after 'import'}}
  %0 = arith.addf %x, %x : f32
  return %0 : f32
}
