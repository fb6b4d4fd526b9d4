//===- KernelEmitter.cpp - one plan.kernel to one function --------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "ForallEmitter.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include <numeric>

using namespace mlir;
using namespace leaf;
using namespace leaf::codegen;

KernelEmitter::KernelEmitter(plan::KernelOp kernel, const TargetFacts &target, BoundOf boundOf)
    : kernel(kernel), boundOf(boundOf), kb(kernel.getLoc(), kernel.getContext(), target), shapes(kernel) {
  kb.captured = &scalars;
}

KernelEmitter::~KernelEmitter() = default;

FailureOr<KernelInterface> KernelEmitter::emit(OpBuilder &moduleBuilder) {
  makeFunction(moduleBuilder);
  collectSteps();
  sharedLoops = chooseSharedLoops();
  if (failed(makeBuffers()))
    return failure();
  if (auto forall = steps.size() == 1 ? dyn_cast<ForallOp>(steps[0]) : ForallOp()) {
    if (failed(emitForall(forall)))
      return failure();
    interface.scratchBytes = kb.getScratchBytes();
    return interface;
  }
  if (auto border = steps.size() == 1 ? dyn_cast<BorderOp>(steps[0]) : BorderOp())
    return failed(emitBorder(border)) ? FailureOr<KernelInterface>(failure()) : interface;
  bool single = steps.size() == 1 && sharedLoops == 0 && !isa<ConcatOp>(steps[0]);
  if (failed(single ? emitSingle() : emitGroup()))
    return failure();
  interface.scratchBytes = kb.getScratchBytes();
  return interface;
}

//===----------------------------------------------------------------------===//
// Function, sizes, scalars
//===----------------------------------------------------------------------===//

void KernelEmitter::makeFunction(OpBuilder &moduleBuilder) {
  MLIRContext *context = kernel.getContext();
  auto dynamic = [&](Type element) { return MemRefType::get({ShapedType::kDynamic}, element); };
  SmallVector<Type> types;
  for (Type type : kernel.getArgumentTypes())
    if (auto shaped = dyn_cast<ShapedType>(type))
      types.push_back(dynamic(memoryType(shaped.getElementType())));
  numShaped = types.size();
  types.push_back(dynamic(IntegerType::get(context, 8)));
  unsigned numSizes = kernel.getArgumentTypes().size() - numShaped;
  for (unsigned id = 0; id < shapes.size(); ++id)
    numSizes += ShapedType::isDynamic(shapes.get(id).size) && shapes.get(id).argument >= 0;
  types.append(numSizes + 2, IndexType::get(context));
  function =
      func::FuncOp::create(moduleBuilder, kernel.getLoc(), kernel.getName(), FunctionType::get(context, types, {}));
  function.setPrivate();
  function->setAttr("leaf.kernel", UnitAttr::get(context));
  if (kernel.getNodes())
    function->setAttr("nodes", *kernel.getNodes());
  for (unsigned i = 0; i < numShaped; ++i)
    if (kernel.getArgAttr(i, "leaf.restrict"))
      function.setArgAttr(i, "leaf.restrict", UnitAttr::get(context));
  kb.entry = function.addEntryBlock();
  kb.b.setInsertionPointToEnd(kb.entry);
  func::ReturnOp::create(kb.b, kb.loc);
  kb.b.setInsertionPoint(kb.entry->getTerminator());
  kb.scratch = function.getArgument(numShaped);
  function.setArgAttr(numShaped, "leaf.restrict", UnitAttr::get(context));
  addSizeArguments();
  cloneScalars();
}

void KernelEmitter::addSizeArguments() {
  classSizes.resize(shapes.size());
  auto addSize = [&](KernelInterface::SizeSource source) {
    Value argument = function.getArgument(numShaped + 1 + interface.sizes.size());
    int64_t bound = boundOf(source);
    interface.sizes.push_back(source);
    symbolOfSize.push_back(kb.addSymbol(argument, bound));
    return argument;
  };
  for (unsigned id = 0; id < shapes.size(); ++id) {
    const KernelShapes::Class &entry = shapes.get(id);
    if (!ShapedType::isDynamic(entry.size)) {
      classSizes[id] = Size(entry.size);
    } else if (entry.argument >= 0) {
      addSize({static_cast<unsigned>(entry.argument), static_cast<int>(entry.dim)});
      classSizes[id] = Size::symbol(symbolOfSize.back());
    }
  }
  for (unsigned i = numShaped; i < kernel.getArgumentTypes().size(); ++i) {
    Value own = kernel.getBody().getArgument(i);
    Value argument = addSize({i, -1});
    scalars.map(own, argument);
    symbolOfIndex[own] = symbolOfSize.back();
    scalarBounds[own] = boundOf({i, -1});
  }
}

/// Clones the index and scalar arithmetic of the kernel to the entry, where all loops can use it.
void KernelEmitter::cloneScalars() {
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    if (auto dim = dyn_cast<tensor::DimOp>(op)) {
      if (std::optional<int64_t> position = dim.getConstantIndex()) {
        Size size = sizeOf(shapes.classOf(dim.getSource(), *position));
        scalars.map(dim.getResult(), kb.sizeValue(size));
        scalarBounds[dim.getResult()] = kb.upperBound(size).value_or(-1);
      }
      continue;
    }
    bool isScalar = llvm::none_of(op.getOperandTypes(), llvm::IsaPred<ShapedType>) &&
                    llvm::none_of(op.getResultTypes(), llvm::IsaPred<ShapedType>);
    if (isScalar && op.getNumRegions() == 0)
      kb.b.clone(op, scalars);
  }
}

/// Upper bound of a non-negative index computation; -1 where unknown.
int64_t KernelEmitter::boundOfScalar(Value value) {
  if (auto found = scalarBounds.find(value); found != scalarBounds.end())
    return found->second;
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return constant.getSExtValue();
  Operation *op = value.getDefiningOp();
  if (!op || op->getNumOperands() == 0)
    return -1;
  int64_t first = boundOfScalar(op->getOperand(0));
  if (op->getNumOperands() != 2 || first < 0)
    return isa<arith::IndexCastOp>(op) ? first : -1;
  int64_t second = boundOfScalar(op->getOperand(1));
  if (isa<arith::SubIOp>(op))
    return first;
  if (second < 0)
    return -1;
  if (isa<arith::AddIOp>(op))
    return first + second;
  if (isa<arith::MulIOp>(op))
    return first * second;
  if (isa<arith::MinSIOp, arith::MinUIOp>(op))
    return std::min(first, second);
  if (isa<arith::MaxSIOp, arith::MaxUIOp>(op))
    return std::max(first, second);
  APInt divisor;
  if (isa<arith::DivUIOp, arith::DivSIOp, arith::CeilDivUIOp, arith::CeilDivSIOp>(op) &&
      matchPattern(op->getOperand(1), m_ConstantInt(&divisor)) && divisor.isStrictlyPositive())
    return llvm::divideCeil(first, divisor.getSExtValue());
  return -1;
}

Size KernelEmitter::sizeOf(unsigned classId) {
  if (!classSizes[classId]) {
    Value value = shapes.get(classId).value;
    Value mapped = value ? scalars.lookupOrNull(value) : Value();
    if (!mapped) {
      kernel.emitOpError("a size is neither that of an argument nor computed from sizes");
      mapped = kb.index(0);
    }
    classSizes[classId] = Size::symbol(kb.addSymbol(mapped, value ? boundOfScalar(value) : -1));
  }
  return *classSizes[classId];
}

SmallVector<Size> KernelEmitter::sizesOf(Value tensor) {
  SmallVector<Size> sizes;
  for (int64_t d = 0; d < cast<ShapedType>(tensor.getType()).getRank(); ++d)
    sizes.push_back(sizeOf(shapes.classOf(tensor, d)));
  return sizes;
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

bool KernelEmitter::readsInit(Operation *op, OpOperand &init) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  return linalgOp && linalgOp.payloadUsesValueFromOperand(&init);
}

Value KernelEmitter::filledWith(Value init) {
  auto fill = init.getDefiningOp<linalg::FillOp>();
  return fill ? scalars.lookupOrNull(fill.getInputs()[0]) : Value();
}

/// Compute ops in order. A fill that only starts reductions becomes the first value of their accumulators.
void KernelEmitter::collectSteps() {
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    if (!isa<linalg::LinalgOp, ContractOp, ConcatOp, ForallOp, BorderOp>(op))
      continue;
    bool startsOnly = isa<linalg::FillOp>(op) && llvm::all_of(op.getUses(), [](OpOperand &use) {
                        auto user = dyn_cast<DestinationStyleOpInterface>(use.getOwner());
                        return user && user.isDpsInit(&use);
                      });
    if (!startsOnly)
      steps.push_back(&op);
  }
}

/// The value whose buffer `tensor` is in: a kernel argument, or the result that first writes a temporary.
Value KernelEmitter::rootOf(Value tensor) {
  while (auto op = tensor.getDefiningOp<DestinationStyleOpInterface>()) {
    OpOperand *init = op.getTiedOpOperand(cast<OpResult>(tensor));
    bool isArgument = isa<BlockArgument>(init->get());
    bool continues = readsInit(op, *init) && !filledWith(init->get()) && !init->get().getDefiningOp<tensor::EmptyOp>();
    if (!isArgument && !continues)
      return tensor;
    tensor = init->get();
  }
  return tensor;
}

Buffer *KernelEmitter::bufferOf(Value value) {
  if (!isa<ShapedType>(value.getType())) {
    // A scalar operand is a buffer that is always in a register.
    Buffer *&buffer = bufferOfRoot[value];
    if (!buffer) {
      buffers.push_back(std::make_unique<Buffer>());
      buffer = buffers.back().get();
      buffer->element = value.getType();
      buffer->scalar = scalars.lookupOrDefault(value);
    }
    return buffer;
  }
  return bufferOfRoot.lookup(rootOf(value));
}

LogicalResult KernelEmitter::makeBuffers() {
  Block &body = kernel.getBody().front();
  for (unsigned i = 0; i < numShaped; ++i) {
    Value argument = body.getArgument(i);
    buffers.push_back(std::make_unique<Buffer>());
    Buffer &buffer = *buffers.back();
    buffer.memref = function.getArgument(i);
    buffer.element = cast<ShapedType>(argument.getType()).getElementType();
    buffer.sizes = sizesOf(argument);
    buffer.strides = KernelBuilder::denseStrides(buffer.sizes);
    if (auto strides = kernel.getArgAttrOfType<DenseI64ArrayAttr>(i, "leaf.strides"))
      buffer.strides.assign(strides.asArrayRef().begin(), strides.asArrayRef().end());
    bufferOfRoot[argument] = &buffer;
  }
  unsigned firstOut = kernel.getFirstOut();
  for (auto [i, value] : llvm::enumerate(body.getTerminator()->getOperands())) {
    Value root = rootOf(value), out = body.getArgument(firstOut + i);
    if (root == out)
      continue;
    if (isa<BlockArgument>(root) || bufferOfRoot.count(root))
      return kernel.emitOpError("result ") << i << " is no value of its own: it is an argument or another result";
    bufferOfRoot[root] = bufferOfRoot[out];
  }
  for (Operation *step : steps)
    for (Value result : step->getResults())
      if (Value root = rootOf(result); !bufferOfRoot.count(root) && failed(makeTemporary(root)))
        return failure();
  return success();
}

/// The temporary that an elementwise op reads last, each element where it writes one: the result takes its room. Null
/// where there is none.
Buffer *KernelEmitter::findRoomOf(Value root) {
  auto op = root.getDefiningOp<linalg::GenericOp>();
  if (!op || op.getNumResults() != 1 || op.getNumReductionLoops() != 0 || !hasSeveralContracts())
    return nullptr;
  AffineMap out = op.getIndexingMapMatchingResult(cast<OpResult>(root));
  for (OpOperand *input : op.getDpsInputOperands()) {
    Value value = input->get();
    bool isTemporary = value.getDefiningOp() && value.getType() == root.getType() && rootOf(value) == value;
    bool isLast = llvm::all_of(value.getUsers(), [&](Operation *user) {
      return user == op || (user->getBlock() == op->getBlock() && user->isBeforeInBlock(op));
    });
    bool isSame = llvm::all_of(op.getDpsInputOperands(), [&](OpOperand *other) {
      return other->get() != value || op.getMatchingIndexingMap(other) == out;
    });
    Buffer *buffer = bufferOfRoot.lookup(value);
    bool isArgument = llvm::any_of(kernel.getBody().getArguments(),
                                   [&](Value argument) { return buffer && bufferOfRoot.lookup(argument) == buffer; });
    if (isTemporary && isLast && isSame && buffer && !isArgument)
      return buffer;
  }
  return nullptr;
}

/// Room for the part of a temporary that one iteration of the shared loops needs; one element stays in a register.
LogicalResult KernelEmitter::makeTemporary(Value root) {
  if (Buffer *room = findRoomOf(root)) {
    bufferOfRoot[root] = room;
    return success();
  }
  SmallVector<Size> sizes = sizesOf(root);
  SmallVector<Size> slice(ArrayRef(sizes).drop_front(std::min<size_t>(sharedLoops, sizes.size())));
  buffers.push_back(std::make_unique<Buffer>());
  Buffer &buffer = *buffers.back();
  bufferOfRoot[root] = &buffer;
  bool isElement = llvm::all_of(slice, [](const Size &size) { return size.is(1); });
  Type element = cast<ShapedType>(root.getType()).getElementType();
  if (isElement && root.getDefiningOp<linalg::LinalgOp>()) {
    buffer.element = element;
  } else {
    FailureOr<Buffer> scratch = kb.allocateScratch(element, slice);
    if (failed(scratch))
      return failure();
    buffer = *scratch;
  }
  SmallVector<Size> strides(sizes.size() - slice.size(), Size(0));
  llvm::append_range(strides, KernelBuilder::denseStrides(slice));
  buffer.sizes = sizes;
  buffer.strides = strides;
  return success();
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// The shared loops that are run outside. Rows of a contraction stay inside it: one row at a time would read all of its
/// weights for each row.
unsigned KernelEmitter::chooseSharedLoops() {
  unsigned shared = kernel.getSharedLoops();
  if (steps.size() == 1) {
    auto concat = dyn_cast<ConcatOp>(steps[0]);
    return concat ? concat.getDim() : 0;
  }
  if (hasSeveralContracts())
    return shared; // grouped because of these loops
  for (Operation *step : steps) {
    auto contract = dyn_cast<ContractOp>(step);
    if (!contract)
      continue;
    unsigned batch = 0;
    auto isBatch = [&](unsigned loop) {
      bool unit = contract.getStaticLoopExtent(loop) == 1;
      return unit || (contract.getRhsMap().isFunctionOfDim(loop) && contract.getLhsMap().isFunctionOfDim(loop));
    };
    while (batch < shared && isBatch(batch))
      ++batch;
    shared = batch;
  }
  return shared;
}

SmallVector<NestLoop> KernelEmitter::loopsOf(Operation *op, const LoopMaps &maps, ArrayRef<Value> shared) {
  SmallVector<NestLoop> loops;
  for (auto [i, reduction] : llvm::enumerate(maps.reduction)) {
    NestLoop loop;
    loop.extent = sizeOf(shapes.classOfLoop(op, i));
    loop.reduction = reduction;
    if (i < shared.size()) {
      loop.bound = true;
      loop.at = {shared[i]};
    }
    loops.push_back(loop);
  }
  return loops;
}

Nest KernelEmitter::makeNest(Operation *op, ArrayRef<Value> shared) {
  auto linalgOp = cast<linalg::LinalgOp>(op);
  LoopMaps maps = getLoopMaps(op);
  Nest nest;
  nest.body = linalgOp.getBlock();
  nest.loops = loopsOf(op, maps, shared);
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = maps.maps[operand.getOperandNumber()];
    if (!linalgOp.isDpsInit(&operand)) {
      Buffer *buffer = bufferOf(operand.get());
      Access access;
      access.buffer = buffer;
      access.coefs.assign(map.getNumDims(), Size(0));
      // A shape-only operand has no buffer and is never read.
      nest.inputs.push_back(buffer && isa<ShapedType>(operand.get().getType()) ? kb.makeAccess(*buffer, map) : access);
      continue;
    }
    nest.outputs.push_back(kb.makeAccess(*bufferOf(linalgOp.getTiedOpResult(&operand)), map));
    nest.initial.push_back(filledWith(operand.get()));
  }
  return nest;
}

Contract KernelEmitter::makeContract(ContractOp op, ArrayRef<Value> shared) {
  Contract contract;
  contract.op = op;
  contract.loops = loopsOf(op, getLoopMaps(op), shared);
  contract.lhs = kb.makeAccess(*bufferOf(op.getLhs()), op.getLhsMap());
  contract.rhs = kb.makeAccess(*bufferOf(op.getRhs()), op.getRhsMap());
  for (auto [i, extra] : llvm::enumerate(op.getExtras()))
    contract.extras.push_back(kb.makeAccess(*bufferOf(extra), op.getExtraMap(i)));
  contract.out = kb.makeAccess(*bufferOf(op.getResult()), op.getOutMap());
  return contract;
}

bool KernelEmitter::isLaunchable(ArrayRef<TileDim> tiles) const {
  return llvm::all_of(tiles, [&](const TileDim &tile) {
    return llvm::all_of(tile.extent.symbols(), [&](unsigned id) { return llvm::is_contained(symbolOfSize, id); });
  });
}

/// for begin <= t < end: body(t split into the tile dimensions, last one fastest).
LogicalResult KernelEmitter::emitTileLoop(ArrayRef<TileDim> tiles, function_ref<LogicalResult(ArrayRef<Value>)> body) {
  Value begin = function.getArguments().drop_back().back(), end = function.getArguments().back();
  for (const TileDim &tile : tiles) {
    TileDim dim = tile;
    Size extent(tile.extent.constant());
    for (unsigned id : tile.extent.symbols())
      extent = extent * Size::symbol(std::distance(symbolOfSize.begin(), llvm::find(symbolOfSize, id)));
    dim.extent = extent;
    interface.tiles.push_back(dim);
  }
  LogicalResult result = success();
  kb.loop(begin, end, 1, [&](Value t) {
    SmallVector<Value> ivs(tiles.size());
    auto isUnit = [&](const TileDim &tile) { return tile.extent.isStatic() && tile.extent.constant() <= tile.block; };
    int first = 0;
    while (first < static_cast<int>(tiles.size()) && isUnit(tiles[first]))
      ++first;
    for (int d = static_cast<int>(tiles.size()) - 1; d >= 0; --d) {
      if (isUnit(tiles[d])) {
        ivs[d] = kb.index(0);
      } else if (d == first) {
        ivs[d] = t;
      } else {
        Value count = kb.ceilDiv(kb.sizeValue(tiles[d].extent), tiles[d].block);
        ivs[d] = arith::RemUIOp::create(kb.b, kb.loc, t, count);
        t = arith::DivUIOp::create(kb.b, kb.loc, t, count);
      }
    }
    result = body(ivs);
  });
  return result;
}

LogicalResult KernelEmitter::emitSingle() {
  if (auto contractOp = dyn_cast<ContractOp>(steps[0])) {
    std::unique_ptr<ContractStrategy> strategy = chooseContractStrategy(kb, makeContract(contractOp, {}));
    interface.vectorized = strategy->isVectorized();
    SmallVector<TileDim> tiles = strategy->chooseTiles();
    if (isLaunchable(tiles) && !tiles.empty())
      return emitTileLoop(tiles, [&](ArrayRef<Value> ivs) { return strategy->emit(ivs); });
    return emitTileLoop({}, [&](ArrayRef<Value>) { return strategy->emit({}); });
  }
  auto find = [&](Value value) -> const Buffer * { return bufferOf(value); };
  NestEmitter emitter(kb, makeNest(steps[0], {}), find);
  interface.vectorized = emitter.isVectorized();
  ArrayRef<TileDim> tiles = emitter.chooseTiles();
  if (isLaunchable(tiles))
    return emitTileLoop(tiles, [&](ArrayRef<Value> ivs) { return emitter.emit(ivs); });
  NestEmitter whole(kb, makeNest(steps[0], {}), find);
  return emitTileLoop({}, [&](ArrayRef<Value>) { return whole.emit({}); });
}

/// Runs `body` at each point: as tiles of the launch where its caller can count them, as loops of one tile otherwise.
LogicalResult KernelEmitter::emitLoops(ArrayRef<TileDim> tiles, function_ref<LogicalResult(ArrayRef<Value>)> body) {
  if (isLaunchable(tiles))
    return emitTileLoop(tiles, body);
  return emitTileLoop({}, [&](ArrayRef<Value>) {
    SmallVector<Value> point;
    std::function<LogicalResult(unsigned)> nest = [&](unsigned depth) {
      if (depth == tiles.size())
        return body(point);
      LogicalResult result = success();
      kb.loop(kb.index(0), kb.sizeValue(tiles[depth].extent), 1, [&](Value iv) {
        point.push_back(iv);
        result = nest(depth + 1);
        point.pop_back();
      });
      return result;
    };
    return nest(0);
  });
}

LogicalResult KernelEmitter::emitGroup() {
  SmallVector<TileDim> tiles;
  if (!steps.empty())
    for (unsigned loop = 0; loop < sharedLoops; ++loop)
      tiles.push_back({sizeOf(shapes.classOfLoop(steps[0], loop)), 1});
  if (auto concat = steps.size() == 1 ? dyn_cast<ConcatOp>(steps[0]) : ConcatOp(); concat && isLaunchable(tiles))
    if (SmallVector<int64_t> blocks = countConcatBlocks(concat); !blocks.empty())
      return emitConcatBlocks(concat, tiles, blocks);
  return emitLoops(tiles, [&](ArrayRef<Value> shared) -> LogicalResult {
    ArrayRef<Operation *> rest = steps;
    while (!rest.empty()) {
      unsigned count = countRowSteps(rest);
      if (failed(count > 1 ? emitRowSteps(rest.take_front(count), shared) : emitStep(rest.front(), shared)))
        return failure();
      rest = rest.drop_front(std::max(count, 1u));
    }
    return success();
  });
}

/// How many of the next ops beside contractions work on each step of the first loop that is not shared by itself, so
/// that a row is in the first level cache from one to the next.
unsigned KernelEmitter::countRowSteps(ArrayRef<Operation *> rest) {
  if (llvm::none_of(steps, llvm::IsaPred<ContractOp>))
    return 0; // their rows are shared already
  AffineExpr row = getAffineDimExpr(sharedLoops, kernel.getContext());
  auto isByRow = [&](AffineMap map) { return map.getNumResults() > sharedLoops && map.getResult(sharedLoops) == row; };
  unsigned count = 0;
  for (; count < rest.size(); ++count) {
    auto op = dyn_cast<linalg::GenericOp>(rest[count]);
    if (!op || op.getNumLoops() <= sharedLoops ||
        op.getIteratorTypesArray()[sharedLoops] != utils::IteratorType::parallel ||
        shapes.classOfLoop(op, sharedLoops) != shapes.classOfLoop(rest.front(), sharedLoops) ||
        !llvm::all_of(op->getResults(), [&](OpResult r) { return isByRow(op.getIndexingMapMatchingResult(r)); }))
      break;
    bool reads = llvm::all_of(op.getDpsInputOperands(), [&](OpOperand *input) {
      return !llvm::is_contained(rest.take_front(count), input->get().getDefiningOp()) ||
             isByRow(op.getMatchingIndexingMap(input));
    });
    if (!reads)
      break;
  }
  return count;
}

LogicalResult KernelEmitter::emitRowSteps(ArrayRef<Operation *> ops, ArrayRef<Value> shared) {
  LogicalResult result = success();
  Size rows = sizeOf(shapes.classOfLoop(ops.front(), sharedLoops));
  kb.loop(kb.index(0), kb.sizeValue(rows), 1, [&](Value row) {
    SmallVector<Value> bound(shared);
    bound.push_back(row);
    for (Operation *op : ops)
      if (succeeded(result))
        result = emitStep(op, bound);
  });
  return result;
}

LogicalResult KernelEmitter::emitStep(Operation *op, ArrayRef<Value> shared) {
  if (auto concat = dyn_cast<ConcatOp>(op))
    return emitConcat(concat, shared);
  if (auto contract = dyn_cast<ContractOp>(op)) {
    std::unique_ptr<ContractStrategy> strategy = chooseContractStrategy(kb, makeContract(contract, shared));
    interface.vectorized &= strategy->isVectorized();
    return strategy->emit({});
  }
  auto find = [&](Value value) -> const Buffer * { return bufferOf(value); };
  NestEmitter emitter(kb, makeNest(op, shared), find);
  return emitter.emit({});
}

//===----------------------------------------------------------------------===//
// leaf.forall
//===----------------------------------------------------------------------===//

/// An index operand of a compute op: a constant, an argument of the kernel, or one computed from these.
Size KernelEmitter::sizeOfIndex(Value index) {
  APInt constant;
  if (matchPattern(index, m_ConstantInt(&constant)))
    return Size(constant.getSExtValue());
  auto [found, isNew] = symbolOfIndex.try_emplace(index, 0);
  if (isNew)
    found->second = kb.addSymbol(scalars.lookup(index), boundOfScalar(index));
  return Size::symbol(found->second);
}

LogicalResult KernelEmitter::emitForallBody(ForallOp op, ArrayRef<Value> point) {
  SmallVector<const Buffer *> operands;
  for (Value input : op.getInputs())
    operands.push_back(bufferOf(input));
  for (Value result : op.getResults())
    operands.push_back(bufferOf(result));
  return ForallEmitter(kb, op, operands).emit(point);
}

LogicalResult KernelEmitter::emitForall(ForallOp op) {
  interface.vectorized = false;
  SmallVector<TileDim> tiles;
  for (Value extent : op.getExtents())
    tiles.push_back({sizeOfIndex(extent), 1});
  return emitLoops(tiles, [&](ArrayRef<Value> point) { return emitForallBody(op, point); });
}

/// Body of a copy.
static void makeCopyBody(Block &body, ConcatOp op) {
  Type element = cast<ShapedType>(op.getOut().getType()).getElementType();
  body.addArguments({element, element}, {op.getLoc(), op.getLoc()});
  OpBuilder builder(op.getContext());
  builder.setInsertionPointToEnd(&body);
  linalg::YieldOp::create(builder, op.getLoc(), body.getArgument(0));
}

/// One copy loop nest for each input, inside loops over the first dimensions at `shared`.
std::vector<Nest> KernelEmitter::makeConcatNests(ConcatOp op, Block &body, ArrayRef<Value> shared) {
  int64_t rank = cast<ShapedType>(op.getOut().getType()).getRank();
  AffineMap identity = AffineMap::getMultiDimIdentityMap(rank, op.getContext());
  Buffer *out = bufferOf(op.getResult());
  Size offset(0);
  std::vector<Nest> nests;
  for (Value input : op.getInputs()) {
    SmallVector<Size> sizes = sizesOf(input);
    Nest nest;
    nest.body = &body;
    for (int64_t d = 0; d < rank; ++d) {
      bool bound = d < static_cast<int64_t>(shared.size());
      nest.loops.push_back({sizes[d], false, bound, bound ? Pos{shared[d]} : Pos()});
    }
    nest.inputs.push_back(kb.makeAccess(*bufferOf(input), identity));
    nest.outputs.push_back(kb.makeAccess(*out, identity));
    nest.outputs[0].constant = offset * out->strides[op.getDim()];
    nest.initial.push_back(Value());
    nests.push_back(std::move(nest));
    offset = kb.addSizes(offset, sizes[op.getDim()]);
  }
  return nests;
}

LogicalResult KernelEmitter::emitConcat(ConcatOp op, ArrayRef<Value> shared) {
  Block body;
  makeCopyBody(body, op);
  auto find = [&](Value value) -> const Buffer * { return bufferOf(value); };
  for (Nest &nest : makeConcatNests(op, body, shared))
    if (failed(NestEmitter(kb, std::move(nest), find).emit({})))
      return failure();
  return success();
}

/// Two slabs for each dimension that the box does not fill: before and behind the box, within the box in the dimensions
/// in front of it, and everywhere in those after it.
LogicalResult KernelEmitter::emitBorder(BorderOp op) {
  auto type = cast<ShapedType>(op.getOut().getType());
  Block body;
  body.addArgument(type.getElementType(), op.getLoc());
  OpBuilder builder(op.getContext());
  builder.setInsertionPointToEnd(&body);
  Value value = arith::ConstantOp::create(builder, op.getLoc(), op.getValue());
  linalg::YieldOp::create(builder, op.getLoc(), value);
  AffineMap identity = AffineMap::getMultiDimIdentityMap(type.getRank(), op.getContext());
  Buffer *out = bufferOf(op.getResult());
  auto emitSlab = [&](int64_t dim, int64_t begin, int64_t size) {
    Nest nest;
    nest.body = &body;
    nest.outputs.push_back(kb.makeAccess(*out, identity));
    nest.initial.push_back(Value());
    auto shift = [&](int64_t d, int64_t by) {
      nest.outputs[0].constant = kb.addSizes(nest.outputs[0].constant, out->strides[d] * Size(by));
    };
    shift(dim, begin);
    for (int64_t d = 0; d < type.getRank(); ++d) {
      nest.loops.push_back({Size(d == dim ? size : d < dim ? op.getSize()[d] : type.getDimSize(d)), false});
      if (d < dim)
        shift(d, op.getLow()[d]);
    }
    auto find = [&](Value tensor) -> const Buffer * { return bufferOf(tensor); };
    return NestEmitter(kb, std::move(nest), find).emit({});
  };
  return emitTileLoop({}, [&](ArrayRef<Value>) {
    for (int64_t d = 0; d < type.getRank(); ++d) {
      int64_t low = op.getLow()[d], end = low + op.getSize()[d];
      if ((low > 0 && failed(emitSlab(d, 0, low))) ||
          (end < type.getDimSize(d) && failed(emitSlab(d, end, type.getDimSize(d) - end))))
        return failure();
    }
    return success();
  });
}

/// Blocks of the inputs as tiles, where the dimensions before the concatenated one are too few for that (a batch of
/// one). Empty where they are enough, or an input is no plain run of elements.
SmallVector<int64_t> KernelEmitter::countConcatBlocks(ConcatOp op) {
  constexpr int64_t enough = 16;
  int64_t outer = 1;
  for (unsigned loop = 0; loop < sharedLoops; ++loop) {
    Size extent = sizeOf(shapes.classOfLoop(op, loop));
    outer *= extent.isStatic() ? extent.constant() : enough;
  }
  if (outer >= enough)
    return {};
  Block body;
  makeCopyBody(body, op);
  auto find = [&](Value value) -> const Buffer * { return bufferOf(value); };
  SmallVector<int64_t> blocks;
  for (Nest &nest : makeConcatNests(op, body, SmallVector<Value>(sharedLoops))) {
    NestEmitter emitter(kb, std::move(nest), find);
    ArrayRef<TileDim> tiles = emitter.chooseTiles();
    if (tiles.size() != 1 || !tiles[0].extent.isStatic())
      return {};
    blocks.push_back(llvm::divideCeil(tiles[0].extent.constant(), tiles[0].block));
  }
  return blocks;
}

/// Tiles: the dimensions before the concatenated one, then the blocks of all inputs.
LogicalResult KernelEmitter::emitConcatBlocks(ConcatOp op, ArrayRef<TileDim> outer, ArrayRef<int64_t> blocks) {
  Block body;
  makeCopyBody(body, op);
  auto find = [&](Value value) -> const Buffer * { return bufferOf(value); };
  SmallVector<TileDim> tiles(outer);
  tiles.push_back({Size(std::accumulate(blocks.begin(), blocks.end(), int64_t(0))), 1});
  return emitTileLoop(tiles, [&](ArrayRef<Value> ivs) -> LogicalResult {
    LogicalResult result = success();
    int64_t first = 0;
    for (auto [nest, count] : llvm::zip_equal(makeConcatNests(op, body, ivs.drop_back()), blocks)) {
      NestEmitter emitter(kb, std::move(nest), find);
      (void)emitter.chooseTiles();
      // Of an unsigned difference one comparison tells whether it is in the range.
      Value block = arith::SubIOp::create(kb.b, kb.loc, ivs.back(), kb.index(first));
      Value mine = arith::CmpIOp::create(kb.b, kb.loc, arith::CmpIPredicate::ult, block, kb.index(count));
      kb.ifElse(mine, [&] {
        if (failed(emitter.emit({block})))
          result = failure();
      });
      first += count;
    }
    return result;
  });
}
