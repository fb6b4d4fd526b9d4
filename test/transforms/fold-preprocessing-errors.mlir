// RUN: leaf-opt %s -leaf-fold-preprocessing -split-input-file -verify-diagnostics

// expected-error@+1 {{input 'x': --input-layout names 4 axes, but the input has 2}}
func.func @main(%x: tensor<1x2xf32> {leaf.name = "x", leaf.preprocess = {perm = array<i64: 0, 3, 1, 2>}}) {
  return
}

// -----

// expected-error@+1 {{input 'x': --mean gives 3 values, but axis 1 of the caller's array has 2 channels}}
func.func @main(%x: tensor<1x2xf32> {leaf.name = "x", leaf.preprocess = {mean = array<f64: 1.0, 2.0, 3.0>}}) {
  return
}

// -----

// expected-error@+1 {{input 'x': --std gives 2 values, but axis 1 of the caller's array has no fixed size}}
func.func @main(%x: tensor<1x?xf32> {leaf.name = "x", leaf.preprocess = {std = array<f64: 1.0, 2.0>}}) {
  return
}

// -----

// expected-error@+1 {{input 'x': --mean gives 2 values, but an input of rank 1 has no channels}}
func.func @main(%x: tensor<2xf32> {leaf.name = "x", leaf.preprocess = {mean = array<f64: 1.0, 2.0>}}) {
  return
}

// -----

// expected-error@+1 {{input 'x': --std takes finite numbers other than 0}}
func.func @main(%x: tensor<2xf32> {leaf.name = "x", leaf.preprocess = {std = array<f64: 0.0>}}) {
  return
}

// -----

// expected-error@+1 {{input 'x': --mean and --std need an input of floats; the model takes 'i64'}}
func.func @main(%x: tensor<2xi64> {leaf.name = "x", leaf.preprocess = {mean = array<f64: 1.0>}}) {
  return
}

// -----

// expected-error@+1 {{input 'x': --input-type gives 'f32' where the model takes 'i64'}}
func.func @main(%x: tensor<2xi64> {leaf.name = "x", leaf.preprocess = {type = f32}}) {
  return
}

// -----

// expected-error@+1 {{input 'x': it shares a buffer with an output}}
func.func @main(%x: tensor<2xf32> {leaf.name = "x", leaf.alias = "y", leaf.preprocess = {type = ui8}}) {
  return
}

// -----

// expected-error@+1 {{--output-argmax: output 'y' has rank 1, and so no axis 1}}
func.func @main(%x: tensor<2xf32>) -> (tensor<2xf32> {leaf.name = "y", leaf.argmax = 1 : i64}) {
  return %x : tensor<2xf32>
}
