//===- EntryPoint.cpp - @main as a C function --------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Leaf/Leaf.h"
#include "Patterns.h"
#include "Plan/Plan.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;

namespace leaf {

Value castToC(OpBuilder &builder, const CTypeConverter &types, Value value) {
  return UnrealizedConversionCastOp::create(builder, value.getLoc(), types.convertType(value.getType()), value)
      .getResult(0);
}

namespace {

/// Builds the start of NAME_entry and lowers what only an entry holds:
///
///   a required pointer is null -> return LEAF_ERROR_ARGUMENT
///   a size is out of its bounds -> return LEAF_ERROR_BOUND
///   the body, with plan.require -> return LEAF_ERROR_SHAPE
///   index results behind the sizes; return LEAF_OK
class EntryBuilder {
public:
  EntryBuilder(ModuleOp module, func::FuncOp entry, const CTypeConverter &types)
      : module(module), entry(entry), types(types), b(entry.getContext()), loc(entry.getLoc()) {}

  LogicalResult run();

private:
  LogicalResult checkSignature();
  LogicalResult loadArguments();
  void loadBuffers();
  LogicalResult loadSizes();
  LogicalResult lowerWeight(LoadWeightOp load, SymbolTable &symbols);
  void lowerReturn(func::ReturnOp op);
  LogicalResult lowerBody();

  Type opaque(const Twine &text) { return opaqueType(b.getContext(), text); }
  int64_t moduleBytes(StringRef name) {
    IntegerAttr attr = module->getAttrOfType<IntegerAttr>(name);
    return attr ? attr.getInt() : 0;
  }
  /// `if (A == NULL || B == NULL ...) return LEAF_ERROR_ARGUMENT;`
  void returnIfNull(ValueRange pointers);
  Value loadElement(Value base, int64_t index, Type type) {
    Value place = buildLiteral(b, loc, Twine(index), b.getI32Type());
    return emitc::LoadOp::create(b, loc, type,
                                 emitc::SubscriptOp::create(b, loc, emitc::LValueType::get(type), base, place));
  }
  /// The pointer `bytes` after `base`, as the C type of `type`.
  void replaceByAddress(Operation *op, Value base, int64_t bytes);
  void replaceArgument(BlockArgument argument, Value value) {
    argument.replaceAllUsesWith(UnrealizedConversionCastOp::create(b, loc, argument.getType(), value).getResult(0));
  }

  ModuleOp module;
  func::FuncOp entry;
  const CTypeConverter &types;
  OpBuilder b;
  Location loc;
  SmallVector<BlockArgument> bufferArgs, sizeArgs;
  Value context, buffers, dims, arena, weights;
};

} // namespace

LogicalResult EntryBuilder::checkSignature() {
  for (BlockArgument argument : entry.getArguments().drop_front()) {
    if (isa<MemRefType>(argument.getType()) && sizeArgs.empty())
      bufferArgs.push_back(argument);
    else if (argument.getType().isIndex())
      sizeArgs.push_back(argument);
    else
      return entry.emitOpError("arguments of the entry must be buffers, then sizes of type index");
  }
  for (Type type : entry.getResultTypes())
    if (!type.isIndex())
      return entry.emitOpError("results of the entry must be sizes of type index");
  return success();
}

void EntryBuilder::returnIfNull(ValueRange pointers) {
  if (pointers.empty())
    return;
  std::string text = "if (";
  for (unsigned i = 0; i < pointers.size(); ++i)
    text += i ? " || {} == NULL" : "{} == NULL";
  emitc::VerbatimOp::create(b, loc, b.getStringAttr(text + ") return LEAF_ERROR_ARGUMENT;"), pointers);
}

void EntryBuilder::loadBuffers() {
  SmallVector<Value> pointers;
  if (moduleBytes(plan::attrs::kArenaBytes) > 0) {
    arena = buildCall(b, loc, opaque("int8_t *"), "leaf_arena", context);
    pointers.push_back(arena);
  }
  if (moduleBytes(plan::attrs::kWeightBytes) > 0) {
    weights = buildCall(b, loc, opaque("const int8_t *"), "leaf_weights", context);
    pointers.push_back(weights);
  } else { // weights without elements have addresses too
    weights = buildLiteral(b, loc, "NULL", opaque("const int8_t *"));
  }
  SmallVector<Value> loaded;
  for (unsigned i = 0; i < bufferArgs.size(); ++i)
    loaded.push_back(loadElement(buffers, i, opaque("void *")));
  pointers.append(loaded);
  returnIfNull(pointers);
  for (auto [argument, value] : llvm::zip_equal(bufferArgs, loaded))
    if (!argument.use_empty())
      replaceArgument(argument, emitc::CastOp::create(b, loc, types.convertType(argument.getType()), value));
}

LogicalResult EntryBuilder::loadSizes() {
  for (auto [i, argument] : llvm::enumerate(sizeArgs)) {
    StringAttr name = entry.getArgAttrOfType<StringAttr>(argument.getArgNumber() - 3, attrs::kDim);
    DictionaryAttr bounds = module->getAttrOfType<DictionaryAttr>(attrs::kBounds);
    IntegerAttr bound = name && bounds ? dyn_cast_or_null<IntegerAttr>(bounds.get(name)) : IntegerAttr();
    if (!bound)
      return entry.emitOpError("size argument ")
             << i << " needs a name (" << attrs::kDim << ") with a bound in " << attrs::kBounds;
    Value size = loadElement(dims, i, b.getI64Type());
    std::string text = "if ({} < 0 || {} > " + std::to_string(bound.getInt()) + ") return LEAF_ERROR_BOUND;";
    emitc::VerbatimOp::create(b, loc, b.getStringAttr(text), ValueRange{size, size});
    if (!argument.use_empty())
      replaceArgument(argument, emitc::CastOp::create(b, loc, types.convertType(argument.getType()), size));
  }
  return success();
}

LogicalResult EntryBuilder::loadArguments() {
  Block &body = entry.front();
  context = body.getArgument(0);
  buffers = body.insertArgument(1u, opaque("void *const *"), loc);
  dims = body.insertArgument(2u, opaque("int64_t *"), loc);
  b.setInsertionPointToStart(&body);
  SmallVector<Value> required{context};
  if (!bufferArgs.empty())
    required.push_back(buffers);
  bool hasSizes = !sizeArgs.empty() || entry.getNumResults() > 0;
  if (hasSizes)
    required.push_back(dims);
  else
    emitc::VerbatimOp::create(b, loc, b.getStringAttr("(void){};"), dims);
  returnIfNull(required);
  loadBuffers();
  if (failed(loadSizes()))
    return failure();
  body.eraseArguments(3, body.getNumArguments() - 3);
  return success();
}

void EntryBuilder::replaceByAddress(Operation *op, Value base, int64_t bytes) {
  if (bytes)
    base = emitc::AddOp::create(b, op->getLoc(), base.getType(), base,
                                buildLiteral(b, op->getLoc(), Twine(bytes), emitc::PtrDiffTType::get(b.getContext())));
  Type type = op->getResult(0).getType();
  Value pointer = emitc::CastOp::create(b, op->getLoc(), types.convertType(type), base);
  op->getResult(0).replaceAllUsesWith(UnrealizedConversionCastOp::create(b, op->getLoc(), type, pointer).getResult(0));
  op->erase();
}

LogicalResult EntryBuilder::lowerWeight(LoadWeightOp load, SymbolTable &symbols) {
  WeightOp weight = symbols.lookup<WeightOp>(load.getWeight());
  IntegerAttr offset = weight ? weight->getAttrOfType<IntegerAttr>(plan::attrs::kOffset) : IntegerAttr();
  if (!offset)
    return load.emitOpError("the weight has no ") << plan::attrs::kOffset << "; run the plan stage first";
  if (!isa<MemRefType>(load.getType()))
    return load.emitOpError("must be a buffer after the plan stage");
  replaceByAddress(load, weights, offset.getInt());
  return success();
}

void EntryBuilder::lowerReturn(func::ReturnOp op) {
  for (auto [i, result] : llvm::enumerate(op.getOperands())) {
    Value size = emitc::CastOp::create(b, op.getLoc(), b.getI64Type(), castToC(b, types, result));
    Value lane = buildLiteral(b, op.getLoc(), Twine(sizeArgs.size() + i), b.getI32Type());
    Value place = emitc::SubscriptOp::create(b, op.getLoc(), emitc::LValueType::get(b.getI64Type()), dims, lane);
    emitc::AssignOp::create(b, op.getLoc(), place, size);
  }
  Value ok = buildLiteral(b, op.getLoc(), "LEAF_OK", b.getI32Type());
  func::ReturnOp::create(b, op.getLoc(), ok);
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
    if (LoadWeightOp load = dyn_cast<LoadWeightOp>(op)) {
      if (failed(lowerWeight(load, symbols)))
        return failure();
    } else if (BoundOp bound = dyn_cast<BoundOp>(op)) {
      bound.replaceAllUsesWith(bound.getN());
      bound.erase();
    } else if (plan::SlotOp slot = dyn_cast<plan::SlotOp>(op)) {
      if (!arena)
        return slot.emitOpError("the module has no ") << plan::attrs::kArenaBytes << "; run the plan stage first";
      replaceByAddress(slot, arena, slot.getOffset());
    } else if (plan::RequireOp require = dyn_cast<plan::RequireOp>(op)) {
      StringRef status = require.getBound() ? "LEAF_ERROR_BOUND" : "LEAF_ERROR_SHAPE";
      emitc::VerbatimOp::create(b, require.getLoc(), b.getStringAttr("if (!({})) return " + status + ";"),
                                castToC(b, types, require.getCondition()));
      require.erase();
    } else {
      lowerReturn(cast<func::ReturnOp>(op));
    }
  }
  return success();
}

LogicalResult EntryBuilder::run() {
  StringAttr model = module->getAttrOfType<StringAttr>(attrs::kModel);
  if (!model || model.empty())
    return module.emitOpError("needs the model's name in ") << attrs::kModel;
  if (failed(checkSignature()) || failed(loadArguments()) || failed(lowerBody()))
    return failure();
  for (WeightOp weight : llvm::make_early_inc_range(module.getOps<WeightOp>()))
    weight.erase();
  entry.setAllArgAttrs(ArrayRef<DictionaryAttr>());
  entry.setAllResultAttrs(ArrayRef<DictionaryAttr>());
  entry.setFunctionType(b.getFunctionType(TypeRange(entry.getArguments()), b.getI32Type()));
  entry.setName((model.getValue() + "_entry").str());
  entry.setPublic();
  return success();
}

LogicalResult buildEntry(ModuleOp module, const CTypeConverter &types) {
  return EntryBuilder(module, SymbolTable(module).lookup<func::FuncOp>(flat::kMain), types).run();
}

} // namespace leaf
