//===- MicrosoftExperts.cpp - mixtures of experts of com.microsoft ------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "SchemaBuilder.h"

using namespace leaf::onnx;
using ::onnx::AttributeProto;

void leaf::onnx::addMicrosoftExperts() {
  SchemaBuilder("MoE", "The k experts of each row that its router prefers, two layers each, weighted and added up.")
      .input("input")
      .input("router_probs")
      .input("fc1_experts_weights")
      .optional("fc1_experts_bias")
      .input("fc2_experts_weights")
      .optional("fc2_experts_bias")
      .optional("fc3_experts_weights")
      .optional("fc3_experts_bias")
      .optional("router_weights")
      .output("output")
      .text("activation_type", "relu")
      .integer("k", 1)
      .integer("normalize_routing_weights", 0)
      .integer("use_sparse_mixer", 0)
      .integer("swiglu_fusion", 0)
      .number("activation_alpha", 1.0f)
      .number("activation_beta", 0.0f)
      .attribute("swiglu_limit", AttributeProto::FLOAT)
      .inference(inferFirst)
      .add();
}
