//===- KernelBuilder.cpp - makes a plan.kernel out of a group ----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"
#include "Leaf/Leaf.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace leaf;

void leaf::collectNodeNames(Location location, SetVector<StringAttr> &names) {
  if (auto name = dyn_cast<NameLoc>(location)) {
    names.insert(name.getName());
  } else if (auto fused = dyn_cast<FusedLoc>(location)) {
    for (Location part : fused.getLocations())
      collectNodeNames(part, names);
  } else if (auto call = dyn_cast<CallSiteLoc>(location)) {
    collectNodeNames(call.getCallee(), names);
  }
}

static bool isConstant(Value value) { return matchPattern(value, m_Constant()) && !isa<ShapedType>(value.getType()); }

bool KernelBuilder::isInside(Value value) const {
  return value.getDefiningOp() && llvm::is_contained(group.ops, value.getDefiningOp());
}

void KernelBuilder::collectSizes(tensor::EmptyOp empty) {
  for (Value size : empty.getDynamicSizes())
    if (!isConstant(size))
      sizes.insert(size);
}

LogicalResult KernelBuilder::collectValue(Operation *op, Value value) {
  if (isInside(value) || isConstant(value))
    return success();
  if (isa<RankedTensorType>(value.getType())) {
    if (auto empty = value.getDefiningOp<tensor::EmptyOp>())
      collectSizes(empty);
    else
      inputs.insert(value);
    return success();
  }
  if (!value.getType().isIndex())
    return op->emitOpError("uses a scalar of type ")
           << value.getType() << " that is computed outside of the kernel; only sizes can be passed to one";
  sizes.insert(value);
  return success();
}

LogicalResult KernelBuilder::collect() {
  for (Operation *op : group.ops) {
    auto dps = cast<DestinationStyleOpInterface>(op);
    for (OpOperand &operand : op->getOpOperands())
      if (!dps.isDpsInit(&operand) && failed(collectValue(op, operand.get())))
        return failure();
    SetVector<Value> captured;
    getUsedValuesDefinedAbove(op->getRegions(), captured);
    for (Value value : captured)
      if (failed(collectValue(op, value)))
        return failure();
    Block *block = op->getBlock();
    for (OpResult result : op->getResults()) {
      bool escapes = llvm::any_of(result.getUsers(), [&](Operation *user) {
        return !llvm::is_contained(group.ops, block->findAncestorOpInBlock(*user));
      });
      if (escapes) {
        results.push_back(result);
        continue;
      }
      Value init = dps.getTiedOpOperand(result)->get();
      if (auto fill = init.getDefiningOp<linalg::FillOp>())
        init = fill.getOutputs()[0];
      collectSizes(init.getDefiningOp<tensor::EmptyOp>());
    }
  }
  return success();
}

Value KernelBuilder::cloneIn(OpBuilder &builder, Value value) {
  if (Value known = mapping.lookupOrNull(value))
    return known;
  if (auto empty = value.getDefiningOp<tensor::EmptyOp>())
    for (Value size : empty.getDynamicSizes())
      cloneIn(builder, size);
  else if (!isConstant(value))
    return value;
  builder.clone(*value.getDefiningOp(), mapping);
  return mapping.lookup(value);
}

Value KernelBuilder::cloneInit(OpBuilder &builder, Value init, Value destination) {
  auto fill = init.getDefiningOp<linalg::FillOp>();
  Value empty = fill ? fill.getOutputs()[0] : init;
  if (!destination) {
    // A temporary of its own, even where two ops started from the same tensor.empty.
    for (Value size : empty.getDefiningOp<tensor::EmptyOp>().getDynamicSizes())
      cloneIn(builder, size);
    destination = builder.clone(*empty.getDefiningOp(), mapping)->getResult(0);
    mapping.erase(empty);
  }
  if (!fill)
    return destination;
  Value value = cloneIn(builder, fill.getInputs()[0]);
  return linalg::FillOp::create(builder, fill.getLoc(), value, destination).getResult(0);
}

void KernelBuilder::cloneBody(OpBuilder &builder, Block &body) {
  ArrayRef<BlockArgument> destinations = body.getArguments().slice(inputs.size(), results.size());
  for (auto [value, argument] : llvm::zip(inputs, body.getArguments()))
    mapping.map(value, argument);
  for (auto [value, argument] : llvm::zip(sizes, body.getArguments().take_back(sizes.size())))
    mapping.map(value, argument);
  builder.setInsertionPointToEnd(&body);
  for (Operation *op : group.ops) {
    SetVector<Value> captured;
    getUsedValuesDefinedAbove(op->getRegions(), captured);
    for (Value value : captured)
      cloneIn(builder, value);
    auto dps = cast<DestinationStyleOpInterface>(op);
    SmallVector<Value> inits;
    for (OpResult result : op->getResults()) {
      auto found = llvm::find(results, result);
      Value destination = found == results.end() ? Value() : Value(destinations[found - results.begin()]);
      inits.push_back(cloneInit(builder, dps.getTiedOpOperand(result)->get(), destination));
    }
    for (OpOperand *input : dps.getDpsInputOperands())
      cloneIn(builder, input->get());
    auto clone = cast<DestinationStyleOpInterface>(builder.clone(*op, mapping));
    clone.getDpsInitsMutable().assign(inits);
  }
  SmallVector<Value> yielded;
  for (OpResult result : results)
    yielded.push_back(mapping.lookup(result));
  plan::YieldOp::create(builder, body.getParentOp()->getLoc(), yielded);
}

plan::CallOp KernelBuilder::createCall(plan::KernelOp kernel) {
  OpBuilder builder(group.ops.back());
  SmallVector<Value> outs;
  SmallVector<Type> types;
  for (OpResult result : results) {
    Value init = cast<DestinationStyleOpInterface>(result.getOwner()).getTiedOpOperand(result)->get();
    if (auto fill = init.getDefiningOp<linalg::FillOp>())
      init = fill.getOutputs()[0];
    outs.push_back(builder.clone(*init.getDefiningOp())->getResult(0));
    types.push_back(result.getType());
  }
  return plan::CallOp::create(builder, kernel.getLoc(), types, kernel.getSymName(), inputs.getArrayRef(), outs,
                              sizes.getArrayRef());
}

LogicalResult KernelBuilder::run(StringRef name) {
  if (failed(collect()))
    return failure();
  if (results.empty())
    return success();
  SmallVector<Location> locations;
  SetVector<StringAttr> names;
  for (Operation *op : group.ops) {
    locations.push_back(op->getLoc());
    collectNodeNames(op->getLoc(), names);
  }
  MLIRContext *context = group.ops.front()->getContext();
  Location location = FusedLoc::get(context, locations);
  SmallVector<Type> arguments = llvm::to_vector(ValueRange(inputs.getArrayRef()).getTypes()), types;
  for (OpResult result : results)
    types.push_back(result.getType());
  llvm::append_range(arguments, types);
  arguments.append(sizes.size(), IndexType::get(context));

  OpBuilder builder(context);
  SmallVector<Attribute> nodes(names.begin(), names.end());
  auto kernel = plan::KernelOp::create(builder, location, name, builder.getFunctionType(arguments, types),
                                       results.size(), group.sharedLoops,
                                       findInPlace(group, results, inputs.getArrayRef()), builder.getArrayAttr(nodes),
                                       /*arg_attrs=*/nullptr, /*res_attrs=*/nullptr);
  symbols.insert(kernel);
  Block &body = kernel.getBody().emplaceBlock();
  for (Type type : arguments)
    body.addArgument(type, location);
  cloneBody(builder, body);
  plan::CallOp call = createCall(kernel);
  for (auto [result, value] : llvm::zip(results, call.getResults()))
    result.replaceUsesWithIf(value, [&](OpOperand &use) {
      return !llvm::is_contained(group.ops, call->getBlock()->findAncestorOpInBlock(*use.getOwner()));
    });
  return success();
}

//===----------------------------------------------------------------------===//
// In-place destinations
//===----------------------------------------------------------------------===//

/// True when `value` is read by `op` through one operand only and by no region.
static bool isReadOnce(Operation *op, Value value) {
  if (llvm::count(op->getOperands(), value) != 1)
    return false;
  SetVector<Value> captured;
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  return !captured.contains(value);
}

/// Operands of `op` that are read, element by element, at the iteration that writes the same element of `result`.
static SmallVector<Value> getElementwiseInputs(Operation *op, OpResult result) {
  SmallVector<Value> values;
  auto add = [&](Value value, AffineMap map, AffineMap outMap) {
    if (value.getType() == result.getType() && map == outMap && isReadOnce(op, value))
      values.push_back(value);
  };
  if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
    AffineMap outMap = generic.getMatchingIndexingMap(generic.getDpsInitOperand(result.getResultNumber()));
    if (!outMap.isPermutation() || generic.getNumParallelLoops() != generic.getNumLoops())
      return {};
    for (OpOperand *input : generic.getDpsInputOperands())
      add(input->get(), generic.getMatchingIndexingMap(input), outMap);
  } else if (auto contract = dyn_cast<ContractOp>(op)) {
    AffineMap outMap = contract.getOutMap();
    for (unsigned i = contract.getNumRhsExtras(), e = contract.getExtras().size(); i < e; ++i)
      add(contract.getExtras()[i], contract.getExtraMap(i), outMap);
  }
  return values;
}

/// In a row group, row r of `value` is only read while row r is computed. True when moreover all ops that read it come
/// before the one that writes `result`, or are that one and read the element that they write.
static bool isReadBefore(const KernelGroup &group, OpResult result, Value value) {
  bool written = false;
  for (Operation *op : group.ops) {
    auto generic = cast<linalg::GenericOp>(op);
    SetVector<Value> captured;
    getUsedValuesDefinedAbove(op->getRegions(), captured);
    if (captured.contains(value))
      return false;
    AffineMap outMap = generic.getMatchingIndexingMap(generic.getDpsInitOperand(0));
    for (OpOperand *input : generic.getDpsInputOperands()) {
      if (input->get() != value)
        continue;
      AffineMap map = generic.getMatchingIndexingMap(input);
      bool byRow = map.getNumResults() >= group.sharedLoops;
      for (unsigned row = 0; byRow && row < group.sharedLoops; ++row)
        byRow = map.getResult(row) == getAffineDimExpr(row, op->getContext());
      if (written || !byRow || (op == result.getOwner() && map != outMap))
        return false;
    }
    written |= op == result.getOwner();
  }
  return true;
}

/// Inputs whose buffer `result` may take, without regard to who else needs them.
static SmallVector<Value> getShareable(const KernelGroup &group, OpResult result, ArrayRef<Value> inputs) {
  if (group.ops.size() == 1)
    return getElementwiseInputs(group.ops.front(), result);
  SmallVector<Value> values;
  if (isa<ContractOp>(result.getOwner())) {
    // An element of the last op's own operands is read when it is written; other ops may read other rows.
    values = getElementwiseInputs(result.getOwner(), result);
    llvm::erase_if(values, [&](Value value) {
      return llvm::any_of(ArrayRef(group.ops).drop_back(),
                          [&](Operation *op) { return llvm::is_contained(op->getOperands(), value); });
    });
    return values;
  }
  auto generic = cast<linalg::GenericOp>(result.getOwner());
  AffineMap outMap = generic.getMatchingIndexingMap(generic.getDpsInitOperand(result.getResultNumber()));
  bool byRow = generic->getNumResults() == 1 && outMap.isPermutation() && outMap.getNumResults() >= group.sharedLoops &&
               generic.getNumParallelLoops() == generic.getNumLoops();
  for (unsigned row = 0; byRow && row < group.sharedLoops; ++row)
    byRow = outMap.getResult(row) == getAffineDimExpr(row, generic.getContext());
  for (Value value : inputs)
    if (byRow && value.getType() == result.getType() && isReadBefore(group, result, value))
      values.push_back(value);
  return values;
}

SmallVector<int64_t> leaf::findInPlace(const KernelGroup &group, ArrayRef<OpResult> results, ArrayRef<Value> inputs) {
  SmallVector<int64_t> inPlace(results.size(), -1);
  SmallVector<bool> taken(inputs.size(), false);
  for (auto [i, result] : llvm::enumerate(results)) {
    int64_t best = -1;
    bool bestDies = false;
    for (Value value : getShareable(group, result, inputs)) {
      auto found = llvm::find(inputs, value);
      Operation *definition = value.getDefiningOp();
      if (found == inputs.end() || taken[found - inputs.begin()] || isa_and_nonnull<LoadWeightOp>(definition))
        continue;
      // One that nothing else reads can really be taken over.
      bool dies = definition &&
                  llvm::all_of(value.getUsers(), [&](Operation *user) { return llvm::is_contained(group.ops, user); });
      if (best < 0 || (dies && !bestDies)) {
        best = found - inputs.begin();
        bestDies = dies;
      }
    }
    inPlace[i] = best;
    if (best >= 0)
      taken[best] = true;
  }
  return inPlace;
}
