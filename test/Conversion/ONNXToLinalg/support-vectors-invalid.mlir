// RUN: leaf-opt %s -leaf-convert-onnx-to-linalg -split-input-file -verify-diagnostics

func.func @main(%x: tensor<5x2xf32>) -> tensor<5x1xf32> {
  // expected-error @below {{has attributes that do not fit its 2 features and 2 support vectors}}
  %0 = "onnx.ml.SVMRegressor"(%x) {n_supports = 2 : i64, support_vectors = array<f32: 1.0, 2.0, 3.0>, coefficients = array<f32: 1.0, 1.0>, rho = array<f32: 0.5>} : (tensor<5x2xf32>) -> tensor<5x1xf32>
  return %0 : tensor<5x1xf32>
}

// -----

func.func @main(%x: tensor<5x2xf32>) -> tensor<5x1xf32> {
  // expected-error @below {{has the unknown kernel 'COSINE'}}
  %0 = "onnx.ml.SVMRegressor"(%x) {kernel_type = "COSINE", coefficients = array<f32: 1.0, 1.0>, rho = array<f32: 0.5>} : (tensor<5x2xf32>) -> tensor<5x1xf32>
  return %0 : tensor<5x1xf32>
}

// -----

func.func @main(%x: tensor<5x2xf32>) -> tensor<5x1xf32> {
  // expected-error @below {{has 2 kernel_params instead of gamma, coef0 and degree}}
  %0 = "onnx.ml.SVMRegressor"(%x) {kernel_type = "RBF", kernel_params = array<f32: 0.5, 1.0>, coefficients = array<f32: 1.0, 1.0>, rho = array<f32: 0.5>} : (tensor<5x2xf32>) -> tensor<5x1xf32>
  return %0 : tensor<5x1xf32>
}
