//===- Imperative.cpp - scalar code in the body of leaf.forall ---------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Imperative.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::onnxtolinalg;

Value Code::index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

Value Code::size(Value buffer, int64_t dim) {
  auto type = cast<MemRefType>(buffer.getType());
  return type.isDynamicDim(dim) ? memref::DimOp::create(b, loc, buffer, dim).getResult() : index(type.getDimSize(dim));
}

Value Code::add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
Value Code::sub(Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }
Value Code::mul(Value x, Value y) { return arith::MulIOp::create(b, loc, x, y); }
Value Code::less(Value x, Value y) { return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, x, y); }
Value Code::equal(Value x, Value y) { return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, x, y); }
Value Code::both(Value x, Value y) { return arith::AndIOp::create(b, loc, x, y); }
Value Code::either(Value x, Value y) { return arith::OrIOp::create(b, loc, x, y); }
Value Code::select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, loc, condition, x, y); }

Value Code::load(Value buffer, ValueRange indices) { return memref::LoadOp::create(b, loc, buffer, indices); }
void Code::store(Value value, Value buffer, ValueRange indices) {
  memref::StoreOp::create(b, loc, value, buffer, indices);
}

Code::Values Code::loop(Value lower, Value upper, ValueRange carried, function_ref<Values(Value, ValueRange)> body) {
  auto build = [&](OpBuilder &inner, Location at, Value iv, ValueRange values) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(inner.getInsertionBlock());
    scf::YieldOp::create(b, at, body(iv, values));
  };
  return Values(scf::ForOp::create(b, loc, lower, upper, index(1), carried, build).getResults());
}

void Code::loop(Value lower, Value upper, function_ref<void(Value)> body) {
  loop(lower, upper, {}, [&](Value iv, ValueRange) { return body(iv), Values(); });
}

void Code::loopDown(Value lower, Value upper, function_ref<void(Value)> body) {
  Value last = sub(upper, index(1));
  loop(index(0), sub(upper, lower), [&](Value iv) { body(sub(last, iv)); });
}

void Code::when(Value condition, function_ref<void()> body) {
  auto branch = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  body();
}

Code::Values Code::choose(Value condition, function_ref<Values()> then, function_ref<Values()> otherwise) {
  auto build = [&](function_ref<Values()> body) {
    return [this, body](OpBuilder &inner, Location at) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToEnd(inner.getInsertionBlock());
      scf::YieldOp::create(b, at, body());
    };
  };
  return Values(scf::IfOp::create(b, loc, condition, build(then), build(otherwise)).getResults());
}

SmallVector<Value> leaf::onnxtolinalg::forall(Lowering &lowering, ValueRange inputs, ArrayRef<Sizes> outSizes,
                                              ArrayRef<Type> elements, ArrayRef<Size> extents,
                                              function_ref<void(Code &, const ForallArguments &)> body) {
  OpBuilder &b = lowering.b();
  Location loc = lowering.loc();
  SmallVector<Value> outs, range;
  for (auto [sizes, element] : llvm::zip_equal(outSizes, elements))
    outs.push_back(lowering.empty(sizes, element));
  for (Size extent : extents)
    range.push_back(lowering.sizes().value(extent));
  auto op = ForallOp::create(b, loc, ValueRange(outs).getTypes(), inputs, outs, range);
  Block &block = op.getBody().emplaceBlock();
  for (size_t i = 0; i < range.size(); ++i)
    block.addArgument(b.getIndexType(), loc);
  for (Value operand : llvm::concat<Value>(SmallVector<Value>(inputs), outs)) {
    auto type = cast<RankedTensorType>(operand.getType());
    block.addArgument(MemRefType::get(type.getShape(), type.getElementType()), loc);
  }
  for (auto [result, out] : llvm::zip(op.getResults(), outs))
    lowering.setSizes(result, lowering.getSizes(out));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&block);
  ValueRange arguments = block.getArguments();
  Code code(b, loc);
  body(code, {arguments.take_front(range.size()), arguments.slice(range.size(), inputs.size()),
              arguments.drop_front(range.size() + inputs.size())});
  leaf::YieldOp::create(b, loc, ValueRange());
  return SmallVector<Value>(op.getResults());
}
