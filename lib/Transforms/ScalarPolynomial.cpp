//===- ScalarPolynomial.cpp - polynomials in one value ------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ScalarPolynomial.h"

#include "leafcutter/Transforms/HostTensor.h"
#include "leafcutter/Transforms/Onnx.h"
#include <cmath>

using namespace mlir;
using namespace leaf;

/// Activations are written with a handful of ops; deeper expressions are none.
static constexpr unsigned kMaxDepth = 8;

std::optional<double> leaf::scalarConstant(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape() || type.getNumElements() != 1 || !isa<FloatType>(type.getElementType()))
    return std::nullopt;
  std::optional<HostTensor> constant = getHostConstant(value);
  return constant ? std::optional<double>(constant->getFloat(0)) : std::nullopt;
}

bool leaf::isClose(double a, double b) { return std::fabs(a - b) <= 1e-5 * std::fabs(b); }

static std::optional<Polynomial> multiply(const Polynomial &a, const Polynomial &b) {
  Polynomial product = {};
  for (unsigned i = 0; i < 4; ++i)
    for (unsigned j = 0; j < 4; ++j) {
      if (a[i] == 0 || b[j] == 0)
        continue;
      if (i + j > 3)
        return std::nullopt;
      product[i + j] += a[i] * b[j];
    }
  return product;
}

static std::optional<Polynomial> parse(Value value, Value x, unsigned depth);

static std::optional<Polynomial> parsePower(Operation *op, Value x, unsigned depth) {
  std::optional<Polynomial> base = parse(op->getOperand(0), x, depth);
  std::optional<HostTensor> exponent = getHostConstant(op->getOperand(1));
  if (!base || !exponent || exponent->size() != 1)
    return std::nullopt;
  double count = exponent->getNumber(0);
  if (count != 1 && count != 2 && count != 3)
    return std::nullopt;
  std::optional<Polynomial> power = base;
  for (int i = 1; power && i < count; ++i)
    power = multiply(*power, *base);
  return power;
}

static std::optional<Polynomial> parse(Value value, Value x, unsigned depth) {
  if (value == x)
    return Polynomial{0, 1, 0, 0};
  if (std::optional<double> constant = scalarConstant(value))
    return Polynomial{*constant, 0, 0, 0};
  Operation *op = value.getDefiningOp();
  if (!op || !isOnnx(op) || depth == 0 || value.getType() != x.getType())
    return std::nullopt;
  StringRef name = onnxName(op);
  if (name == "Pow")
    return parsePower(op, x, depth - 1);
  if (name != "Add" && name != "Sub" && name != "Mul" && name != "Div" && name != "Neg")
    return std::nullopt;
  std::optional<Polynomial> a = parse(op->getOperand(0), x, depth - 1);
  if (!a)
    return std::nullopt;
  if (name == "Neg")
    return multiply(*a, {-1, 0, 0, 0});
  std::optional<Polynomial> b = parse(op->getOperand(1), x, depth - 1);
  if (!b)
    return std::nullopt;
  if (name == "Mul")
    return multiply(*a, *b);
  if (name == "Div") {
    bool isConstant = (*b)[0] != 0 && (*b)[1] == 0 && (*b)[2] == 0 && (*b)[3] == 0;
    return isConstant ? multiply(*a, {1 / (*b)[0], 0, 0, 0}) : std::nullopt;
  }
  for (unsigned i = 0; i < 4; ++i)
    (*a)[i] += name == "Add" ? (*b)[i] : -(*b)[i];
  return a;
}

std::optional<Polynomial> leaf::polynomialIn(Value value, Value x) { return parse(value, x, kMaxDepth); }
