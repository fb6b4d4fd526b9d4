//===- EntryOutputs.cpp - results of @main become output arguments -----------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "EntryOutputs.h"
#include "Leaf/Leaf.h"
#include "Plan/Plan.h"
#include "leafcutter/Plan/SizeBounds.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace leaf;

/// The bounded value of the index argument that carries dimension `name`, or null.
static Value findDimension(func::FuncOp entry, StringRef name) {
  for (BlockArgument argument : entry.getArguments()) {
    auto dim = entry.getArgAttrOfType<StringAttr>(argument.getArgNumber(), leaf::attrs::kDim);
    if (!dim || dim.getValue() != name)
      continue;
    for (Operation *user : argument.getUsers())
      if (isa<BoundOp>(user) && user->getBlock() == &entry.getBody().front())
        return user->getResult(0);
    return argument;
  }
  return {};
}

LogicalResult leaf::sizeDynamicInputs(func::FuncOp entry) {
  Block &block = entry.getBody().front();
  // Sizes come first, so that the views dominate all uses of the buffers.
  Operation *last = nullptr;
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (!isa<BoundOp>(op) || !isa<BlockArgument>(op.getOperand(0)))
      continue;
    if (last)
      op.moveAfter(last);
    else
      op.moveBefore(&block, block.begin());
    last = &op;
  }
  OpBuilder builder(entry.getContext());
  if (last)
    builder.setInsertionPointAfter(last);
  else
    builder.setInsertionPointToStart(&block);
  for (BlockArgument argument : entry.getArguments()) {
    auto type = dyn_cast<MemRefType>(argument.getType());
    if (!type || type.hasStaticShape() || argument.use_empty())
      continue;
    auto names = entry.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), leaf::attrs::kDims);
    SmallVector<OpFoldResult> sizes;
    for (auto [d, size] : llvm::enumerate(type.getShape())) {
      if (!ShapedType::isDynamic(size)) {
        sizes.push_back(builder.getIndexAttr(size));
        continue;
      }
      Value value = names ? findDimension(entry, cast<StringAttr>(names[d]).getValue()) : Value();
      if (!value)
        return entry.emitOpError("dimension ")
               << d << " of input " << argument.getArgNumber() << " is open and no argument carries its size";
      sizes.push_back(value);
    }
    Value view = createDenseView(builder, argument.getLoc(), argument, type, sizes);
    argument.replaceAllUsesExcept(view, view.getDefiningOp());
  }
  return success();
}

/// The allocation of the entry block that `value` is a reshape of, or null.
static memref::AllocOp findAllocation(Value value, Block &block) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto alloc = dyn_cast<memref::AllocOp>(op))
      return op->getBlock() == &block ? alloc : memref::AllocOp();
    if (!isa<memref::ExpandShapeOp, memref::CollapseShapeOp, memref::CastOp>(op))
      return {};
    value = op->getOperand(0);
  }
  return {};
}

/// Adds an output argument for each buffer that is returned, behind the other buffers; returns where they begin.
static FailureOr<unsigned> insertOutputs(func::FuncOp entry, func::ReturnOp ret) {
  unsigned position = llvm::count_if(entry.getArgumentTypes(), llvm::IsaPred<MemRefType>);
  SmallVector<Type> types;
  SmallVector<DictionaryAttr> attributes;
  SmallVector<Location> locations;
  for (auto [i, value] : llvm::enumerate(ret.getOperands())) {
    auto type = dyn_cast<MemRefType>(value.getType());
    if (!type)
      continue;
    NamedAttrList list(entry.getResultAttrDict(i));
    list.set(plan::attrs::kOutput, UnitAttr::get(entry.getContext()));
    types.push_back(MemRefType::get(type.getShape(), type.getElementType()));
    attributes.push_back(list.getDictionary(entry.getContext()));
    locations.push_back(value.getLoc());
  }
  if (failed(entry.insertArguments(SmallVector<unsigned>(types.size(), position), types, attributes, locations)))
    return failure();
  return position;
}

/// Makes `value` appear in the buffer of `output`; appends its dynamic sizes to `sizes`.
static LogicalResult moveResult(func::FuncOp entry, BlockArgument output, Value value, SmallVectorImpl<Value> &sizes) {
  Block &block = entry.getBody().front();
  OpBuilder builder(block.getTerminator());
  FailureOr<SmallVector<OpFoldResult>> valueSizes = getBufferSizes(builder, value);
  if (failed(valueSizes))
    return entry.emitOpError("the sizes of output ") << output.getArgNumber() << " are not known";
  if (memref::AllocOp alloc = findAllocation(value, block)) {
    OpBuilder at(alloc);
    SmallVector<OpFoldResult> allocSizes =
        getMixedValues(alloc.getType().getShape(), alloc.getDynamicSizes(), entry.getContext());
    alloc.replaceAllUsesWith(createDenseView(at, alloc.getLoc(), output, alloc.getType(), allocSizes));
    alloc.erase();
  } else {
    memref::CopyOp::create(
        builder, value.getLoc(), value,
        createDenseView(builder, value.getLoc(), output, cast<MemRefType>(output.getType()), *valueSizes));
  }
  // One for each open dimension of the output, also where this value is known better.
  builder.setInsertionPoint(block.getTerminator());
  for (auto [size, declared] : llvm::zip(*valueSizes, cast<MemRefType>(output.getType()).getShape()))
    if (ShapedType::isDynamic(declared))
      sizes.push_back(getValueOrCreateConstantIndexOp(builder, value.getLoc(), size));
  return success();
}

LogicalResult leaf::moveResultsToArguments(func::FuncOp entry) {
  auto ret = cast<func::ReturnOp>(entry.getBody().front().getTerminator());
  SmallVector<Value> sizes;
  SmallVector<Type> types;
  SmallVector<Attribute> attributes;
  Builder builder(entry.getContext());
  FailureOr<unsigned> position = insertOutputs(entry, ret);
  if (failed(position))
    return failure();
  for (unsigned i = 0, e = ret.getNumOperands(); i < e; ++i) {
    // The operand is read anew each time: it changes when its allocation becomes an earlier output.
    DictionaryAttr own = entry.getResultAttrDict(i);
    unsigned before = sizes.size();
    if (ret.getOperand(i).getType().isIndex()) {
      sizes.push_back(ret.getOperand(i));
      types.push_back(builder.getIndexType());
      attributes.push_back(own ? own : builder.getDictionaryAttr({}));
      continue;
    }
    auto type = dyn_cast<MemRefType>(ret.getOperand(i).getType());
    if (!type)
      return entry.emitOpError("returns a ") << ret.getOperand(i).getType() << ", which is no buffer";
    if (failed(moveResult(entry, entry.getArgument((*position)++), ret.getOperand(i), sizes)))
      return failure();
    types.append(sizes.size() - before, builder.getIndexType());
    for (auto [d, size] : llvm::enumerate(type.getShape()))
      if (ShapedType::isDynamic(size)) {
        NamedAttrList list;
        if (Attribute name = own ? own.get(leaf::attrs::kName) : Attribute())
          list.set(leaf::attrs::kName, name);
        list.set(leaf::attrs::kAxis, builder.getI64IntegerAttr(d));
        attributes.push_back(list.getDictionary(entry.getContext()));
      }
  }
  ret.getOperandsMutable().assign(sizes);
  entry.setFunctionType(builder.getFunctionType(entry.getArgumentTypes(), types));
  entry.setResAttrsAttr(attributes.empty() ? ArrayAttr() : builder.getArrayAttr(attributes));
  return success();
}
