//===- ActivationBodies.cpp - Gelu and its kin of com.microsoft ---------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Body.h"

using namespace leaf::importer;
using ::onnx::MakeAttribute;

static std::string gelu(Body &body, std::string x, const char *approximate) {
  return body.op("Gelu", {std::move(x)}, {MakeAttribute("approximate", std::string(approximate))});
}

/// Gelu, BiasGelu and FastGelu: of the sum of all operands.
template <bool fast> static void expandGelu(Body &body) {
  std::string x = body.hasInput(1) ? body.add(body.input(0), body.input(1)) : body.input(0);
  body.setOutput(0, gelu(body, x, fast ? "tanh" : "none"));
}

static void expandQuickGelu(Body &body) {
  body.setOutput(0, body.op("Swish", {body.input(0)}, body.copies({"alpha"})));
}

void leaf::importer::addActivationBodies(BodyTable &table) {
  const char *domain = "com.microsoft";
  table.add(domain, "Gelu", expandGelu<false>);
  table.add(domain, "BiasGelu", expandGelu<false>);
  table.add(domain, "FastGelu", expandGelu<true>);
  table.add(domain, "QuickGelu", expandQuickGelu);
}
