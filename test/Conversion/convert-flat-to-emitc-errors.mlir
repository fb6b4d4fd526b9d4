// RUN: leaf-opt %s -split-input-file -verify-diagnostics -leaf-convert-flat-to-emitc

// expected-error@below {{has no entry function @main}}
module attributes {leaf.model = "m"} {
}

// -----

// expected-error@below {{needs the model's name in leaf.model}}
module {
  func.func @main() {
    return
  }
}

// -----

module attributes {leaf.model = "m"} {
  func.func @main(%x: memref<8xf32>) {
    %c1 = arith.constant 1 : index
    // expected-error@below {{does not fit the signature of @k}}
    plan.launch @k(%x : memref<8xf32>) tiles(%c1)
    return
  }
  func.func private @k(%x: memref<?xf32>, %begin: index, %end: index) {
    return
  }
}

// -----

module attributes {leaf.model = "m"} {
  // expected-error@below {{size argument 0 needs a name (leaf.dim) with a bound in leaf.bounds}}
  func.func @main(%n: index) {
    return
  }
}

// -----

module attributes {leaf.model = "m"} {
  func.func @main(%x: memref<8xf32>) {
    return
  }
  func.func private @k(%x: memref<?xf32>, %scratch: memref<?xi8>, %begin: index, %end: index) {
    %a = memref.load %x[%begin] : memref<?xf32>
    // expected-error@below {{failed to legalize operation 'math.exp'}}
    %b = math.exp %a : f32
    memref.store %b, %x[%begin] : memref<?xf32>
    return
  }
}
