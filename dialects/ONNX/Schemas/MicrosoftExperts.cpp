//===- MicrosoftExperts.cpp - mixtures of experts of com.microsoft ------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "SchemaBuilder.h"

using namespace leaf::onnx;
using ::onnx::AttributeProto;

/// What both operators take.
static SchemaBuilder &addAttributes(SchemaBuilder &builder) {
  return builder.text("activation_type", "relu")
      .integer("k", 1)
      .integer("normalize_routing_weights", 0)
      .integer("use_sparse_mixer", 0)
      .integer("swiglu_fusion", 0)
      .number("activation_alpha", 1.0f)
      .number("activation_beta", 0.0f)
      .attribute("swiglu_limit", AttributeProto::FLOAT);
}

void leaf::onnx::addMicrosoftExperts() {
  SchemaBuilder experts("MoE",
                        "The k experts of each row that its router prefers, two layers each, weighted and added up.");
  experts.input("input")
      .input("router_probs")
      .input("fc1_experts_weights")
      .optional("fc1_experts_bias")
      .input("fc2_experts_weights")
      .optional("fc2_experts_bias")
      .optional("fc3_experts_weights")
      .optional("fc3_experts_bias")
      .optional("router_weights")
      .output("output")
      .inference(inferFirst);
  addAttributes(experts).add();
  SchemaBuilder packed("QMoE", "The same with weights of 4 or 8 bits, a scale for each row of them or for blocks.");
  packed.input("input")
      .input("router_probs")
      .input("fc1_experts_weights", "Q")
      .input("fc1_scales", "U")
      .optional("fc1_experts_bias")
      .input("fc2_experts_weights", "Q")
      .input("fc2_scales", "U")
      .optional("fc2_experts_bias")
      .optional("fc3_experts_weights", "Q")
      .optional("fc3_scales", "U")
      .optional("fc3_experts_bias")
      .optional("fc1_zero_points", "Q")
      .optional("fc2_zero_points", "Q")
      .optional("fc3_zero_points", "Q")
      .optional("router_weights")
      .output("output")
      .constraint("Q", {"tensor(uint8)"})
      .text("quant_type", "int")
      .integer("expert_weight_bits", 4)
      .integer("fc1_expert_weight_bits", 0)
      .integer("fc2_expert_weight_bits", 0)
      .integer("fc3_expert_weight_bits", 0)
      .integer("accuracy_level", 0)
      .integer("swiglu_limit_after_activation", 0)
      .integer("block_size", 0)
      .integer("weights_prepacked", 0)
      .inference(inferFirst);
  addAttributes(packed).add();
}
