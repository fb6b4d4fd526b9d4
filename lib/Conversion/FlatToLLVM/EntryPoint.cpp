//===- EntryPoint.cpp - @main as a C function --------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Detail.h"
#include "Leaf/Leaf.h"
#include "leaf/leaf.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace leaf;

/// More buffers are checked in a loop: what LLVM concludes from each single check takes it quadratic time.
static constexpr unsigned maxSingleChecks = 16;

namespace {

/// Builds NAME_entry around the blocks of @main:
///
///   required pointers null? -> return LEAF_ERROR_ARGUMENT
///   load arena, weights, buffers; one of them null? -> return LEAF_ERROR_ARGUMENT
///   load sizes; one of them out of bounds? -> return LEAF_ERROR_BOUND
///   the body, with plan.require -> return LEAF_ERROR_SHAPE
///   store index results behind the sizes; return LEAF_OK
class EntryBuilder {
public:
  EntryBuilder(ModuleOp module, func::FuncOp entry, const LLVMTypeConverter &converter)
      : module(module), entry(entry), converter(converter), b(entry.getContext()), loc(entry.getLoc()),
        pointer(LLVM::LLVMPointerType::get(entry.getContext())), body(&entry.getBody().front()) {}

  LogicalResult run();

private:
  LogicalResult checkSignature();
  FailureOr<int64_t> getBound(BlockArgument size);
  int64_t getModuleBytes(StringRef name);
  void appendBlock() { b.setInsertionPointToEnd(b.createBlock(&entry.getBody(), Region::iterator(body))); }
  /// Ends the current block: returns `status` when one of `conditions` holds, goes on in a new block otherwise.
  void returnIfAny(ArrayRef<Value> conditions, leaf_status status);
  Block *getExit(leaf_status status);
  Value isNull(Value value);
  Value loadElement(Type type, Value base, int64_t index);
  Value addBytes(Location at, Value base, int64_t bytes);
  void checkBuffersInLoop(unsigned count);
  LogicalResult loadArguments();
  LogicalResult lowerWeight(LoadWeightOp load, SymbolTable &symbols);
  void lowerRequire(plan::RequireOp require);
  LogicalResult lowerBody();
  void lowerReturn(func::ReturnOp op);

  ModuleOp module;
  func::FuncOp entry;
  const LLVMTypeConverter &converter;
  OpBuilder b;
  Location loc;
  Type pointer;
  Block *body;
  unsigned numSizes = 0;
  Value context, buffers, dims, arena, weights;
  llvm::SmallDenseMap<int, Block *> exits;
};

} // namespace

int64_t EntryBuilder::getModuleBytes(StringRef name) {
  auto attr = module->getAttrOfType<IntegerAttr>(name);
  return attr ? attr.getInt() : 0;
}

LogicalResult EntryBuilder::checkSignature() {
  for (BlockArgument argument : body->getArguments()) {
    if (isa<MemRefType>(argument.getType()) && numSizes == 0)
      continue;
    if (!argument.getType().isIndex())
      return entry.emitOpError("arguments of the entry must be buffers, then sizes of type index");
    ++numSizes;
  }
  for (Type type : entry.getResultTypes())
    if (!type.isIndex())
      return entry.emitOpError("results of the entry must be sizes of type index");
  return success();
}

FailureOr<int64_t> EntryBuilder::getBound(BlockArgument size) {
  auto name = entry.getArgAttrOfType<StringAttr>(size.getArgNumber(), attrs::kDim);
  auto bounds = module->getAttrOfType<DictionaryAttr>(attrs::kBounds);
  auto bound = name && bounds ? dyn_cast_or_null<IntegerAttr>(bounds.get(name)) : IntegerAttr();
  if (!bound)
    return entry.emitOpError("size argument ")
           << size.getArgNumber() << " needs a name (" << attrs::kDim << ") with a bound in " << attrs::kBounds;
  return bound.getInt();
}

Block *EntryBuilder::getExit(leaf_status status) {
  Block *&exit = exits[status];
  if (exit)
    return exit;
  OpBuilder::InsertionGuard guard(b);
  exit = b.createBlock(&entry.getBody(), entry.getBody().end());
  Value code = LLVM::ConstantOp::create(b, loc, b.getI32Type(), b.getI32IntegerAttr(status));
  LLVM::ReturnOp::create(b, loc, code);
  return exit;
}

void EntryBuilder::returnIfAny(ArrayRef<Value> conditions, leaf_status status) {
  if (conditions.empty())
    return;
  Value any = conditions.front();
  for (Value condition : conditions.drop_front())
    any = LLVM::OrOp::create(b, loc, any, condition);
  Block *from = b.getInsertionBlock(), *exit = getExit(status);
  appendBlock();
  Block *next = b.getInsertionBlock();
  b.setInsertionPointToEnd(from);
  LLVM::CondBrOp::create(b, loc, any, exit, next);
  b.setInsertionPointToEnd(next);
}

Value EntryBuilder::isNull(Value value) {
  return LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::eq, value, LLVM::ZeroOp::create(b, loc, pointer));
}

Value EntryBuilder::loadElement(Type type, Value base, int64_t index) {
  Value address = LLVM::GEPOp::create(b, loc, pointer, type, base, ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(index)});
  return LLVM::LoadOp::create(b, loc, type, address);
}

void EntryBuilder::checkBuffersInLoop(unsigned count) {
  Type index = converter.getIndexType();
  auto constant = [&](unsigned value) {
    return LLVM::ConstantOp::create(b, loc, index, b.getIntegerAttr(index, value));
  };
  Value zero = constant(0);
  Block *from = b.getInsertionBlock(), *exit = getExit(LEAF_ERROR_ARGUMENT);
  appendBlock();
  Block *head = b.getInsertionBlock();
  Value i = head->addArgument(index, loc);
  Value address = LLVM::GEPOp::create(b, loc, pointer, pointer, buffers, ArrayRef<LLVM::GEPArg>{i});
  Value null = isNull(LLVM::LoadOp::create(b, loc, pointer, address));
  appendBlock();
  Block *latch = b.getInsertionBlock();
  Value next = LLVM::AddOp::create(b, loc, i, constant(1));
  Value more = LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::ult, next, constant(count));
  appendBlock();
  Block *end = b.getInsertionBlock();
  b.setInsertionPointToEnd(latch);
  LLVM::CondBrOp::create(b, loc, more, head, ValueRange(next), end, ValueRange());
  b.setInsertionPointToEnd(head);
  LLVM::CondBrOp::create(b, loc, null, exit, latch);
  b.setInsertionPointToEnd(from);
  LLVM::BrOp::create(b, loc, ValueRange(zero), head);
  b.setInsertionPointToEnd(end);
}

/// A constant of index width and no GEPArg: offsets may exceed 2 GiB.
Value EntryBuilder::addBytes(Location at, Value base, int64_t bytes) {
  if (bytes == 0)
    return base;
  Type index = converter.getIndexType();
  Value offset = LLVM::ConstantOp::create(b, at, index, b.getIntegerAttr(index, bytes));
  return LLVM::GEPOp::create(b, at, pointer, b.getI8Type(), base, ArrayRef<LLVM::GEPArg>{offset},
                             LLVM::GEPNoWrapFlags::inbounds);
}

/// Makes the prologue and replaces the arguments of the old first block by what it loads.
LogicalResult EntryBuilder::loadArguments() {
  unsigned numBuffers = body->getNumArguments() - numSizes;
  appendBlock();
  b.getInsertionBlock()->addArguments({pointer, pointer, pointer}, {loc, loc, loc});
  context = b.getInsertionBlock()->getArgument(0);
  buffers = b.getInsertionBlock()->getArgument(1);
  dims = b.getInsertionBlock()->getArgument(2);

  SmallVector<Value> nulls{isNull(context)};
  if (numBuffers)
    nulls.push_back(isNull(buffers));
  if (numSizes || entry.getNumResults())
    nulls.push_back(isNull(dims));
  returnIfAny(nulls, LEAF_ERROR_ARGUMENT);

  nulls.clear();
  arena = flat::loadContextField(b, loc, converter, context, flat::Arena);
  weights = flat::loadContextField(b, loc, converter, context, flat::Weights);
  if (getModuleBytes(plan::attrs::kArenaBytes) > 0)
    nulls.push_back(isNull(arena));
  if (getModuleBytes(plan::attrs::kWeightBytes) > 0)
    nulls.push_back(isNull(weights));
  SmallVector<Value> values;
  for (unsigned i = 0; i < numBuffers && numBuffers <= maxSingleChecks; ++i) {
    values.push_back(loadElement(pointer, buffers, i));
    nulls.push_back(isNull(values.back()));
  }
  returnIfAny(nulls, LEAF_ERROR_ARGUMENT);
  if (numBuffers > maxSingleChecks) {
    checkBuffersInLoop(numBuffers);
    for (unsigned i = 0; i < numBuffers; ++i)
      values.push_back(loadElement(pointer, buffers, i));
  }

  SmallVector<Value> outside;
  for (unsigned i = 0; i < numSizes; ++i) {
    FailureOr<int64_t> bound = getBound(body->getArgument(numBuffers + i));
    if (failed(bound))
      return failure();
    Value size = loadElement(b.getI64Type(), dims, i);
    Value limit = LLVM::ConstantOp::create(b, loc, b.getI64Type(), b.getI64IntegerAttr(*bound));
    // Unsigned: negative sizes are above each bound.
    outside.push_back(LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::ugt, size, limit));
    values.push_back(converter.getIndexTypeBitwidth() < 64
                         ? LLVM::TruncOp::create(b, loc, converter.getIndexType(), size).getResult()
                         : size);
  }
  returnIfAny(outside, LEAF_ERROR_BOUND);

  for (auto [argument, value] : llvm::zip_equal(body->getArguments(), values))
    argument.replaceAllUsesWith(flat::castFromLLVM(b, value, argument.getType()));
  body->eraseArguments(0, body->getNumArguments());
  LLVM::BrOp::create(b, loc, ValueRange(), body);
  return success();
}

LogicalResult EntryBuilder::lowerWeight(LoadWeightOp load, SymbolTable &symbols) {
  auto weight = symbols.lookup<WeightOp>(load.getWeight());
  auto offset = weight ? weight->getAttrOfType<IntegerAttr>(plan::attrs::kOffset) : IntegerAttr();
  if (!offset)
    return load.emitOpError("the weight has no ") << plan::attrs::kOffset << "; run the plan stage first";
  if (!isa<MemRefType>(load.getType()))
    return load.emitOpError("must be a buffer after the plan stage");
  Value address = addBytes(load.getLoc(), weights, offset.getInt());
  load.replaceAllUsesWith(flat::castFromLLVM(b, address, load.getType()));
  load.erase();
  return success();
}

void EntryBuilder::lowerRequire(plan::RequireOp require) {
  Block *block = require->getBlock();
  Block *next = block->splitBlock(std::next(require->getIterator()));
  b.setInsertionPointToEnd(block);
  cf::CondBranchOp::create(b, require.getLoc(), require.getCondition(), next,
                           getExit(require.getBound() ? LEAF_ERROR_BOUND : LEAF_ERROR_SHAPE));
  require.erase();
}

void EntryBuilder::lowerReturn(func::ReturnOp op) {
  b.setInsertionPoint(op);
  for (auto [i, result] : llvm::enumerate(op.getOperands())) {
    Value size = flat::castToLLVM(b, converter, result);
    if (converter.getIndexTypeBitwidth() < 64)
      size = LLVM::SExtOp::create(b, op.getLoc(), b.getI64Type(), size);
    Value address = LLVM::GEPOp::create(b, op.getLoc(), pointer, b.getI64Type(), dims,
                                        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(numSizes + i)});
    LLVM::StoreOp::create(b, op.getLoc(), size, address);
  }
  Value ok = LLVM::ConstantOp::create(b, op.getLoc(), b.getI32Type(), b.getI32IntegerAttr(LEAF_OK));
  LLVM::ReturnOp::create(b, op.getLoc(), ok);
  op.erase();
}

LogicalResult EntryBuilder::lowerBody() {
  SymbolTable symbols(module);
  SmallVector<Operation *> ops;
  entry.walk([&](Operation *op) {
    if (isa<LoadWeightOp, BoundOp, plan::SlotOp, plan::RequireOp, func::ReturnOp>(op))
      ops.push_back(op);
  });
  for (Operation *op : ops) {
    b.setInsertionPoint(op);
    if (auto load = dyn_cast<LoadWeightOp>(op)) {
      if (failed(lowerWeight(load, symbols)))
        return failure();
    } else if (auto bound = dyn_cast<BoundOp>(op)) {
      bound.replaceAllUsesWith(bound.getN());
      bound.erase();
    } else if (auto slot = dyn_cast<plan::SlotOp>(op)) {
      Value address = addBytes(slot.getLoc(), arena, slot.getOffset());
      slot.replaceAllUsesWith(flat::castFromLLVM(b, address, slot.getType()));
      slot.erase();
    } else if (auto require = dyn_cast<plan::RequireOp>(op)) {
      lowerRequire(require);
    } else {
      lowerReturn(cast<func::ReturnOp>(op));
    }
  }
  return success();
}

LogicalResult EntryBuilder::run() {
  auto model = module->getAttrOfType<StringAttr>(attrs::kModel);
  if (!model || model.empty())
    return module.emitOpError("needs the model's name in ") << attrs::kModel;
  if (entry.isExternal())
    return entry.emitOpError("has no body");
  if (failed(checkSignature()) || failed(loadArguments()) || failed(lowerBody()))
    return failure();
  for (WeightOp weight : llvm::make_early_inc_range(module.getOps<WeightOp>()))
    weight.erase();
  entry.setAllArgAttrs(ArrayRef<DictionaryAttr>());
  entry.setAllResultAttrs(ArrayRef<DictionaryAttr>());
  entry.setFunctionType(b.getFunctionType({pointer, pointer, pointer}, {b.getI32Type()}));
  entry.setName((model.getValue() + "_entry").str());
  entry.setPublic();
  return success();
}

LogicalResult flat::lowerEntryPoint(ModuleOp module, func::FuncOp entry, const LLVMTypeConverter &converter) {
  return EntryBuilder(module, entry, converter).run();
}
