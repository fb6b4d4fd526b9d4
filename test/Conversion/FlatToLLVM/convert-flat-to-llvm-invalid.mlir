// RUN: leaf-opt %s -leaf-convert-flat-to-llvm -split-input-file -verify-diagnostics

func.func private @alloc() {
  // expected-error @below {{'memref.alloc' op has no lowering to LLVM here}}
  %m = memref.alloc() : memref<4xf32>
  return
}

// -----

func.func private @dynamic_stride(%m: memref<?x?xf32>, %i: index, %j: index) -> f32 {
  // expected-error @below {{needs a static stride in 'memref<?x?xf32>'}}
  // expected-error @below {{failed to legalize operation 'memref.load'}}
  %v = memref.load %m[%i, %j] : memref<?x?xf32>
  return %v : f32
}

// -----

// expected-error @below {{needs the model's name in leaf.model}}
module {
  func.func @main() { return }
}

// -----

module attributes {leaf.model = "net"} {
  // expected-error @below {{size argument 0 needs a name (leaf.dim) with a bound in leaf.bounds}}
  func.func @main(%n: index {leaf.dim = "n"}) { return }
}

// -----

module attributes {leaf.model = "net"} {
  leaf.weight @w = dense<1.0> : tensor<4xf32>
  func.func @main() {
    // expected-error @below {{the weight has no plan.offset; run the plan stage first}}
    %w = leaf.load_weight @w : memref<4xf32>
    return
  }
}

// -----

module attributes {leaf.model = "net"} {
  func.func @main(%x: memref<4xf32>) {
    %c1 = arith.constant 1 : index
    // expected-error @below {{does not fit the signature of @k}}
    plan.launch @k(%x : memref<4xf32>) tiles(%c1)
    return
  }
  func.func private @k(%x: memref<?xf32>, %begin: index, %end: index) { return }
}
