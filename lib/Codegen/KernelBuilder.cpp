//===- KernelBuilder.cpp - addresses, loads and stores of a kernel ------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"

#include "Machine/Machine.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::codegen;

Type leaf::codegen::memoryType(Type element) {
  return element.isInteger(1) ? IntegerType::get(element.getContext(), 8) : element;
}

bool Access::uses(unsigned loop) const {
  return !coefs[loop].isZero() || (panel && panel->loop == loop) ||
         llvm::any_of(nonlinear, [&](const auto &term) { return term.first.isFunctionOfDim(loop); });
}

bool Access::isLinearIn(unsigned loop) const {
  return llvm::none_of(nonlinear, [&](const auto &term) { return term.first.isFunctionOfDim(loop); });
}

//===----------------------------------------------------------------------===//
// Index arithmetic
//===----------------------------------------------------------------------===//

unsigned KernelBuilder::addSymbol(Value value, int64_t bound) {
  symbols.push_back({value, bound});
  return symbols.size() - 1;
}

std::optional<int64_t> KernelBuilder::upperBound(const Size &size) const {
  int64_t bound = size.constant();
  for (unsigned id : size.symbols()) {
    if (symbols[id].second < 0 || llvm::MulOverflow(bound, symbols[id].second, bound))
      return std::nullopt;
  }
  return bound;
}

Value KernelBuilder::index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

Value KernelBuilder::sizeValue(const Size &size) {
  Value product;
  for (unsigned id : size.symbols())
    product = product ? arith::MulIOp::create(b, loc, product, getSymbol(id)).getResult() : getSymbol(id);
  if (!product)
    return index(size.constant());
  return size.constant() == 1 ? product : arith::MulIOp::create(b, loc, product, index(size.constant())).getResult();
}

Value KernelBuilder::add(Value a, Value c) {
  if (!a || matchPattern(a, m_Zero()))
    return c;
  if (!c || matchPattern(c, m_Zero()))
    return a;
  return arith::AddIOp::create(b, loc, a, c);
}

Value KernelBuilder::mul(Value a, const Size &size) {
  return size.is(1) ? a : arith::MulIOp::create(b, loc, a, sizeValue(size)).getResult();
}

Value KernelBuilder::ceilDiv(Value a, int64_t divisor) {
  if (divisor == 1)
    return a;
  return arith::DivUIOp::create(b, loc, add(a, divisor - 1), index(divisor));
}

Value KernelBuilder::alignDown(Value a, int64_t multiple) {
  return arith::SubIOp::create(b, loc, a, arith::RemUIOp::create(b, loc, a, index(multiple)));
}
Value KernelBuilder::minimum(Value a, Value c) { return arith::MinUIOp::create(b, loc, a, c); }

Value KernelBuilder::posValue(const Pos &pos) { return pos.value ? add(pos.value, pos.offset) : index(pos.offset); }

Size KernelBuilder::addSizes(const Size &a, const Size &c) {
  if (a.isZero() || c.isZero())
    return a.isZero() ? c : a;
  if (a.symbols() == c.symbols()) {
    Size product(a.constant() + c.constant());
    for (unsigned id : a.symbols())
      product = product * Size::symbol(id);
    return product;
  }
  OpBuilder::InsertionGuard guard(b);
  std::optional<int64_t> boundA = upperBound(a), boundC = upperBound(c);
  return Size::symbol(addSymbol(add(sizeValue(a), sizeValue(c)), boundA && boundC ? *boundA + *boundC : -1));
}

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

SmallVector<Size> KernelBuilder::denseStrides(ArrayRef<Size> sizes) {
  SmallVector<Size> strides(sizes.size(), Size(1));
  for (int64_t d = static_cast<int64_t>(sizes.size()) - 2; d >= 0; --d)
    strides[d] = strides[d + 1] * sizes[d + 1];
  return strides;
}

/// Adds stride * expr to `access` where expr is linear; returns false otherwise, with `access` unchanged.
static bool addLinear(KernelBuilder &kb, Access &access, AffineExpr expr, const Size &stride) {
  SmallVector<int64_t> flat;
  AffineExpr simple = simplifyAffineExpr(expr, access.coefs.size(), 0);
  if (!simple.isPureAffine())
    return false;
  bool linear = true;
  simple.walk([&](AffineExpr e) {
    linear &= e.getKind() == AffineExprKind::Add || e.getKind() == AffineExprKind::Mul ||
              e.getKind() == AffineExprKind::DimId || e.getKind() == AffineExprKind::Constant;
  });
  if (!linear || failed(getFlattenedAffineExpr(simple, access.coefs.size(), 0, &flat)))
    return false;
  for (unsigned loop = 0; loop < access.coefs.size(); ++loop)
    if (flat[loop])
      access.coefs[loop] = kb.addSizes(access.coefs[loop], stride * Size(flat[loop]));
  if (flat.back())
    access.constant = kb.addSizes(access.constant, stride * Size(flat.back()));
  return true;
}

/// Terms of a sum.
static void flattenSum(AffineExpr expr, SmallVectorImpl<AffineExpr> &terms) {
  auto sum = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!sum || sum.getKind() != AffineExprKind::Add) {
    terms.push_back(expr);
    return;
  }
  flattenSum(sum.getLHS(), terms);
  flattenSum(sum.getRHS(), terms);
}

/// `e floordiv c` with stride c * s and `e mod c` with stride s are e with stride s: dimensions of the buffer that are
/// walked as one.
static void joinQuotients(KernelBuilder &kb, Access &access) {
  for (unsigned i = 0; i < access.nonlinear.size(); ++i) {
    auto quotient = dyn_cast<AffineBinaryOpExpr>(access.nonlinear[i].first);
    if (!quotient || quotient.getKind() != AffineExprKind::FloorDiv)
      continue;
    auto divisor = dyn_cast<AffineConstantExpr>(quotient.getRHS());
    auto rest = llvm::find_if(access.nonlinear, [&](const auto &term) {
      return divisor && term.first == quotient.getLHS() % divisor.getValue() &&
             access.nonlinear[i].second == term.second * Size(divisor.getValue());
    });
    if (rest == access.nonlinear.end() || !addLinear(kb, access, quotient.getLHS(), rest->second))
      continue;
    access.nonlinear.erase(rest);
    llvm::erase_if(access.nonlinear, [&](const auto &term) { return term.first == AffineExpr(quotient); });
    i = -1;
  }
}

/// Recognizes `(…, d floordiv W, …, d mod W)`.
static std::optional<Access::Panel> matchPanel(const Access &access) {
  if (access.nonlinear.size() != 2)
    return std::nullopt;
  auto quotient = dyn_cast<AffineBinaryOpExpr>(access.nonlinear[0].first);
  auto rest = dyn_cast<AffineBinaryOpExpr>(access.nonlinear[1].first);
  if (!quotient || !rest || quotient.getKind() != AffineExprKind::FloorDiv || rest.getKind() != AffineExprKind::Mod ||
      quotient.getLHS() != rest.getLHS() || quotient.getRHS() != rest.getRHS() ||
      !access.nonlinear[1].second.isStatic())
    return std::nullopt;
  auto dim = dyn_cast<AffineDimExpr>(quotient.getLHS());
  auto width = dyn_cast<AffineConstantExpr>(quotient.getRHS());
  if (!dim || !width || !access.coefs[dim.getPosition()].isZero())
    return std::nullopt;
  return Access::Panel{dim.getPosition(), width.getValue(), access.nonlinear[0].second,
                       access.nonlinear[1].second.constant()};
}

Access KernelBuilder::makeAccess(Buffer &buffer, AffineMap map) {
  Access access;
  access.buffer = &buffer;
  access.coefs.assign(map.getNumDims(), Size(0));
  for (auto [expr, stride] : llvm::zip_equal(map.getResults(), buffer.strides)) {
    if (addLinear(*this, access, expr, stride))
      continue;
    SmallVector<AffineExpr> terms;
    flattenSum(expr, terms);
    for (AffineExpr term : terms)
      if (!addLinear(*this, access, term, stride))
        access.nonlinear.push_back({term, stride});
  }
  if ((access.panel = matchPanel(access)))
    access.nonlinear.clear();
  joinQuotients(*this, access);
  return access;
}

/// Value of an affine expression of loop positions, all of them non-negative.
static Value expand(KernelBuilder &kb, AffineExpr expr, ArrayRef<Pos> at) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return kb.index(constant.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return kb.posValue(at[dim.getPosition()]);
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Value lhs = expand(kb, binary.getLHS(), at), rhs = expand(kb, binary.getRHS(), at);
  switch (binary.getKind()) {
  case AffineExprKind::Add:
    return arith::AddIOp::create(kb.b, kb.loc, lhs, rhs);
  case AffineExprKind::Mul:
    return arith::MulIOp::create(kb.b, kb.loc, lhs, rhs);
  case AffineExprKind::FloorDiv:
    return arith::DivUIOp::create(kb.b, kb.loc, lhs, rhs);
  case AffineExprKind::CeilDiv:
    return arith::CeilDivUIOp::create(kb.b, kb.loc, lhs, rhs);
  default:
    return arith::RemUIOp::create(kb.b, kb.loc, lhs, rhs);
  }
}

Value KernelBuilder::address(const Access &access, ArrayRef<Pos> at, int64_t laneOffset) {
  Value sum;
  int64_t constant = laneOffset;
  auto addScaled = [&](const Size &coef, int64_t times) {
    Size scaled = coef * Size(times);
    if (scaled.isStatic())
      constant += scaled.constant();
    else
      sum = add(sum, sizeValue(scaled));
  };
  addScaled(access.constant, 1);
  for (auto [expr, stride] : access.nonlinear)
    sum = add(sum, mul(expand(*this, expr, at), stride));
  for (auto [loop, coef] : llvm::enumerate(access.coefs)) {
    bool isPanel = access.panel && access.panel->loop == loop;
    if (isPanel) {
      const Access::Panel &panel = *access.panel;
      if (at[loop].panel || !at[loop].value) {
        if (at[loop].panel)
          sum = add(sum, mul(at[loop].panel, panel.stride));
        if (at[loop].within)
          sum = add(sum, mul(at[loop].within, Size(panel.laneStride)));
        addScaled(panel.stride, at[loop].offset / panel.width);
        constant += at[loop].offset % panel.width * panel.laneStride;
        continue;
      }
      Value n = posValue(at[loop]), width = index(panel.width);
      sum = add(sum, mul(arith::DivUIOp::create(b, loc, n, width), panel.stride));
      sum = add(sum, mul(arith::RemUIOp::create(b, loc, n, width), Size(panel.laneStride)));
      continue;
    }
    if (coef.isZero())
      continue;
    if (at[loop].value)
      sum = add(sum, mul(at[loop].value, coef));
    addScaled(coef, at[loop].offset);
  }
  return sum ? add(sum, constant) : index(constant);
}

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

Type KernelBuilder::spread(Type element, int64_t lanes) {
  return lanes == 1 ? element : VectorType::get({lanes}, element);
}

Value KernelBuilder::splat(Value scalar, int64_t lanes) {
  if (lanes == 1 || isa<VectorType>(scalar.getType()))
    return scalar;
  TypedAttr attr;
  if (matchPattern(scalar, m_Constant(&attr)))
    return splatConstant(attr, lanes);
  return vector::BroadcastOp::create(b, loc, spread(scalar.getType(), lanes), scalar);
}

Value KernelBuilder::splatConstant(TypedAttr value, int64_t lanes) {
  if (lanes == 1)
    return arith::ConstantOp::create(b, loc, value);
  auto type = VectorType::get({lanes}, value.getType());
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, static_cast<Attribute>(value)));
}

Value KernelBuilder::zero(Type element, int64_t lanes) { return splatConstant(b.getZeroAttr(element), lanes); }

Value KernelBuilder::load(const Buffer &buffer, Value address, int64_t lanes) {
  Type memory = memoryType(buffer.element);
  Value value =
      lanes == 1 ? memref::LoadOp::create(b, loc, buffer.memref, address).getResult()
                 : vector::LoadOp::create(b, loc, VectorType::get({lanes}, memory), buffer.memref, address).getResult();
  if (memory == buffer.element)
    return value;
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, value, zero(memory, lanes));
}

void KernelBuilder::store(Value value, const Buffer &buffer, Value address) {
  Type memory = memoryType(buffer.element);
  auto type = dyn_cast<VectorType>(value.getType());
  if (memory != buffer.element)
    value = arith::ExtUIOp::create(b, loc, spread(memory, type ? type.getDimSize(0) : 1), value);
  if (type)
    vector::StoreOp::create(b, loc, value, buffer.memref, address);
  else
    memref::StoreOp::create(b, loc, value, buffer.memref, address);
}

Value KernelBuilder::lane(Value value, int64_t index) {
  return isa<VectorType>(value.getType()) ? vector::ExtractOp::create(b, loc, value, index).getResult() : value;
}

/// Exchanges blocks of 1, 2, 4 … elements over the diagonal (Eklundh's algorithm).
void KernelBuilder::transposeSquare(MutableArrayRef<Value> rows) {
  int64_t lanes = rows.size();
  for (int64_t step = 1; step < lanes; step *= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      low.push_back(lane & step ? lanes + lane - step : lane);
      high.push_back(lane & step ? lanes + lane : lane + step);
    }
    for (int64_t i = 0; i < lanes; ++i) {
      if (i & step)
        continue;
      Value a = rows[i], c = rows[i + step];
      rows[i] = vector::ShuffleOp::create(b, loc, a, c, low);
      rows[i + step] = vector::ShuffleOp::create(b, loc, a, c, high);
    }
  }
}

Value KernelBuilder::multiplyAdd(Value x, Value y, Value c) {
  Type type = c.getType();
  if (isa<IntegerType>(getElementTypeOrSelf(type)))
    return arith::AddIOp::create(b, loc, c, arith::MulIOp::create(b, loc, x, y));
  if (!target.fma)
    return arith::AddFOp::create(b, loc, c, arith::MulFOp::create(b, loc, x, y));
  return math::FmaOp::create(b, loc, x, y, c);
}

Value KernelBuilder::loadAlong(const Access &access, ArrayRef<Pos> at, int loop, int64_t lanes) {
  if (access.buffer->scalar)
    return access.buffer->scalar;
  if (lanes == 1 || !access.uses(loop))
    return load(*access.buffer, address(access, at), 1);
  // A panel is at least as wide as a vector that starts at a multiple of its lanes.
  bool contiguous = access.isLinearIn(loop) &&
                    (access.coefs[loop].is(1) || (access.panel && access.panel->loop == static_cast<unsigned>(loop) &&
                                                  access.panel->laneStride == 1));
  if (contiguous)
    return load(*access.buffer, address(access, at), lanes);
  Value result = zero(access.buffer->element, lanes);
  SmallVector<Pos> position(at);
  for (int64_t lane = 0; lane < lanes; ++lane, ++position[loop].offset) {
    Value element = load(*access.buffer, address(access, position), 1);
    result = vector::InsertOp::create(b, loc, element, result, lane);
  }
  return result;
}

void KernelBuilder::prefetch(const Buffer &buffer, Value address) {
  constexpr unsigned secondLevel = 2;
  memref::PrefetchOp::create(b, loc, buffer.memref, address, /*isWrite=*/false, secondLevel, /*isDataCache=*/true);
}

void KernelBuilder::storeAlong(Value value, const Access &access, ArrayRef<Pos> at, int loop, int64_t lanes) {
  if (lanes == 1 || (access.coefs[loop].is(1) && access.isLinearIn(loop)))
    return store(splat(value, lanes), *access.buffer, address(access, at));
  SmallVector<Pos> position(at);
  for (int64_t i = 0; i < lanes; ++i, ++position[loop].offset)
    store(lane(value, i), *access.buffer, address(access, position));
}

//===----------------------------------------------------------------------===//
// Control flow, scratch
//===----------------------------------------------------------------------===//

SmallVector<Value> KernelBuilder::loop(Value lower, Value upper, int64_t step, ValueRange carried, LoopBody body) {
  auto loop = scf::ForOp::create(b, loc, lower, upper, index(step), carried);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (carried.empty())
    return {};
  b.setInsertionPointToEnd(loop.getBody());
  scf::YieldOp::create(b, loc, next);
  return SmallVector<Value>(loop.getResults());
}

void KernelBuilder::loop(Value lower, Value upper, int64_t step, function_ref<void(Value)> body) {
  loop(lower, upper, step, ValueRange(), [&](Value iv, ValueRange) -> SmallVector<Value> {
    body(iv);
    return {};
  });
}

void KernelBuilder::ifElse(Value condition, function_ref<void()> then, function_ref<void()> otherwise) {
  auto op = scf::IfOp::create(b, loc, condition, static_cast<bool>(otherwise));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.thenBlock());
  then();
  if (!otherwise)
    return;
  b.setInsertionPointToStart(op.elseBlock());
  otherwise();
}

FailureOr<Buffer> KernelBuilder::allocateScratch(Type element, ArrayRef<Size> sizes) {
  Size total(1);
  for (const Size &size : sizes)
    total = total * size;
  std::optional<int64_t> bound = upperBound(total);
  if (!bound)
    return emitError(loc) << "a temporary of this kernel has no upper bound: give the bounds of the model's dynamic "
                             "dimensions with --dim 'NAME<=N'";
  Type memory = memoryType(element);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(entry);
  Value offset = index(scratchBytes), length = index(*bound);
  auto type = MemRefType::get({ShapedType::kDynamic}, memory);
  Buffer buffer;
  buffer.memref = memref::ViewOp::create(b, loc, type, scratch, offset, length);
  buffer.element = element;
  buffer.sizes.assign(sizes.begin(), sizes.end());
  buffer.strides = denseStrides(sizes);
  int64_t bytes = *bound * (memory.isIndex() ? 8 : (memory.getIntOrFloatBitWidth() + 7) / 8);
  scratchBytes += llvm::alignTo(bytes, 64);
  return buffer;
}

bool KernelBuilder::configureTiles(ArrayRef<int64_t> rows, ArrayRef<int64_t> rowBytes) {
  if (!tileRows.empty())
    return ArrayRef(tileRows) == rows && ArrayRef(tileRowBytes) == rowBytes;
  FailureOr<Buffer> buffer = allocateScratch(b.getI8Type(), {Size(64)});
  if (failed(buffer))
    return false;
  tileRows.assign(rows.begin(), rows.end());
  tileRowBytes.assign(rowBytes.begin(), rowBytes.end());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfterValue(buffer->memref);
  machine::TileConfigOp::create(b, loc, buffer->memref, rows, rowBytes);
  return true;
}
