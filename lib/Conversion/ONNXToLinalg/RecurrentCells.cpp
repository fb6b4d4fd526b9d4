//===- RecurrentCells.cpp - cells of RNN, GRU and LSTM -------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "RecurrentCells.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

Value RecurrentActivation::emit(Scalar &s, Value x) const {
  auto line = [&] { return s.add(s.mul(x, s.number(alpha)), s.number(beta)); };
  auto whereNegative = [&](Value y) { return s.select(s.compare(Scalar::lt, x, s.number(0)), y, x); };
  switch (kind) {
  case Affine:
    return line();
  case Elu:
    return whereNegative(s.mul(s.number(alpha), math::ExpM1Op::create(s.b, s.loc, x)));
  case HardSigmoid:
    return s.max(s.min(line(), s.number(1)), s.number(0));
  case LeakyRelu:
    return whereNegative(s.mul(x, s.number(alpha)));
  case Relu:
    return s.max(x, s.number(0));
  case ScaledTanh:
    return s.mul(s.number(alpha), s.tanh(s.mul(s.number(beta), x)));
  case Sigmoid:
    return s.sigmoid(x);
  case Softplus:
    return s.add(s.max(x, s.number(0)), math::Log1pOp::create(s.b, s.loc, s.exp(s.neg(s.abs(x)))));
  case Softsign:
    return s.div(x, s.add(s.number(1), s.abs(x)));
  case Tanh:
    return s.tanh(x);
  case ThresholdedRelu:
    return s.select(s.compare(Scalar::ge, x, s.number(alpha)), x, s.number(0));
  }
  llvm_unreachable("all kinds are covered");
}

namespace {
struct Parameters {
  RecurrentActivation activation;
  bool takesAlpha, takesBeta;
};
} // namespace

static std::optional<Parameters> findActivation(StringRef name) {
  using A = RecurrentActivation;
  return llvm::StringSwitch<std::optional<Parameters>>(name.lower())
      .Case("affine", Parameters{{A::Affine, 1, 0}, true, true})
      .Case("elu", Parameters{{A::Elu, 1, 0}, true, false})
      .Case("hardsigmoid", Parameters{{A::HardSigmoid, 0.2, 0.5}, true, true})
      .Case("leakyrelu", Parameters{{A::LeakyRelu, 0.01, 0}, true, false})
      .Case("relu", Parameters{{A::Relu}, false, false})
      .Case("scaledtanh", Parameters{{A::ScaledTanh, 1, 1}, true, true})
      .Case("sigmoid", Parameters{{A::Sigmoid}, false, false})
      .Case("softplus", Parameters{{A::Softplus}, false, false})
      .Case("softsign", Parameters{{A::Softsign}, false, false})
      .Case("tanh", Parameters{{A::Tanh}, false, false})
      .Case("thresholdedrelu", Parameters{{A::ThresholdedRelu, 1, 0}, true, false})
      .Default(std::nullopt);
}

static SmallVector<float> getFloats(Node &node, StringRef name) {
  auto array = dyn_cast_or_null<DenseF32ArrayAttr>(node.getOperation()->getAttr(name));
  return array ? SmallVector<float>(array.asArrayRef()) : SmallVector<float>();
}

FailureOr<SmallVector<RecurrentActivation>> leaf::onnxtolinalg::getRecurrentActivations(Node &node, unsigned direction,
                                                                                        ArrayRef<StringRef> defaults) {
  SmallVector<StringRef> names;
  if (auto given = dyn_cast_or_null<ArrayAttr>(node.getOperation()->getAttr("activations")))
    for (auto name : given.getAsRange<StringAttr>())
      names.push_back(name.getValue());
  if (names.empty())
    for (unsigned d = 0; d <= direction; ++d)
      llvm::append_range(names, defaults);
  if (names.size() < (direction + 1) * defaults.size())
    return node.emitError() << "has " << names.size() << " activations; each direction needs " << defaults.size();
  // alpha and beta list the parameters of just those functions that take one, over all directions.
  SmallVector<float> alphas = getFloats(node, "activation_alpha"), betas = getFloats(node, "activation_beta");
  size_t nextAlpha = 0, nextBeta = 0;
  SmallVector<RecurrentActivation> result;
  for (auto [i, name] : llvm::enumerate(names)) {
    std::optional<Parameters> found = findActivation(name);
    if (!found)
      return node.emitError() << "has the unknown activation '" << name << "'";
    if (found->takesAlpha && nextAlpha < alphas.size())
      found->activation.alpha = alphas[nextAlpha++];
    if (found->takesBeta && nextBeta < betas.size())
      found->activation.beta = betas[nextBeta++];
    if (i / defaults.size() == direction)
      result.push_back(found->activation);
  }
  return result;
}
