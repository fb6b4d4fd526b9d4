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
/// Bytes of a row that instructions take at once that have no lanes for columns.
static constexpr int64_t rowBytes = 16;

DotStep::DotStep(KernelBuilder &kb, ContractOp op, int64_t lanes) : kb(kb), lanes(lanes) {
  std::tie(lhsOperand, rhsOperand) = *matchDot(op);
  group = wordBits / lhsOperand.element.getIntOrFloatBitWidth();
  instruction = lhsOperand.element.isInteger(8) ? kb.target.dot : kb.target.bf16Dot;
  if (!instruction.empty() && lanes == kb.target.lanes(wordBits))
    chooseMode(op);
}

void DotStep::chooseMode(ContractOp op) {
  bool isSigned = lhsOperand.isSigned;
  if (!lhsOperand.element.isInteger(8)) {
    mode = Whole;
  } else if (instruction == "vpdpbusd") {
    mode = Whole;
    flips = isSigned;
  } else if (instruction == "vpmaddwd") {
    mode = Pairs;
  } else if (instruction == "sdot" || instruction == "usdot") {
    mode = Whole;
    flips = !isSigned && instruction == "sdot";
    if (isSigned)
      instruction = "sdot";
  } else if (instruction == "smlad") {
    mode = Words;
    if (!isSigned)
      instruction = "usmlad";
  } else {
    mode = Rows;
    group = rowBytes;
    flips = !isSigned;
    if (lanes > 1 && !op->hasAttr(kAboveMinimum))
      instruction = instruction == "smlal" ? "smull" : "vmull";
  }
}

int64_t DotStep::panelParts(int64_t vectors) const {
  if (isScalar())
    return vectors % 2 == 0 ? vectors / 2 : vectors;
  return mode == Rows ? vectors : kb.target.panelParts(vectors);
}

int64_t DotStep::tileRows(int64_t vectors) const {
  if (isScalar())
    return mode == Words ? 3 : 2;
  // Besides sums and columns, the rows are loaded ahead.
  if (mode == Rows)
    return std::clamp<int64_t>((kb.target.registers - 4) / (vectors * lanes) - 1 - (flips ? 1 : 0), 1, 4);
  if (groupsPerLoad() > 1)
    return std::clamp<int64_t>((kb.target.registers - vectors - (flips ? vectors + 1 : 0)) / (vectors + 1), 1, 14);
  int64_t registers = kb.target.registers - 1 - vectors - (flips ? vectors : 0) - (mode == Plain ? 2 : 0);
  return std::clamp<int64_t>(registers / (vectors * partials()), 1, 14);
}

VectorType DotStep::operandType() const { return VectorType::get({lanes * group}, lhsOperand.element); }

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

int64_t DotStep::groupsPerLoad() const {
  return mode == Whole && (instruction == "sdot" || instruction == "usdot") ? rowBytes / group : 1;
}

int64_t DotStep::groupsAtOnce() const {
  constexpr int64_t unrolled = 4;
  return isScalar() ? unrolled : groupsPerLoad();
}

Value DotStep::loadGroups(const Access &lhs, ArrayRef<Pos> at) {
  return flip(vector::LoadOp::create(kb.b, kb.loc, operandType(), lhs.buffer->memref, kb.address(lhs, at)));
}

Value DotStep::takeGroup(Value groups, int64_t index) {
  auto words = VectorType::get({lanes}, kb.b.getI32Type());
  Value all = vector::BitCastOp::create(kb.b, kb.loc, words, groups);
  SmallVector<int64_t> mask(lanes, index);
  all = vector::ShuffleOp::create(kb.b, kb.loc, all, all, mask);
  return vector::BitCastOp::create(kb.b, kb.loc, operandType(), all);
}

/// Bytes as the instruction wants them.
Value DotStep::flip(Value bytes) {
  if (!flips)
    return bytes;
  TypedAttr top = kb.b.getI8IntegerAttr(static_cast<int8_t>(0x80));
  int64_t size = cast<VectorType>(bytes.getType()).getNumElements();
  return arith::XOrIOp::create(kb.b, kb.loc, bytes, kb.splatConstant(top, size));
}

Value DotStep::loadGroup(const Access &lhs, ArrayRef<Pos> at, int64_t elements) {
  Value address = kb.address(lhs, at);
  if (mode != Rows) {
    Value word = loadWord(lhs, address, elements);
    return mode == Whole ? spreadWord(word) : word;
  }
  auto type = VectorType::get({group}, lhsOperand.element);
  Value bytes;
  isHalf = elements <= group / 2;
  if (elements == group) {
    bytes = vector::LoadOp::create(kb.b, kb.loc, type, lhs.buffer->memref, address);
  } else {
    constexpr int64_t wordBytes = wordBits / 8;
    Values words;
    for (int64_t first = 0; first < group; first += wordBytes)
      words.push_back(first < elements ? loadWord(lhs, kb.add(address, first), std::min(wordBytes, elements - first))
                                       : arith::ConstantIntOp::create(kb.b, kb.loc, int64_t(0), wordBits).getResult());
    Value all =
        vector::FromElementsOp::create(kb.b, kb.loc, VectorType::get({group / wordBytes}, kb.b.getI32Type()), words);
    bytes = vector::BitCastOp::create(kb.b, kb.loc, type, all);
  }
  return flip(bytes);
}

/// The first `elements` of a word at `address`.
Value DotStep::loadWord(const Access &lhs, Value address, int64_t elements) {
  Type i32 = kb.b.getI32Type();
  if (elements * lhsOperand.element.getIntOrFloatBitWidth() == wordBits)
    return machine::LoadWordOp::create(kb.b, kb.loc, i32, lhs.buffer->memref, address);
  Value word;
  for (int64_t e = 0; e < elements; ++e) {
    Value part = kb.load(*lhs.buffer, kb.add(address, e), 1);
    if (isa<FloatType>(part.getType()))
      part = arith::BitcastOp::create(kb.b, kb.loc, kb.b.getI16Type(), part);
    part = arith::ExtUIOp::create(kb.b, kb.loc, i32, part);
    if (e)
      part = arith::ShLIOp::create(
          kb.b, kb.loc, part,
          arith::ConstantIntOp::create(kb.b, kb.loc, e * lhsOperand.element.getIntOrFloatBitWidth(), wordBits));
    word = word ? arith::OrIOp::create(kb.b, kb.loc, word, part).getResult() : part;
  }
  return word;
}

DotStep::Values DotStep::loadColumns(const Buffer &buffer, Value address) {
  if (mode == Rows) {
    Values columns;
    for (int64_t lane = 0; lane < lanes; ++lane)
      columns.push_back(vector::LoadOp::create(kb.b, kb.loc, VectorType::get({group}, rhsOperand.element),
                                               buffer.memref, kb.add(address, lane * group)));
    return columns;
  }
  if (lanes == 1)
    return {machine::LoadWordOp::create(kb.b, kb.loc, kb.b.getI32Type(), buffer.memref, address)};
  return {vector::LoadOp::create(kb.b, kb.loc, operandType(), buffer.memref, address)};
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
  // Of a half that is zero nothing is left where halves are apart.
  StringRef name = instruction == "smlal" && isHalf ? StringRef("smull") : StringRef(instruction);
  return machine::DotOp::create(kb.b, kb.loc, sum.getType(), name, lhs, rhs, sum);
}

/// One row, or one word of it, times all columns.
void DotStep::addRow(Values &accumulators, Value lhs, ArrayRef<Value> columns, int64_t first) {
  for (auto [j, column] : llvm::enumerate(columns))
    accumulators[first + j] = addProduct(lhs, column, accumulators[first + j]);
}

DotStep::Values DotStep::step(Values accumulators, int64_t rows, int64_t vectors, ArrayRef<Value> columns,
                              function_ref<Value(int64_t)> word) {
  if (mode == Rows || mode == Words) {
    int64_t count = columns.size();
    for (int64_t i = 0; i < rows; ++i)
      addRow(accumulators, word(i), columns, i * count);
    if (flips)
      addRow(accumulators, kb.splatConstant(kb.b.getI8IntegerAttr(static_cast<int8_t>(0x80)), group), columns,
             rows * count);
    return accumulators;
  }
  SmallVector<SmallVector<Value>> wide;
  if (mode == Pairs)
    for (Value column : columns)
      wide.push_back(widenPairs(column, rhsOperand.isSigned));
  for (int64_t i = 0; i < rows; ++i) {
    Value group32 = word(i), spread;
    if (mode == Whole) {
      spread = group32;
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

/// Sums of neighbours of `a`, then of `b`.
Value DotStep::addNeighbours(Value a, Value b) {
  SmallVector<int64_t> even, odd;
  for (int64_t lane = 0; lane < lanes; ++lane) {
    even.push_back(2 * lane);
    odd.push_back(2 * lane + 1);
  }
  return arith::AddIOp::create(kb.b, kb.loc, vector::ShuffleOp::create(kb.b, kb.loc, a, b, even),
                               vector::ShuffleOp::create(kb.b, kb.loc, a, b, odd));
}

DotStep::Values DotStep::finish(ArrayRef<Value> accumulators, int64_t rows, int64_t vectors) {
  Values sums;
  for (int64_t i = 0; i < rows * vectors; ++i) {
    Values parts(accumulators.slice(i * partials(), partials()));
    if (flips)
      for (auto [part, excess] : llvm::zip(parts, accumulators.slice((rows * vectors + i % vectors) * partials())))
        part = arith::SubIOp::create(kb.b, kb.loc, part, excess);
    for (; parts.size() > 1; parts.truncate(parts.size() / 2))
      for (size_t k = 0; k < parts.size() / 2; ++k)
        parts[k] = addNeighbours(parts[2 * k], parts[2 * k + 1]);
    sums.push_back(parts[0]);
  }
  return sums;
}
