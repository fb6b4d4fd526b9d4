//===- DotStep.cpp - one step of a reduction in groups ------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "DotStep.h"

#include "Machine/Machine.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::codegen;

/// Bits of a group.
static constexpr int64_t wordBits = 32;

DotStep::DotStep(KernelBuilder &kb, ContractOp op, int64_t lanes) : kb(kb), lanes(lanes) {
  std::tie(lhsOperand, rhsOperand) = *matchDot(op);
  group = wordBits / lhsOperand.element.getIntOrFloatBitWidth();
  bool isByte = lhsOperand.element.isInteger(8);
  instruction = isByte ? kb.target.dot : kb.target.bf16Dot;
  if (instruction.empty() || lanes != kb.target.lanes(wordBits))
    return;
  if (!isByte || instruction == "vpdpbusd") {
    mode = Whole;
    flips = isByte && lhsOperand.isSigned;
  } else if (instruction == "vpmaddwd") {
    mode = Pairs;
  }
}

int64_t DotStep::tileRows(int64_t vectors) const {
  int64_t registers = kb.target.registers - 1 - vectors - (flips ? vectors : 0) - (mode == Plain ? 2 : 0);
  return std::clamp<int64_t>(registers / (vectors * partials()), 1, 14);
}

VectorType DotStep::operandType() const { return VectorType::get({lanes * group}, lhsOperand.element); }

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

Value DotStep::loadWord(const Access &lhs, ArrayRef<Pos> at, int64_t elements) {
  Type i32 = kb.b.getI32Type();
  Value address = kb.address(lhs, at);
  if (elements == group)
    return machine::LoadWordOp::create(kb.b, kb.loc, i32, lhs.buffer->memref, address);
  Value word;
  for (int64_t e = 0; e < elements; ++e) {
    Value part = kb.load(*lhs.buffer, kb.add(address, e), 1);
    if (isa<FloatType>(part.getType()))
      part = arith::BitcastOp::create(kb.b, kb.loc, kb.b.getI16Type(), part);
    part = arith::ExtUIOp::create(kb.b, kb.loc, i32, part);
    if (e)
      part = arith::ShLIOp::create(kb.b, kb.loc, part,
                                   arith::ConstantIntOp::create(kb.b, kb.loc, e * wordBits / group, wordBits));
    word = word ? arith::OrIOp::create(kb.b, kb.loc, word, part).getResult() : part;
  }
  return word;
}

Value DotStep::loadColumns(const Buffer &buffer, Value address) {
  if (lanes == 1)
    return machine::LoadWordOp::create(kb.b, kb.loc, kb.b.getI32Type(), buffer.memref, address);
  return vector::LoadOp::create(kb.b, kb.loc, operandType(), buffer.memref, address);
}

/// The word in each lane, as elements of the operand; its top bits flipped where the instruction wants that.
Value DotStep::spreadWord(Value word) {
  Value words = kb.splat(word, lanes);
  if (flips)
    words = arith::XOrIOp::create(kb.b, kb.loc, words,
                                  kb.splatConstant(kb.b.getI32IntegerAttr(static_cast<int32_t>(0x80808080)), lanes));
  return vector::BitCastOp::create(kb.b, kb.loc, operandType(), words);
}

/// Bytes as two vectors of 16-bit numbers: the first and the last half of the lanes.
SmallVector<Value> DotStep::widenPairs(Value bytes, bool isSigned) {
  int64_t half = lanes * group / 2;
  auto type = VectorType::get({half}, kb.b.getI16Type());
  SmallVector<Value> result;
  for (int64_t first : {int64_t(0), half}) {
    SmallVector<int64_t> mask = llvm::to_vector(llvm::seq(first, first + half));
    Value part = vector::ShuffleOp::create(kb.b, kb.loc, bytes, bytes, mask);
    result.push_back(isSigned ? arith::ExtSIOp::create(kb.b, kb.loc, type, part).getResult()
                              : arith::ExtUIOp::create(kb.b, kb.loc, type, part).getResult());
  }
  return result;
}

Value DotStep::shift(Value words, int64_t bits, bool left, bool isSigned) {
  if (bits == 0)
    return words;
  Value by = kb.splatConstant(kb.b.getI32IntegerAttr(static_cast<int32_t>(bits)), lanes);
  if (left)
    return arith::ShLIOp::create(kb.b, kb.loc, words, by);
  return isSigned ? arith::ShRSIOp::create(kb.b, kb.loc, words, by).getResult()
                  : arith::ShRUIOp::create(kb.b, kb.loc, words, by).getResult();
}

/// Element `index` of each group of `words` (an i32 for each lane), as a number of the accumulators' type.
Value DotStep::element(Value words, int64_t index, bool isSigned) {
  int64_t bits = wordBits / group;
  Value top = shift(words, wordBits - bits * (index + 1), /*left=*/true, false);
  if (!isa<FloatType>(lhsOperand.element))
    return shift(top, wordBits - bits, /*left=*/false, isSigned);
  // The upper half of a float is a bfloat16.
  Value mask = kb.splatConstant(kb.b.getI32IntegerAttr(static_cast<int32_t>(0xffff0000)), lanes);
  if (index)
    top = arith::AndIOp::create(kb.b, kb.loc, top, mask);
  return arith::BitcastOp::create(kb.b, kb.loc, KernelBuilder::spread(kb.b.getF32Type(), lanes), top);
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

Value DotStep::addProduct(Value lhs, Value rhs, Value sum) {
  return machine::DotOp::create(kb.b, kb.loc, sum.getType(), instruction, lhs, rhs, sum);
}

DotStep::Values DotStep::step(Values accumulators, int64_t rows, ArrayRef<Value> columns,
                              function_ref<Value(int64_t)> word) {
  int64_t vectors = columns.size();
  SmallVector<SmallVector<Value>> wide;
  if (mode == Pairs)
    for (Value column : columns)
      wide.push_back(widenPairs(column, rhsOperand.isSigned));
  for (int64_t i = 0; i < rows; ++i) {
    Value group32 = word(i), spread;
    if (mode == Whole) {
      spread = spreadWord(group32);
    } else if (mode == Pairs) {
      Value half = kb.splat(group32, lanes / 2);
      half = vector::BitCastOp::create(kb.b, kb.loc, VectorType::get({lanes * group / 2}, lhsOperand.element), half);
      auto type = VectorType::get({lanes * group / 2}, kb.b.getI16Type());
      spread = lhsOperand.isSigned ? arith::ExtSIOp::create(kb.b, kb.loc, type, half).getResult()
                                   : arith::ExtUIOp::create(kb.b, kb.loc, type, half).getResult();
    }
    for (int64_t j = 0; j < vectors; ++j) {
      Value *sums = &accumulators[(i * vectors + j) * partials()];
      if (mode == Whole)
        sums[0] = addProduct(spread, columns[j], sums[0]);
      for (int64_t half = 0; mode == Pairs && half < 2; ++half)
        sums[half] = addProduct(spread, wide[j][half], sums[half]);
      if (mode != Plain)
        continue;
      Value words = columns[j];
      if (lanes > 1)
        words = vector::BitCastOp::create(kb.b, kb.loc, VectorType::get({lanes}, kb.b.getI32Type()), words);
      for (int64_t e = 0; e < group; ++e)
        sums[0] = kb.multiplyAdd(element(kb.splat(group32, lanes), e, lhsOperand.isSigned),
                                 element(words, e, rhsOperand.isSigned), sums[0]);
    }
  }
  if (flips) {
    TypedAttr top = kb.b.getI8IntegerAttr(static_cast<int8_t>(0x80));
    for (int64_t j = 0; j < vectors; ++j) {
      Value &sum = accumulators[rows * vectors + j];
      sum = addProduct(kb.splatConstant(top, lanes * group), columns[j], sum);
    }
  }
  return accumulators;
}

DotStep::Values DotStep::finish(ArrayRef<Value> accumulators, int64_t rows, int64_t vectors) {
  Values sums;
  for (int64_t i = 0; i < rows * vectors; ++i) {
    Value sum = accumulators[i * partials()];
    if (mode == Pairs) {
      SmallVector<int64_t> even, odd;
      for (int64_t lane = 0; lane < lanes; ++lane) {
        even.push_back(2 * lane);
        odd.push_back(2 * lane + 1);
      }
      Value other = accumulators[i * partials() + 1];
      sum = arith::AddIOp::create(kb.b, kb.loc, vector::ShuffleOp::create(kb.b, kb.loc, sum, other, even),
                                  vector::ShuffleOp::create(kb.b, kb.loc, sum, other, odd));
    }
    if (flips)
      sum = arith::SubIOp::create(kb.b, kb.loc, sum, accumulators[rows * vectors + i % vectors]);
    sums.push_back(sum);
  }
  return sums;
}
