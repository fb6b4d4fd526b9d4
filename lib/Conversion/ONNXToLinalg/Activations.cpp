//===- Activations.cpp - activation functions --------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;
using Values = ArrayRef<Value>;

/// log(1 + exp(x)) without overflow: max(x, 0) + log1p(exp(-|x|))
static Value softplus(Scalar &s, Value x) {
  Value tail = math::Log1pOp::create(s.b, s.loc, s.exp(s.neg(s.abs(x))));
  return s.add(s.max(x, s.number(0)), tail);
}

/// negative ? f : x, with negative = x < 0; NaN goes to x.
static Value whereNegative(Scalar &s, Value x, Value f) {
  return s.select(s.compare(Scalar::lt, x, s.number(0)), f, x);
}

static Value expMinusOne(Scalar &s, Value x) { return math::ExpM1Op::create(s.b, s.loc, x); }

static Value emitRelu(Scalar &s, Node &, Values x) { return s.max(x[0], s.number(0)); }
static Value emitSigmoid(Scalar &s, Node &, Values x) { return s.sigmoid(x[0]); }

static Value emitLeakyRelu(Scalar &s, Node &node, Values x) {
  return whereNegative(s, x[0], s.mul(x[0], s.number(node.getFloat("alpha", 0.01))));
}

static Value emitPRelu(Scalar &s, Node &, Values x) { return whereNegative(s, x[0], s.mul(x[0], x[1])); }

static Value emitElu(Scalar &s, Node &node, Values x) {
  return whereNegative(s, x[0], s.mul(s.number(node.getFloat("alpha", 1)), expMinusOne(s, x[0])));
}

static Value emitSelu(Scalar &s, Node &node, Values x) {
  double alpha = node.getFloat("alpha", 1.67326319217681884765625),
         gamma = node.getFloat("gamma", 1.05070102214813232421875);
  Value negative = s.mul(s.number(alpha), expMinusOne(s, x[0]));
  return s.mul(s.number(gamma), whereNegative(s, x[0], negative));
}

static Value emitCelu(Scalar &s, Node &node, Values x) {
  double alpha = node.getFloat("alpha", 1);
  return whereNegative(s, x[0], s.mul(s.number(alpha), expMinusOne(s, s.mul(x[0], s.number(1 / alpha)))));
}

static Value hardSigmoid(Scalar &s, Value x, double alpha, double beta) {
  Value line = s.add(s.mul(x, s.number(alpha)), s.number(beta));
  return s.max(s.min(line, s.number(1)), s.number(0));
}

static Value emitHardSigmoid(Scalar &s, Node &node, Values x) {
  return hardSigmoid(s, x[0], node.getFloat("alpha", 0.2), node.getFloat("beta", 0.5));
}

static Value emitHardSwish(Scalar &s, Node &, Values x) { return s.mul(x[0], hardSigmoid(s, x[0], 1.0 / 6.0, 0.5)); }

static Value emitSwish(Scalar &s, Node &node, Values x) {
  double alpha = node.getFloat("alpha", 1);
  return s.mul(x[0], s.sigmoid(alpha == 1 ? x[0] : s.mul(x[0], s.number(alpha))));
}

static Value emitMish(Scalar &s, Node &, Values x) { return s.mul(x[0], s.tanh(softplus(s, x[0]))); }
static Value emitSoftplus(Scalar &s, Node &, Values x) { return softplus(s, x[0]); }
static Value emitSoftsign(Scalar &s, Node &, Values x) { return s.div(x[0], s.add(s.number(1), s.abs(x[0]))); }

static Value emitGelu(Scalar &s, Node &node, Values x) {
  Value inner;
  if (node.getString("approximate", "none") == "tanh") {
    Value cube = s.mul(s.mul(x[0], x[0]), x[0]);
    Value argument = s.add(x[0], s.mul(s.number(0.044715), cube));
    inner = s.tanh(s.mul(s.number(0.79788456080286535588), argument));
  } else {
    inner = math::ErfOp::create(s.b, s.loc, s.mul(x[0], s.number(0.70710678118654752440)));
  }
  return s.mul(s.mul(s.number(0.5), x[0]), s.add(s.number(1), inner));
}

static Value emitClip(Scalar &s, Node &, Values x) {
  Value result = x[0];
  if (x.size() > 1 && x[1])
    result = s.max(result, x[1]);
  if (x.size() > 2 && x[2])
    result = s.min(result, x[2]);
  return result;
}

static Value emitThresholdedRelu(Scalar &s, Node &node, Values x) {
  Value above = s.compare(Scalar::gt, x[0], s.number(node.getFloat("alpha", 1)));
  return s.select(above, x[0], s.number(0));
}

static Value emitShrink(Scalar &s, Node &node, Values x) {
  double lambda = node.getFloat("lambd", 0.5);
  Value bias = s.number(node.getFloat("bias", 0)), zero = s.number(0);
  Value positive = s.select(s.compare(Scalar::gt, x[0], s.number(lambda)), s.sub(x[0], bias), zero);
  return s.select(s.compare(Scalar::lt, x[0], s.number(-lambda)), s.add(x[0], bias), positive);
}

void leaf::onnxtolinalg::registerActivations(Registry &registry) {
  registry.add("Relu", elementwise<emitRelu>);
  registry.add("Sigmoid", elementwise<emitSigmoid>);
  registry.add("LeakyRelu", elementwise<emitLeakyRelu>);
  registry.add("PRelu", elementwise<emitPRelu>);
  registry.add("Elu", elementwise<emitElu>);
  registry.add("Selu", elementwise<emitSelu>);
  registry.add("Celu", elementwise<emitCelu>);
  registry.add("HardSigmoid", elementwise<emitHardSigmoid>);
  registry.add("HardSwish", elementwise<emitHardSwish>);
  registry.add("Swish", elementwise<emitSwish>);
  registry.add("Mish", elementwise<emitMish>);
  registry.add("Softplus", elementwise<emitSoftplus>);
  registry.add("Softsign", elementwise<emitSoftsign>);
  registry.add("Gelu", elementwise<emitGelu>);
  registry.add("Clip", elementwise<emitClip>);
  registry.add("ThresholdedRelu", elementwise<emitThresholdedRelu>);
  registry.add("Shrink", elementwise<emitShrink>);
}
