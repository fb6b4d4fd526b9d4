//===- FuseGraphPatterns.cpp - operators written out in smaller ones ----------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ScalarPolynomial.h"
#include "leafcutter/Transforms/HostTensor.h"
#include "leafcutter/Transforms/Onnx.h"
#include "leafcutter/Transforms/Passes.h"
#include "leafcutter/Transforms/Shapes.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"
#include <cmath>

namespace leaf {
#define GEN_PASS_DEF_FUSEGRAPHPATTERNS
#include "leafcutter/Transforms/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

static Operation *definedBy(Value value, StringRef name) {
  Operation *op = value.getDefiningOp();
  return op && isOnnx(op, name) ? op : nullptr;
}

//===----------------------------------------------------------------------===//
// Gelu
//===----------------------------------------------------------------------===//

/// A product: one-element constants multiplied up, and the other factors.
struct Product {
  double constant = 1;
  SmallVector<Value> factors;
};

/// Opens products whose only use is in the one above.
static void collectFactors(Value value, bool isRoot, Product &product) {
  if (std::optional<double> constant = scalarConstant(value)) {
    product.constant *= *constant;
    return;
  }
  Operation *op = value.getDefiningOp();
  if (op && (isRoot || value.hasOneUse())) {
    if (isOnnx(op, "Mul")) {
      collectFactors(op->getOperand(0), false, product);
      return collectFactors(op->getOperand(1), false, product);
    }
    if (std::optional<double> divisor = isOnnx(op, "Div") ? scalarConstant(op->getOperand(1)) : std::nullopt;
        divisor && *divisor != 0) {
      product.constant /= *divisor;
      return collectFactors(op->getOperand(0), false, product);
    }
  }
  product.factors.push_back(value);
}

/// The operand t of `1 + t`, or null.
static Value addedToOne(Value value) {
  Operation *add = definedBy(value, "Add");
  if (!add)
    return {};
  for (unsigned i : {0, 1})
    if (std::optional<double> one = scalarConstant(add->getOperand(i)); one && *one == 1)
      return add->getOperand(1 - i);
  return {};
}

/// The value of Gelu's `approximate` for which 1 + `t` is its factor beside x / 2: t is erf(x / sqrt 2), or
/// tanh(sqrt(2 / pi) (x + 0.044715 x^3)). Empty: neither.
static StringRef geluKind(Value t, Value x) {
  Operation *erf = definedBy(t, "Erf"), *tanh = definedBy(t, "Tanh");
  if (!erf && !tanh)
    return "";
  std::optional<Polynomial> p = polynomialIn((erf ? erf : tanh)->getOperand(0), x);
  if (!p || (*p)[0] != 0 || (*p)[2] != 0)
    return "";
  if (erf)
    return (*p)[3] == 0 && isClose((*p)[1], std::sqrt(0.5)) ? "none" : "";
  double linear = std::sqrt(2 / M_PI);
  return isClose((*p)[1], linear) && isClose((*p)[3], 0.044715 * linear) ? "tanh" : "";
}

static bool fuseGelu(Operation *op) {
  if (!isOnnx(op, "Mul") && !isOnnx(op, "Div"))
    return false;
  Product product;
  collectFactors(op->getResult(0), true, product);
  if (product.factors.size() != 2 || !isClose(product.constant, 0.5))
    return false;
  for (unsigned i : {0, 1}) {
    Value x = product.factors[i], t = addedToOne(product.factors[1 - i]);
    if (!t || x.getType() != op->getResult(0).getType())
      continue;
    StringRef kind = geluKind(t, x);
    if (kind.empty())
      continue;
    OpBuilder builder(op);
    Operation *gelu =
        createOnnx(builder, op->getLoc(), "Gelu", x.getType(), x, {{"approximate", builder.getStringAttr(kind)}});
    op->getResult(0).replaceAllUsesWith(gelu->getResult(0));
    op->erase();
    return true;
  }
  return false;
}

//===----------------------------------------------------------------------===//
// LayerNormalization
//===----------------------------------------------------------------------===//

/// First axis of a ReduceMean over the trailing dimensions that keeps them; nothing otherwise.
static std::optional<int64_t> trailingMeanAxis(Operation *mean) {
  auto type = dyn_cast<RankedTensorType>(mean->getOperand(0).getType());
  Value axesOperand = onnxOperand(mean, 1);
  std::optional<HostTensor> axesValue = axesOperand ? getHostConstant(axesOperand) : std::nullopt;
  std::optional<SmallVector<int64_t>> axes = axesValue ? axesValue->ints() : std::nullopt;
  if (!type || !axes || axes->empty() || intAttr(mean, "keepdims", 1) == 0)
    return std::nullopt;
  for (int64_t &axis : *axes)
    axis = axis < 0 ? axis + type.getRank() : axis;
  llvm::sort(*axes);
  int64_t first = type.getRank() - static_cast<int64_t>(axes->size());
  for (auto [i, axis] : llvm::enumerate(*axes))
    if (axis != first + static_cast<int64_t>(i))
      return std::nullopt;
  return first;
}

/// Whether `value` is d * d.
static bool isSquareOf(Value value, Value d) {
  Operation *op = value.getDefiningOp();
  if (!op || !isOnnx(op))
    return false;
  if (isOnnx(op, "Mul"))
    return op->getOperand(0) == d && op->getOperand(1) == d;
  if (!isOnnx(op, "Pow") || op->getOperand(0) != d)
    return false;
  std::optional<HostTensor> exponent = getHostConstant(op->getOperand(1));
  return exponent && exponent->size() == 1 && exponent->getNumber(0) == 2;
}

namespace {
/// (x - mean) / sqrt(var + epsilon).
struct Normalized {
  Value x;
  int64_t axis;
  double epsilon;
};
} // namespace

/// The deviation d and the standard deviation s of d / s or d * (1 / s).
static std::pair<Value, Value> quotientOf(Operation *op) {
  if (isOnnx(op, "Div"))
    return {op->getOperand(0), op->getOperand(1)};
  if (isOnnx(op, "Mul"))
    for (unsigned i : {0, 1})
      if (Operation *reciprocal = definedBy(op->getOperand(i), "Reciprocal"))
        return {op->getOperand(1 - i), reciprocal->getOperand(0)};
  return {};
}

static std::optional<Normalized> matchNormalized(Operation *op) {
  auto [d, s] = quotientOf(op);
  Operation *sub = d ? definedBy(d, "Sub") : nullptr;
  Operation *sqrt = s ? definedBy(s, "Sqrt") : nullptr;
  Operation *mean = sub ? definedBy(sub->getOperand(1), "ReduceMean") : nullptr;
  Operation *add = sqrt ? definedBy(sqrt->getOperand(0), "Add") : nullptr;
  if (!mean || !add || mean->getOperand(0) != sub->getOperand(0) || d.getType() != sub->getOperand(0).getType())
    return std::nullopt;
  for (unsigned i : {0, 1}) {
    Operation *variance = definedBy(add->getOperand(i), "ReduceMean");
    std::optional<double> epsilon = scalarConstant(add->getOperand(1 - i));
    std::optional<int64_t> axis = trailingMeanAxis(mean);
    if (variance && epsilon && axis && trailingMeanAxis(variance) == axis && isSquareOf(variance->getOperand(0), d))
      return Normalized{sub->getOperand(0), *axis, *epsilon};
  }
  return std::nullopt;
}

/// When the only use of `value` is `name` with a constant of the normalized shape: that use and the constant.
static std::pair<Operation *, Value> followedBy(Value value, StringRef name, ArrayRef<int64_t> normalizedShape) {
  if (!value.hasOneUse())
    return {};
  Operation *user = *value.user_begin();
  if (!isOnnx(user, name) || user->getResult(0).getType() != value.getType())
    return {};
  Value other = user->getOperand(user->getOperand(0) == value ? 1 : 0);
  auto type = dyn_cast<RankedTensorType>(other.getType());
  if (!isConstantValue(other) || !type || type.getShape() != normalizedShape)
    return {};
  return {user, other};
}

static bool fuseLayerNormalization(Operation *op) {
  std::optional<Normalized> match = matchNormalized(op);
  auto type = match ? dyn_cast<RankedTensorType>(match->x.getType()) : RankedTensorType();
  if (!type || !isa<FloatType>(type.getElementType()) || op->getResult(0).getType() != type)
    return false;
  ArrayRef<int64_t> shape = type.getShape().drop_front(match->axis);
  if (llvm::any_of(shape, ShapedType::isDynamic))
    return false;
  OpBuilder builder(op);
  Operation *last = op;
  Value scale, bias;
  if (auto [user, constant] = followedBy(last->getResult(0), "Mul", shape); user)
    last = user, scale = constant;
  if (auto [user, constant] = followedBy(last->getResult(0), "Add", shape); user)
    last = user, bias = constant;
  builder.setInsertionPoint(last);
  if (!scale) {
    HostTensor ones = HostTensor::make(RankedTensorType::get(shape, type.getElementType()));
    for (int64_t i = 0, e = ones.size(); i < e; ++i)
      ones.setFloat(i, 1);
    scale = createConstant(builder, op->getLoc(), ones, nodeName(op) + "_scale");
  }
  if (!bias)
    bias = createNoValue(builder, op->getLoc());
  Type none = builder.getNoneType();
  Operation *norm =
      createOnnx(builder, last->getLoc(), "LayerNormalization", {type, none, none}, {match->x, scale, bias},
                 {{"axis", builder.getIntegerAttr(builder.getI64Type(), match->axis)},
                  {"epsilon", builder.getF32FloatAttr(static_cast<float>(match->epsilon))}});
  last->getResult(0).replaceAllUsesWith(norm->getResult(0));
  return true;
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

/// The single constant axis of a reduction that keeps it.
static std::optional<int64_t> keptAxis(Operation *reduce) {
  Value operand = onnxOperand(reduce, 1);
  std::optional<HostTensor> value = operand ? getHostConstant(operand) : std::nullopt;
  std::optional<SmallVector<int64_t>> axes = value ? value->ints() : std::nullopt;
  auto type = dyn_cast<RankedTensorType>(reduce->getOperand(0).getType());
  if (!axes || axes->size() != 1 || !type || intAttr(reduce, "keepdims", 1) == 0)
    return std::nullopt;
  return normalizeAxis(axes->front(), type.getRank());
}

/// exp(x - max x) / sum exp(x - max x).
static bool fuseSoftmax(Operation *op) {
  Operation *exp = isOnnx(op, "Div") ? definedBy(op->getOperand(0), "Exp") : nullptr;
  Operation *sum = exp ? definedBy(op->getOperand(1), "ReduceSum") : nullptr;
  Operation *sub = sum && sum->getOperand(0) == exp->getResult(0) ? definedBy(exp->getOperand(0), "Sub") : nullptr;
  Operation *max = sub ? definedBy(sub->getOperand(1), "ReduceMax") : nullptr;
  if (!max || max->getOperand(0) != sub->getOperand(0) || sub->getOperand(0).getType() != op->getResult(0).getType())
    return false;
  std::optional<int64_t> axis = keptAxis(sum);
  if (!axis || keptAxis(max) != axis)
    return false;
  OpBuilder builder(op);
  Operation *softmax = createOnnx(builder, op->getLoc(), "Softmax", op->getResultTypes(), sub->getOperand(0),
                                  {{"axis", builder.getIntegerAttr(builder.getI64Type(), *axis)}});
  op->getResult(0).replaceAllUsesWith(softmax->getResult(0));
  return true;
}

namespace {
struct FuseGraphPatterns : leaf::impl::FuseGraphPatternsBase<FuseGraphPatterns> {
  using FuseGraphPatternsBase::FuseGraphPatternsBase;

  void runOnOperation() override {
    getOperation()->walk([&](Block *block) {
      // From the end: the last op of a pattern is its root.
      for (Operation &op : llvm::make_early_inc_range(llvm::reverse(*block))) {
        if (!isOnnx(&op) || op.getNumResults() != 1 || op.use_empty())
          continue;
        numFused += fuseGelu(&op) || fuseLayerNormalization(&op) || fuseSoftmax(&op);
      }
    });
    removeDeadOps(getOperation());
  }
};
} // namespace
