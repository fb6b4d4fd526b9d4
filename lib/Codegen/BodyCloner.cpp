//===- BodyCloner.cpp - scalar regions cloned at vector type ------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "BodyCloner.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace leaf::codegen;

//===----------------------------------------------------------------------===//
// BodySpread
//===----------------------------------------------------------------------===//

static bool isIntegral(Value value) { return value.getType().isIntOrIndex(); }

static Spread spreadOf(Operation &op, ArrayRef<Spread> operands, int vectorLoop) {
  if (auto index = dyn_cast<linalg::IndexOp>(op))
    return static_cast<int>(index.getDim()) == vectorLoop ? Spread::Linear : Spread::Uniform;
  if (llvm::all_of(operands, [](Spread s) { return s == Spread::Uniform; }))
    return Spread::Uniform;
  bool oneLinear = operands[0] == Spread::Linear && (operands.size() == 1 || operands[1] == Spread::Uniform);
  if (isa<arith::AddIOp>(op) && (oneLinear || (operands[0] == Spread::Uniform && operands[1] == Spread::Linear)))
    return Spread::Linear;
  if (isa<arith::SubIOp, arith::IndexCastOp, arith::ExtSIOp>(op) && oneLinear && isIntegral(op.getResult(0)))
    return Spread::Linear;
  return Spread::Varying;
}

static unsigned bitsOf(Type type) {
  return type.isIndex() ? 32 : type.isIntOrFloat() ? std::max(8u, type.getIntOrFloatBitWidth()) : 0;
}

BodySpread::BodySpread(Block &body, ArrayRef<Spread> args, int vectorLoop) : body(body) {
  for (auto [argument, spread] : llvm::zip(body.getArguments(), args)) {
    spreads[argument] = spread;
    if (spread == Spread::Varying)
      widest = std::max(widest, bitsOf(argument.getType()));
  }
  for (Operation &op : body.without_terminator()) {
    SmallVector<Spread> operands = llvm::map_to_vector(op.getOperands(), [&](Value v) { return get(v); });
    Spread spread = spreadOf(op, operands, vectorLoop);
    for (Value result : op.getResults()) {
      spreads[result] = spread;
      if (spread == Spread::Varying)
        widest = std::max(widest, bitsOf(result.getType()));
    }
    // Integers become f16 and bf16 by way of f32.
    if (spread == Spread::Varying && isa<arith::SIToFPOp, arith::UIToFPOp>(op))
      widest = std::max(widest, 32u);
    // A linear operand of a varying op becomes a vector too.
    for (auto [operand, kind] : llvm::zip(op.getOperands(), operands))
      if (spread == Spread::Varying && kind == Spread::Linear && !isa<tensor::ExtractOp>(op))
        widest = std::max(widest, bitsOf(operand.getType()));
  }
}

Spread BodySpread::get(Value value) const {
  auto found = spreads.find(value);
  return found == spreads.end() ? Spread::Uniform : found->second;
}

/// True where the lanes of this extract are consecutive elements.
static bool isContiguousExtract(tensor::ExtractOp op, const BodySpread &spread, bool rowMajor) {
  if (!rowMajor || op.getIndices().empty() || spread.get(op.getIndices().back()) != Spread::Linear)
    return false;
  return llvm::all_of(op.getIndices().drop_back(), [&](Value v) { return spread.get(v) == Spread::Uniform; });
}

unsigned BodySpread::getNumGathers(function_ref<bool(Value)> isRowMajor) const {
  unsigned gathers = 0;
  for (auto op : body.getOps<tensor::ExtractOp>())
    gathers += get(op.getResult()) == Spread::Varying && !isContiguousExtract(op, *this, isRowMajor(op.getTensor()));
  return gathers;
}

//===----------------------------------------------------------------------===//
// BodyCloner
//===----------------------------------------------------------------------===//

Type BodyCloner::varyingType(Type type) { return VectorType::get({lanes}, type.isIndex() ? kb.b.getI32Type() : type); }

Value BodyCloner::lookup(Value value) {
  if (Value found = mapped.lookup(value))
    return found;
  return kb.captured ? kb.captured->lookupOrDefault(value) : value;
}

/// `value` as a vector: a broadcast of a uniform one, base + 0, 1, 2, … of a linear one.
Value BodyCloner::varying(Value value, const BodySpread &spread) {
  Value scalar = lookup(value);
  if (isa<VectorType>(scalar.getType()))
    return scalar;
  Type type = varyingType(scalar.getType());
  Type element = cast<VectorType>(type).getElementType();
  if (scalar.getType().isIndex())
    scalar = arith::IndexCastOp::create(kb.b, kb.loc, element, scalar);
  Value vector = kb.splat(scalar, lanes);
  if (spread.get(value) != Spread::Linear)
    return vector;
  SmallVector<Attribute> steps;
  for (int64_t i = 0; i < lanes; ++i)
    steps.push_back(kb.b.getIntegerAttr(element, i));
  Value iota = arith::ConstantOp::create(kb.b, kb.loc, DenseElementsAttr::get(cast<VectorType>(type), steps));
  return arith::AddIOp::create(kb.b, kb.loc, vector, iota);
}

Value BodyCloner::cloneExtract(Operation &op, const BodySpread &spread) {
  auto extract = cast<tensor::ExtractOp>(op);
  const Buffer *buffer = bufferOf(extract.getTensor());
  if (!buffer)
    return {};
  auto addressOf = [&](function_ref<Value(Value)> indexOf) -> Value {
    Value sum;
    for (auto [index, stride] : llvm::zip_equal(extract.getIndices(), buffer->strides))
      sum = kb.add(sum, kb.mul(indexOf(index), stride));
    return sum ? sum : kb.index(0);
  };
  auto base = [&](Value index) { return lookup(index); };
  if (buffer->scalar)
    return buffer->scalar;
  if (lanes == 1 || spread.get(extract.getResult()) == Spread::Uniform)
    return kb.load(*buffer, addressOf(base), 1);
  bool rowMajor = !buffer->strides.empty() && buffer->strides.back().is(1);
  if (isContiguousExtract(extract, spread, rowMajor))
    return kb.load(*buffer, addressOf(base), lanes);
  Value result = kb.zero(buffer->element, lanes);
  for (int64_t i = 0; i < lanes; ++i) {
    auto laneIndex = [&](Value index) -> Value {
      Value value = lookup(index);
      if (isa<VectorType>(value.getType()))
        return arith::IndexCastOp::create(kb.b, kb.loc, kb.b.getIndexType(), kb.lane(value, i));
      return spread.get(index) == Spread::Linear ? kb.add(value, i) : value;
    };
    result = vector::InsertOp::create(kb.b, kb.loc, kb.load(*buffer, addressOf(laneIndex), 1), result, i);
  }
  return result;
}

/// True where a quotient may be rounded or compared: quantization, remainders, bucket numbers.
static bool hasRounding(Block &body) {
  return llvm::any_of(body, llvm::IsaPred<math::RoundEvenOp, math::RoundOp, math::FloorOp, math::CeilOp, math::TruncOp,
                                          arith::FPToSIOp, arith::FPToUIOp, arith::CmpFOp>);
}

LogicalResult BodyCloner::cloneOp(Operation &op, const BodySpread &spread) {
  if (auto index = dyn_cast<linalg::IndexOp>(op)) {
    mapped[index.getResult()] = kb.posValue(at[index.getDim()]);
    return success();
  }
  if (isa<tensor::ExtractOp>(op)) {
    Value element = cloneExtract(op, spread);
    if (!element)
      return op.emitError("a kernel body may read only arguments and temporaries of the kernel");
    mapped[op.getResult(0)] = element;
    return success();
  }
  if (op.getNumRegions() != 0)
    return op.emitError("a kernel body must be straight line");
  // One division for all lanes instead of one each, where the last bit decides nothing.
  if (isa<arith::DivFOp>(op) && lanes > 1 && !hasRounding(*op.getBlock()) &&
      spread.get(op.getOperand(0)) != Spread::Uniform && spread.get(op.getOperand(1)) == Spread::Uniform) {
    Value divisor = lookup(op.getOperand(1));
    Value one = arith::ConstantOp::create(kb.b, kb.loc, kb.b.getOneAttr(divisor.getType()));
    Value inverse = kb.splat(arith::DivFOp::create(kb.b, kb.loc, one, divisor), lanes);
    mapped[op.getResult(0)] = arith::MulFOp::create(kb.b, kb.loc, varying(op.getOperand(0), spread), inverse);
    return success();
  }
  // A select by one condition for all lanes stays a select of whole vectors.
  bool isVarying = op.getNumResults() == 1 && spread.get(op.getResult(0)) == Spread::Varying && lanes > 1;
  bool uniformSelect = isVarying && isa<arith::SelectOp>(op) && spread.get(op.getOperand(0)) == Spread::Uniform;
  IRMapping mapping;
  for (auto [i, operand] : llvm::enumerate(op.getOperands()))
    mapping.map(operand, isVarying && !(uniformSelect && i == 0) ? varying(operand, spread) : lookup(operand));
  if (isVarying && !OpTrait::hasElementwiseMappableTraits(&op))
    return op.emitError("cannot be computed on vectors");
  // index and i32 are both 32 bits wide in a vector, so that a cast between them is nothing.
  if (isVarying && isa<arith::IndexCastOp, arith::IndexCastUIOp>(op)) {
    Value from = mapping.lookup(op.getOperand(0));
    Type to = varyingType(op.getResult(0).getType());
    unsigned have = getElementTypeOrSelf(from).getIntOrFloatBitWidth(),
             want = getElementTypeOrSelf(to).getIntOrFloatBitWidth();
    mapped[op.getResult(0)] = have == want  ? from
                              : have < want ? arith::ExtSIOp::create(kb.b, kb.loc, to, from).getResult()
                                            : arith::TruncIOp::create(kb.b, kb.loc, to, from).getResult();
    return success();
  }
  Operation *copy = kb.b.clone(op, mapping);
  for (auto [result, value] : llvm::zip(op.getResults(), copy->getResults())) {
    if (isVarying)
      value.setType(varyingType(result.getType()));
    mapped[result] = value;
  }
  return success();
}

FailureOr<SmallVector<Value>> BodyCloner::clone(Block &body, ArrayRef<Value> args) {
  SmallVector<Spread> kinds;
  mapped.clear();
  for (auto [argument, value] : llvm::zip_equal(body.getArguments(), args)) {
    kinds.push_back(value && isa<VectorType>(value.getType()) ? Spread::Varying : Spread::Uniform);
    mapped[argument] = value;
  }
  BodySpread spread(body, kinds, vectorLoop);
  for (Operation &op : body.without_terminator())
    if (failed(cloneOp(op, spread)))
      return failure();
  SmallVector<Value> results;
  for (Value value : body.getTerminator()->getOperands())
    results.push_back(lanes > 1 && spread.get(value) == Spread::Linear ? varying(value, spread) : lookup(value));
  return results;
}

Operation *leaf::codegen::matchCombiner(Block &body, unsigned position, Value accumulator) {
  Operation *op = body.getTerminator()->getOperand(position).getDefiningOp();
  if (!op || op->getNumOperands() != 2 || op->getNumResults() != 1 || !accumulator.hasOneUse() ||
      !llvm::is_contained(op->getOperands(), accumulator) || !arith::getNeutralElement(op))
    return nullptr;
  return op;
}
