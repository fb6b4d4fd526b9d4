//===- EvaluateElementwise.cpp - elementwise ops at compile time --------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Evaluation.h"
#include "leafcutter/Support/ElementTypes.h"
#include <cmath>

using namespace mlir;
using namespace leaf;

namespace {
/// One elementwise operator on scalars. Floats are computed in double and rounded to the op's type, which is exact for
/// + - * / sqrt on f32 and narrower. A null function: not defined on such elements.
struct Unary {
  StringLiteral name;
  double (*onFloat)(double);
  int64_t (*onInt)(int64_t);
};
/// Integer results are nothing where the operation is undefined (division by zero).
struct Binary {
  StringLiteral name;
  double (*onFloat)(double, double);
  std::optional<int64_t> (*onInt)(int64_t, int64_t);
  bool isPredicate;   ///< the result is i1
  bool signSensitive; ///< differs between signed and unsigned 64-bit elements
};
} // namespace

using MaybeInt = std::optional<int64_t>;

static int64_t wrap(uint64_t value) { return static_cast<int64_t>(value); }

static bool divides(int64_t a, int64_t b) { return b != 0 && !(a == INT64_MIN && b == -1); }

static const Unary unaryTable[] = {
    {"Abs", [](double x) { return std::fabs(x); }, [](int64_t x) { return x < 0 ? wrap(-uint64_t(x)) : x; }},
    {"Ceil", [](double x) { return std::ceil(x); }, nullptr},
    {"Cos", [](double x) { return std::cos(x); }, nullptr},
    {"Erf", [](double x) { return std::erf(x); }, nullptr},
    {"Exp", [](double x) { return std::exp(x); }, nullptr},
    {"Floor", [](double x) { return std::floor(x); }, nullptr},
    {"Log", [](double x) { return std::log(x); }, nullptr},
    {"Neg", [](double x) { return -x; }, [](int64_t x) { return wrap(-uint64_t(x)); }},
    {"Not", nullptr, [](int64_t x) { return int64_t(x == 0); }},
    {"Reciprocal", [](double x) { return 1 / x; }, nullptr},
    {"Relu", [](double x) { return x > 0    ? x
                                   : x != x ? x
                                            : 0; }, [](int64_t x) { return x > 0 ? x : 0; }},
    {"Round", [](double x) { return std::nearbyint(x); }, nullptr},
    {"Sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }, nullptr},
    {"Sign", [](double x) { return x > 0   ? 1.0
                                   : x < 0 ? -1.0
                                           : x; },
     [](int64_t x) { return int64_t(x > 0) - int64_t(x < 0); }},
    {"Sin", [](double x) { return std::sin(x); }, nullptr},
    {"Sqrt", [](double x) { return std::sqrt(x); }, nullptr},
    {"Tanh", [](double x) { return std::tanh(x); }, nullptr},
};

static const Binary binaryTable[] = {
    {"Add", [](double a, double b) { return a + b; },
     [](int64_t a, int64_t b) { return MaybeInt(wrap(uint64_t(a) + uint64_t(b))); }, false, false},
    {"And", nullptr, [](int64_t a, int64_t b) { return MaybeInt(a != 0 && b != 0); }, true, false},
    {"Div", [](double a, double b) { return a / b; },
     [](int64_t a, int64_t b) { return divides(a, b) ? MaybeInt(a / b) : std::nullopt; }, false, true},
    {"Equal", [](double a, double b) { return double(a == b); }, [](int64_t a, int64_t b) { return MaybeInt(a == b); },
     true, false},
    {"Greater", [](double a, double b) { return double(a > b); }, [](int64_t a, int64_t b) { return MaybeInt(a > b); },
     true, true},
    {"GreaterOrEqual", [](double a, double b) { return double(a >= b); },
     [](int64_t a, int64_t b) { return MaybeInt(a >= b); }, true, true},
    {"Less", [](double a, double b) { return double(a < b); }, [](int64_t a, int64_t b) { return MaybeInt(a < b); },
     true, true},
    {"LessOrEqual", [](double a, double b) { return double(a <= b); },
     [](int64_t a, int64_t b) { return MaybeInt(a <= b); }, true, true},
    {"Max", [](double a, double b) { return a != a || b != b ? NAN : std::max(a, b); },
     [](int64_t a, int64_t b) { return MaybeInt(std::max(a, b)); }, false, true},
    {"Min", [](double a, double b) { return a != a || b != b ? NAN : std::min(a, b); },
     [](int64_t a, int64_t b) { return MaybeInt(std::min(a, b)); }, false, true},
    {"Mul", [](double a, double b) { return a * b; },
     [](int64_t a, int64_t b) { return MaybeInt(wrap(uint64_t(a) * uint64_t(b))); }, false, false},
    {"Or", nullptr, [](int64_t a, int64_t b) { return MaybeInt(a != 0 || b != 0); }, true, false},
    {"Sub", [](double a, double b) { return a - b; },
     [](int64_t a, int64_t b) { return MaybeInt(wrap(uint64_t(a) - uint64_t(b))); }, false, false},
    {"Sum", [](double a, double b) { return a + b; },
     [](int64_t a, int64_t b) { return MaybeInt(wrap(uint64_t(a) + uint64_t(b))); }, false, false},
    {"Xor", nullptr, [](int64_t a, int64_t b) { return MaybeInt((a != 0) != (b != 0)); }, true, false},
};

/// What is known of an integer operation on sizes: a size s equals itself and no negative number; s + 0, s - 0, s * 1
/// and s / 1 are s. `symbol` is the result's (0 with `value` set, -1: unknown).
static int32_t applyToSymbols(StringRef name, int32_t symbolA, int64_t a, int32_t symbolB, int64_t b, int64_t &value) {
  if (name == "Equal") {
    if (symbolA > 0 && symbolA == symbolB)
      value = 1;
    else if ((symbolA > 0 && symbolB == 0 && b < 0) || (symbolB > 0 && symbolA == 0 && a < 0))
      value = 0;
    else
      return -1;
    return 0;
  }
  if ((name == "Max" || name == "Min") && symbolA == symbolB)
    return symbolA;
  int64_t neutral = name == "Mul" || name == "Div" ? 1 : name == "Add" || name == "Sub" ? 0 : INT64_MIN;
  if (symbolB == 0 && b == neutral)
    return symbolA;
  bool commutes = name == "Mul" || name == "Add";
  return commutes && symbolA == 0 && a == neutral ? symbolB : -1;
}

static FailureOr<HostTensor> applyBinary(const EvalRequest &request, const Binary &op, const HostTensor &a,
                                         const HostTensor &b) {
  std::optional<SmallVector<int64_t>> shape = broadcastShapes(a.shape(), b.shape());
  Type resultType = op.isPredicate ? IntegerType::get(request.op->getContext(), 1) : a.elementType();
  if (!shape || a.elementType() != b.elementType() || !request.fits(*shape, resultType) ||
      (a.isFloat() ? !op.onFloat : !op.onInt) || (op.signSensitive && a.elementType().isUnsignedInteger(64)))
    return failure();
  HostTensor out = HostTensor::make(RankedTensorType::get(*shape, resultType));
  bool valid = true;
  forEachIndex(*shape, {broadcastStrides(a.shape(), *shape), broadcastStrides(b.shape(), *shape)},
               [&](int64_t i, ArrayRef<int64_t> at) {
                 if (a.isFloat()) {
                   double value = op.onFloat(a.getFloat(at[0]), b.getFloat(at[1]));
                   return op.isPredicate ? out.setInt(i, value != 0) : out.setFloat(i, value);
                 }
                 int64_t x = a.getInt(at[0]), y = b.getInt(at[1]);
                 if (int32_t sx = a.symbol(at[0]), sy = b.symbol(at[1]); sx != 0 || sy != 0) {
                   int64_t value = 0;
                   out.setSymbol(i, applyToSymbols(op.name, sx, x, sy, y, value));
                   return out.setInt(i, value);
                 }
                 MaybeInt value = op.onInt(x, y);
                 valid &= value.has_value();
                 out.setInt(i, value.value_or(0));
               });
  if (!valid)
    return failure();
  return out;
}

static LogicalResult evaluateBinary(EvalRequest &request) {
  const Binary *op =
      llvm::find_if(binaryTable, [&](const Binary &entry) { return entry.name == onnxName(request.op); });
  HostTensor result = *request.operand(0);
  for (const HostTensor *operand : request.operands.drop_front()) {
    FailureOr<HostTensor> next = applyBinary(request, *op, result, *operand);
    if (failed(next))
      return failure();
    result = std::move(*next);
  }
  return request.add(std::move(result));
}

static LogicalResult evaluateUnary(EvalRequest &request) {
  const Unary *op = llvm::find_if(unaryTable, [&](const Unary &entry) { return entry.name == onnxName(request.op); });
  const HostTensor &in = *request.operand(0);
  if (in.isFloat() ? !op->onFloat : !op->onInt)
    return failure();
  HostTensor out = HostTensor::make(in.type());
  for (int64_t i = 0, e = in.size(); i < e; ++i) {
    if (in.isFloat())
      out.setFloat(i, op->onFloat(in.getFloat(i)));
    else
      out.setInt(i, op->onInt(in.getInt(i)));
  }
  return request.add(std::move(out));
}

/// Float to integer as ONNX leaves it open: out of range saturates to 64 bits and wraps below, NaN is 0.
static int64_t truncateToInt(double value) {
  if (value != value)
    return 0;
  if (value >= 9223372036854775808.0)
    return INT64_MAX;
  return value <= -9223372036854775808.0 ? INT64_MIN : static_cast<int64_t>(value);
}

static LogicalResult castTo(EvalRequest &request, Type to) {
  const HostTensor &in = *request.operand(0);
  // Rounding to small floats has modes: compiled code knows them.
  if (!to || !request.fits(in.shape(), to) || isSmallFloat(to))
    return failure();
  if (to == in.elementType())
    return request.add(in);
  HostTensor out = HostTensor::make(RankedTensorType::get(in.shape(), to));
  // A size keeps its symbol in a wide integer only.
  bool keepsSizes = to.isSignlessInteger(64) || to.isSignlessInteger(32);
  for (int64_t i = 0, e = in.size(); i < e; ++i) {
    if (in.symbol(i) != 0) {
      out.setSymbol(i, keepsSizes ? in.symbol(i) : -1);
    } else if (isa<FloatType>(to)) {
      out.setFloat(i, in.getNumber(i));
    } else if (to.isInteger(1)) {
      out.setInt(i, in.isFloat() ? in.getFloat(i) != 0 : in.getInt(i) != 0);
    } else {
      out.setInt(i, in.isFloat() ? truncateToInt(in.getFloat(i)) : in.getInt(i));
    }
  }
  return request.add(std::move(out));
}

static LogicalResult evaluateCast(EvalRequest &request) {
  return castTo(request, elementTypeOfONNX(request.op->getContext(), intAttr(request.op, "to", 0)));
}

static LogicalResult evaluateCastLike(EvalRequest &request) {
  auto like = dyn_cast<ShapedType>(request.op->getOperand(1).getType());
  return like ? castTo(request, like.getElementType()) : failure();
}

static LogicalResult evaluateMod(EvalRequest &request) {
  const bool fmod = intAttr(request.op, "fmod", 0) != 0;
  const Binary floored = {"Mod", nullptr,
                          [](int64_t a, int64_t b) {
                            if (!divides(a, b))
                              return MaybeInt();
                            int64_t rest = a % b;
                            return MaybeInt(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest);
                          },
                          false, true};
  const Binary truncated = {"Mod", [](double a, double b) { return std::fmod(a, b); },
                            [](int64_t a, int64_t b) { return divides(a, b) ? MaybeInt(a % b) : std::nullopt; }, false,
                            true};
  FailureOr<HostTensor> result =
      applyBinary(request, fmod ? truncated : floored, *request.operand(0), *request.operand(1));
  return failed(result) ? failure() : request.add(std::move(*result));
}

static LogicalResult evaluatePow(EvalRequest &request) {
  const HostTensor &base = *request.operand(0), &exponent = *request.operand(1);
  std::optional<SmallVector<int64_t>> shape = broadcastShapes(base.shape(), exponent.shape());
  if (!shape || !request.fits(*shape, base.elementType()))
    return failure();
  HostTensor out = HostTensor::make(RankedTensorType::get(*shape, base.elementType()));
  forEachIndex(*shape, {broadcastStrides(base.shape(), *shape), broadcastStrides(exponent.shape(), *shape)},
               [&](int64_t i, ArrayRef<int64_t> at) {
                 double value = std::pow(base.getNumber(at[0]), exponent.getNumber(at[1]));
                 return base.isFloat() ? out.setFloat(i, value) : out.setInt(i, truncateToInt(value));
               });
  return request.add(std::move(out));
}

static LogicalResult evaluateWhere(EvalRequest &request) {
  const HostTensor &condition = *request.operand(0), &a = *request.operand(1), &b = *request.operand(2);
  std::optional<SmallVector<int64_t>> shape = broadcastShapes(a.shape(), b.shape());
  shape = shape ? broadcastShapes(*shape, condition.shape()) : std::nullopt;
  if (!shape || a.elementType() != b.elementType() || !request.fits(*shape, a.elementType()))
    return failure();
  HostTensor out = HostTensor::make(RankedTensorType::get(*shape, a.elementType()));
  forEachIndex(*shape,
               {broadcastStrides(condition.shape(), *shape), broadcastStrides(a.shape(), *shape),
                broadcastStrides(b.shape(), *shape)},
               [&](int64_t i, ArrayRef<int64_t> at) {
                 if (condition.symbol(at[0]) != 0)
                   return out.setSymbol(i, -1);
                 const HostTensor &from = condition.getInt(at[0]) ? a : b;
                 int64_t source = condition.getInt(at[0]) ? at[1] : at[2];
                 if (from.symbol(source) != 0)
                   return out.setSymbol(i, from.symbol(source));
                 return from.isFloat() ? out.setFloat(i, from.getFloat(source)) : out.setInt(i, from.getInt(source));
               });
  return request.add(std::move(out));
}

static LogicalResult evaluateClip(EvalRequest &request) {
  const HostTensor &in = *request.operand(0), *low = request.operand(1), *high = request.operand(2);
  HostTensor out = HostTensor::make(in.type());
  if ((low && low->size() != 1) || (high && high->size() != 1) || in.elementType().isUnsignedInteger(64))
    return failure();
  for (int64_t i = 0, e = in.size(); i < e; ++i) {
    if (in.isFloat()) {
      double x = in.getFloat(i);
      x = low && x < low->getFloat(0) ? low->getFloat(0) : x;
      out.setFloat(i, high && x > high->getFloat(0) ? high->getFloat(0) : x);
    } else {
      int64_t x = in.getInt(i);
      x = low ? std::max(x, low->getInt(0)) : x;
      out.setInt(i, high ? std::min(x, high->getInt(0)) : x);
    }
  }
  return request.add(std::move(out));
}

/// QuantizeLinear by one scale, or by one scale per index of an axis: saturate(round_half_even(x / scale) + zero
/// point).
static LogicalResult evaluateQuantize(EvalRequest &request) {
  const HostTensor &in = *request.operand(0), &scale = *request.operand(1), *zero = request.operand(2);
  Type to =
      zero ? zero->elementType() : elementTypeOfONNX(request.op->getContext(), intAttr(request.op, "output_dtype", 2));
  to = to ? to : IntegerType::get(request.op->getContext(), 8, IntegerType::Unsigned);
  if (!in.isFloat() || !isa<IntegerType>(to) || intAttr(request.op, "precision", 0) != 0 ||
      intAttr(request.op, "block_size", 0) != 0 || scale.rank() > 1 || (zero && zero->size() != scale.size()))
    return failure();
  int64_t inner = 1, count = scale.size();
  if (count != 1) {
    std::optional<int64_t> axis = normalizeAxis(intAttr(request.op, "axis", 1), in.rank());
    if (!axis || in.shape()[*axis] != count)
      return failure();
    for (int64_t size : in.shape().drop_front(*axis + 1))
      inner *= size;
  }
  unsigned bits = to.getIntOrFloatBitWidth();
  bool isUnsigned = to.isUnsignedInteger();
  double low = isUnsigned ? 0 : -std::ldexp(1.0, bits - 1), high = std::ldexp(1.0, isUnsigned ? bits : bits - 1) - 1;
  HostTensor out = HostTensor::make(RankedTensorType::get(in.shape(), to));
  for (int64_t i = 0, e = in.size(); i < e; ++i) {
    int64_t c = i / inner % count;
    // The quotient is rounded to the operand's type first, as the operator does it.
    float quotient = static_cast<float>(in.getFloat(i) / scale.getFloat(c));
    double value = std::nearbyint(quotient) + (zero ? static_cast<double>(zero->getInt(c)) : 0);
    out.setInt(i, value != value ? 0 : static_cast<int64_t>(std::clamp(value, low, high)));
  }
  return request.add(std::move(out));
}

ArrayRef<Evaluation> leaf::getElementwiseEvaluations() {
  static const SmallVector<Evaluation> table = [] {
    SmallVector<Evaluation> entries = {{"Cast", evaluateCast, true},  {"CastLike", evaluateCastLike, true},
                                       {"Clip", evaluateClip, false}, {"Mod", evaluateMod, true},
                                       {"Pow", evaluatePow, false},   {"QuantizeLinear", evaluateQuantize, false},
                                       {"Where", evaluateWhere, true}};
    for (const Unary &op : unaryTable)
      entries.push_back({op.name, evaluateUnary, false});
    for (const Binary &op : binaryTable)
      entries.push_back({op.name, evaluateBinary, true});
    return entries;
  }();
  return table;
}
