//===- MicrosoftActivations.cpp - Gelu and its kin of com.microsoft -----------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "SchemaBuilder.h"

using namespace leaf::onnx;

void leaf::onnx::addMicrosoftActivations() {
  SchemaBuilder("Gelu", "Y = X * (1 + erf(X / sqrt(2))) / 2.").input("X").output("Y").inference(inferFirst).add();
  SchemaBuilder("FastGelu", "Gelu of X + bias, approximated by tanh.")
      .input("X")
      .optional("bias")
      .output("Y")
      .inference(inferFirst)
      .add();
  SchemaBuilder("BiasGelu", "Gelu of A + B, where B has the size of the last dimension of A.")
      .input("A")
      .input("B")
      .output("C")
      .inference(inferFirst)
      .add();
  SchemaBuilder("QuickGelu", "Y = X * sigmoid(alpha * X).")
      .input("X")
      .output("Y")
      .number("alpha", 1.702f)
      .inference(inferFirst)
      .add();
}
