//===- Sizes.cpp - arithmetic on sizes with sharing --------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Sizes.h"

#include "Leaf/Leaf.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

std::optional<int64_t> leaf::onnxtolinalg::constantOf(Size size) { return getConstantIntValue(size); }

Value SizeArithmetic::value(Size size) {
  if (auto value = dyn_cast<Value>(size))
    return value;
  auto attr = cast<IntegerAttr>(cast<Attribute>(size));
  if (attr.getType().isInteger(1))
    return arith::ConstantOp::create(builder, loc, attr);
  Value &entry = constants[attr.getInt()];
  if (!entry)
    entry = arith::ConstantIndexOp::create(builder, loc, attr.getInt());
  return entry;
}

unsigned SizeArithmetic::number(Value value) { return numbers.try_emplace(value, numbers.size()).first->second; }

Value SizeArithmetic::shared(Op op, unsigned detail, ValueRange operands, function_ref<Value()> build) {
  const void *ids[3] = {nullptr, nullptr, nullptr};
  for (auto [i, operand] : llvm::enumerate(operands)) {
    number(operand);
    ids[i] = operand.getAsOpaquePointer();
  }
  auto [it, isNew] = known.try_emplace(Key{op, detail, ids[0], ids[1], ids[2]}, Value());
  if (isNew) {
    it->second = build();
    number(it->second);
  }
  return it->second;
}

Size SizeArithmetic::add(Size a, Size b) {
  std::optional<int64_t> ca = constantOf(a), cb = constantOf(b);
  if (ca && cb)
    return constant(*ca + *cb);
  if (ca)
    std::swap(a, b), std::swap(ca, cb);
  Value x = cast<Value>(a);
  if (cb) {
    // (base + c1) + c2 is base + (c1 + c2): sums of the same terms must meet in one value.
    int64_t c = *cb;
    if (auto it = offsets.find(x); it != offsets.end()) {
      c += it->second.second;
      x = it->second.first;
    }
    if (c == 0)
      return x;
    Value sum = shared(Op::Add, 0, {x, value(constant(c))},
                       [&] { return arith::AddIOp::create(builder, loc, x, value(constant(c))).getResult(); });
    offsets.try_emplace(sum, x, c);
    return sum;
  }
  Value y = cast<Value>(b);
  if (auto it = offsets.find(x); it != offsets.end())
    return add(add(it->second.first, y), constant(it->second.second));
  if (auto it = offsets.find(y); it != offsets.end())
    return add(add(x, it->second.first), constant(it->second.second));
  if (number(y) < number(x))
    std::swap(x, y);
  return shared(Op::Add, 0, {x, y}, [&] { return arith::AddIOp::create(builder, loc, x, y).getResult(); });
}

Size SizeArithmetic::sub(Size a, Size b) {
  if (same(a, b))
    return constant(0);
  if (std::optional<int64_t> cb = constantOf(b))
    return add(a, constant(-*cb));
  Value y = cast<Value>(b);
  if (auto x = dyn_cast<Value>(a)) {
    auto split = [&](Value v) {
      auto it = offsets.find(v);
      return it == offsets.end() ? std::make_pair(v, int64_t(0)) : it->second;
    };
    auto [xBase, xOffset] = split(x);
    auto [yBase, yOffset] = split(y);
    if (xBase == yBase)
      return constant(xOffset - yOffset);
    // (p + q) - q
    if (auto sum = xBase.getDefiningOp<arith::AddIOp>();
        sum &&
        known.count(Key{Op::Add, 0, sum.getLhs().getAsOpaquePointer(), sum.getRhs().getAsOpaquePointer(), nullptr})) {
      if (sum.getLhs() == yBase)
        return add(sum.getRhs(), constant(xOffset - yOffset));
      if (sum.getRhs() == yBase)
        return add(sum.getLhs(), constant(xOffset - yOffset));
    }
  }
  Value x = value(a);
  return shared(Op::Sub, 0, {x, y}, [&] { return arith::SubIOp::create(builder, loc, x, y).getResult(); });
}

Size SizeArithmetic::mul(Size a, Size b) {
  std::optional<int64_t> ca = constantOf(a), cb = constantOf(b);
  if (ca && cb)
    return constant(*ca * *cb);
  if (ca)
    std::swap(a, b), std::swap(ca, cb);
  if (cb == 1)
    return a;
  if (cb == 0)
    return constant(0);
  Value x = cast<Value>(a), y = value(b);
  if (!cb && number(y) < number(x))
    std::swap(x, y), std::swap(a, b);
  Value result = shared(Op::Mul, 0, {x, y}, [&] { return arith::MulIOp::create(builder, loc, x, y).getResult(); });
  products.try_emplace(result, a, b);
  return result;
}

static int64_t floorMod(int64_t a, int64_t b) { return a - llvm::divideFloorSigned(a, b) * b; }

Size SizeArithmetic::divTrunc(Size a, Size b) {
  if (isNonNegative(a) && isNonNegative(b))
    return divFloor(a, b);
  std::optional<int64_t> ca = constantOf(a), cb = constantOf(b);
  if (ca && cb && *cb != 0)
    return constant(*ca / *cb);
  if (cb == 1)
    return a;
  Value x = value(a), y = value(b);
  return shared(Op::DivTrunc, 0, {x, y}, [&] { return arith::DivSIOp::create(builder, loc, x, y).getResult(); });
}

Size SizeArithmetic::divFloor(Size a, Size b) {
  std::optional<int64_t> ca = constantOf(a), cb = constantOf(b);
  if (ca && cb && *cb != 0)
    return constant(llvm::divideFloorSigned(*ca, *cb));
  if (cb == 1)
    return a;
  if (Value product = dyn_cast<Value>(a)) {
    // Exact quotient of a product of which `b` is a factor.
    Product dividend = factor(a), divisor = factor(b);
    bool exact = divisor.constant != 0 && dividend.constant % divisor.constant == 0;
    for (Value f : divisor.factors) {
      auto it = llvm::find(dividend.factors, f);
      exact = exact && it != dividend.factors.end();
      if (exact)
        dividend.factors.erase(it);
    }
    if (exact)
      return fromProduct({dividend.constant / divisor.constant, dividend.factors});
  }
  Value x = value(a), y = value(b);
  bool positive = isNonNegative(a) && isNonNegative(b);
  return shared(Op::DivFloor, 0, {x, y}, [&]() -> Value {
    if (positive)
      return arith::DivUIOp::create(builder, loc, x, y);
    return arith::FloorDivSIOp::create(builder, loc, x, y);
  });
}

Size SizeArithmetic::divCeil(Size a, Size b) {
  std::optional<int64_t> ca = constantOf(a), cb = constantOf(b);
  if (ca && cb && *cb != 0)
    return constant(llvm::divideCeilSigned(*ca, *cb));
  if (cb == 1)
    return a;
  if (cb && *cb > 0)
    return divFloor(add(a, constant(*cb - 1)), b);
  Value x = value(a), y = value(b);
  return shared(Op::DivCeil, 0, {x, y}, [&] { return arith::CeilDivSIOp::create(builder, loc, x, y).getResult(); });
}

Size SizeArithmetic::modFloor(Size a, Size b) {
  std::optional<int64_t> ca = constantOf(a), cb = constantOf(b);
  if (ca && cb && *cb != 0)
    return constant(floorMod(*ca, *cb));
  if (isNonNegative(a) && isNonNegative(b)) {
    Value x = value(a), y = value(b);
    return shared(Op::Rem, 0, {x, y}, [&] { return arith::RemUIOp::create(builder, loc, x, y).getResult(); });
  }
  return sub(a, mul(divFloor(a, b), b));
}

Size SizeArithmetic::max(Size a, Size b) {
  std::optional<int64_t> ca = constantOf(a), cb = constantOf(b);
  if (ca && cb)
    return constant(std::max(*ca, *cb));
  if (same(a, b) || (cb && *cb <= 0 && isNonNegative(a)))
    return a;
  if (ca && *ca <= 0 && isNonNegative(b))
    return b;
  Value x = value(a), y = value(b);
  return shared(Op::Max, 0, {x, y}, [&] { return arith::MaxSIOp::create(builder, loc, x, y).getResult(); });
}

Size SizeArithmetic::min(Size a, Size b) {
  std::optional<int64_t> ca = constantOf(a), cb = constantOf(b);
  if (ca && cb)
    return constant(std::min(*ca, *cb));
  // No buffer has as many elements, so that INT64_MAX and its like mean "to the end".
  constexpr int64_t kEndless = std::numeric_limits<int32_t>::max();
  if (same(a, b) || (cb && *cb >= kEndless))
    return a;
  if (ca && *ca >= kEndless)
    return b;
  Value x = value(a), y = value(b);
  return shared(Op::Min, 0, {x, y}, [&] { return arith::MinSIOp::create(builder, loc, x, y).getResult(); });
}

Size SizeArithmetic::compare(arith::CmpIPredicate predicate, Size a, Size b) {
  std::optional<int64_t> ca = constantOf(a), cb = constantOf(b);
  if (ca && cb)
    return builder.getBoolAttr(arith::applyCmpPredicate(predicate, APInt(64, *ca, true), APInt(64, *cb, true)));
  if (same(a, b))
    return builder.getBoolAttr(arith::applyCmpPredicate(predicate, APInt(64, 0), APInt(64, 0)));
  Value x = value(a), y = value(b);
  return shared(Op::Compare, static_cast<unsigned>(predicate), {x, y},
                [&] { return arith::CmpIOp::create(builder, loc, predicate, x, y).getResult(); });
}

Size SizeArithmetic::select(Size condition, Size a, Size b) {
  if (std::optional<int64_t> c = constantOf(condition))
    return *c ? a : b;
  if (same(a, b))
    return a;
  Value c = cast<Value>(condition), x = value(a), y = value(b);
  return shared(Op::Select, 0, {c, x, y}, [&] { return arith::SelectOp::create(builder, loc, c, x, y).getResult(); });
}

Size SizeArithmetic::product(ArrayRef<Size> sizes) { return fromProduct(factor(sizes)); }

bool SizeArithmetic::isNonNegative(Size size) {
  if (std::optional<int64_t> c = constantOf(size))
    return *c >= 0;
  auto value = cast<Value>(size);
  if (nonNegative.contains(value))
    return true;
  Operation *op = value.getDefiningOp();
  if (!op)
    return false;
  bool result = false;
  if (isa<arith::AddIOp, arith::MulIOp, arith::DivUIOp, arith::RemUIOp, arith::MinSIOp>(op))
    result = llvm::all_of(op->getOperands(), [&](Value v) { return isNonNegative(getAsOpFoldResult(v)); });
  else if (isa<arith::MaxSIOp>(op))
    result = llvm::any_of(op->getOperands(), [&](Value v) { return isNonNegative(getAsOpFoldResult(v)); });
  else if (auto select = dyn_cast<arith::SelectOp>(op))
    result = isNonNegative(getAsOpFoldResult(select.getTrueValue())) &&
             isNonNegative(getAsOpFoldResult(select.getFalseValue()));
  if (result)
    nonNegative.insert(value);
  return result;
}

SizeArithmetic::Product SizeArithmetic::factor(ArrayRef<Size> sizes) {
  Product result;
  SmallVector<Size> work(sizes);
  while (!work.empty()) {
    Size size = work.pop_back_val();
    if (std::optional<int64_t> c = constantOf(size)) {
      result.constant *= *c;
      continue;
    }
    auto value = cast<Value>(size);
    if (auto it = products.find(value); it != products.end()) {
      work.push_back(it->second.first);
      work.push_back(it->second.second);
      continue;
    }
    result.factors.push_back(value);
  }
  llvm::sort(result.factors, [&](Value a, Value b) { return number(a) < number(b); });
  return result;
}

Size SizeArithmetic::fromProduct(const Product &product) {
  if (product.constant == 0 || product.factors.empty())
    return constant(product.constant);
  Size result = product.factors.front();
  for (Value f : ArrayRef<Value>(product.factors).drop_front())
    result = mul(result, f);
  return mul(result, constant(product.constant));
}

static std::optional<int64_t> upperBoundOf(Value value, unsigned depth) {
  constexpr unsigned maxDepth = 32;
  auto bound = [&](Value of) { return depth < maxDepth ? upperBoundOf(of, depth + 1) : std::nullopt; };
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return constant;
  if (auto limited = value.getDefiningOp<leaf::BoundOp>())
    return static_cast<int64_t>(limited.getMax());
  auto both = [&](Operation *op, auto combine) -> std::optional<int64_t> {
    std::optional<int64_t> a = bound(op->getOperand(0)), b = bound(op->getOperand(1));
    int64_t result;
    return a && b && *a >= 0 && *b >= 0 && !combine(*a, *b, result) ? std::optional(result) : std::nullopt;
  };
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<arith::MinSIOp>(op)) {
    std::optional<int64_t> a = bound(op->getOperand(0)), b = bound(op->getOperand(1));
    return a && b ? std::min(*a, *b) : a ? a : b;
  }
  if (isa_and_nonnull<arith::MaxSIOp>(op))
    return both(op, [](int64_t a, int64_t b, int64_t &result) { return result = std::max(a, b), false; });
  if (isa_and_nonnull<arith::AddIOp>(op))
    return both(op, [](int64_t a, int64_t b, int64_t &result) { return llvm::AddOverflow(a, b, result); });
  if (isa_and_nonnull<arith::MulIOp>(op))
    return both(op, [](int64_t a, int64_t b, int64_t &result) { return llvm::MulOverflow(a, b, result); });
  return std::nullopt;
}

std::optional<int64_t> SizeArithmetic::upperBound(Size size) {
  if (std::optional<int64_t> constant = constantOf(size))
    return constant;
  return upperBoundOf(cast<Value>(size), 0);
}
