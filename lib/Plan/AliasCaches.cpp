//===- AliasCaches.cpp - key/value caches in one buffer ----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CopyKernel.h"
#include "Leaf/Leaf.h"
#include "leafcutter/Plan/Passes.h"
#include "leafcutter/Plan/SizeBounds.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace leaf {
#define GEN_PASS_DEF_ALIASCACHES
#include "leafcutter/Plan/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

namespace {
/// An input and the output that shares its buffer.
struct Cache {
  BlockArgument past;
  unsigned result;     ///< index among the results of the entry
  plan::CallOp concat; ///< makes the output from the past and new rows
  Value rows;          ///< the new rows
  unsigned dim;        ///< dimension that grows
  Value pastSize, presentSize;
  int64_t capacity; ///< upper bound of the output's size along `dim`
};
} // namespace

static Value stripCasts(Value value) {
  while (auto cast = value.getDefiningOp<tensor::CastOp>())
    value = cast.getSource();
  return value;
}

/// The one leaf.concat that `kernel` consists of, or null.
static ConcatOp getConcat(plan::KernelOp kernel) {
  auto yield = cast<plan::YieldOp>(kernel.getBody().front().getTerminator());
  return yield.getValues().size() == 1 ? yield.getValues()[0].getDefiningOp<ConcatOp>() : ConcatOp();
}

static std::optional<unsigned> findResult(func::FuncOp entry, StringRef name) {
  for (unsigned i = 0; i < entry.getNumResults(); ++i)
    if (auto known = entry.getResultAttrOfType<StringAttr>(i, leaf::attrs::kName); known && known.getValue() == name)
      return i;
  return std::nullopt;
}

/// The bounded size of dimension `dim` of the input.
static Value findPastSize(func::FuncOp entry, unsigned input, unsigned dim) {
  auto names = entry.getArgAttrOfType<ArrayAttr>(input, leaf::attrs::kDims);
  for (BlockArgument argument : entry.getArguments()) {
    Attribute carried = entry.getArgAttr(argument.getArgNumber(), leaf::attrs::kDim);
    if (!names || !carried || carried != names[dim])
      continue;
    for (Operation *user : argument.getUsers())
      if (isa<BoundOp>(user) && user->getBlock() == argument.getOwner())
        return user->getResult(0);
  }
  return {};
}

/// What the pass needs to know about the pair, or an error that names both.
static FailureOr<Cache> findCache(func::FuncOp entry, BlockArgument past, SizeBounds &bounds) {
  unsigned input = past.getArgNumber();
  auto output = entry.getArgAttrOfType<StringAttr>(input, leaf::attrs::kAlias);
  auto fail = [&](const Twine &reason) {
    return entry.emitOpError("input ") << entry.getArgAttr(input, leaf::attrs::kName)
                                       << " cannot share its buffer with output " << output << ": " << reason;
  };
  std::optional<unsigned> result = findResult(entry, output.getValue());
  if (!result)
    return fail("there is no such output");
  Value present = stripCasts(entry.getBody().front().getTerminator()->getOperand(*result));
  auto call = present.getDefiningOp<plan::CallOp>();
  ConcatOp concat = call ? getConcat(call.resolve()) : ConcatOp();
  if (!concat || concat.getInputs().size() != 2)
    return fail("the output is no concatenation of the input and new rows");
  Cache cache{past, *result, call, {}, static_cast<unsigned>(concat.getDim()), {}, {}, 0};
  auto operandOf = [&](Value argument) { return call->getOperand(cast<BlockArgument>(argument).getArgNumber()); };
  cache.rows = operandOf(concat.getInputs()[1]);
  if (stripCasts(operandOf(concat.getInputs()[0])) != past)
    return fail("the output does not begin with the input");
  auto type = cast<RankedTensorType>(past.getType());
  for (int64_t d = 0; d < type.getRank(); ++d)
    if (type.isDynamicDim(d) != (d == concat.getDim()))
      return fail("the input must be open in the dimension that grows, and in no other");
  cache.pastSize = findPastSize(entry, input, cache.dim);
  auto empty = call.getOuts()[0].getDefiningOp<tensor::EmptyOp>();
  cache.presentSize = empty && empty.getType().isDynamicDim(cache.dim) ? empty.getDynamicSize(cache.dim) : Value();
  std::optional<int64_t> capacity = cache.presentSize ? bounds.getUpperBound(cache.presentSize) : std::nullopt;
  if (!cache.pastSize || !capacity)
    return fail("the size of the output has no upper bound; give one with --dim 'NAME<=N'");
  cache.capacity = *capacity;
  return cache;
}

/// All elements of `tensor` but only `size` of them along `dim`, from `offset` on.
static Value createSlice(OpBuilder &builder, Location loc, Value tensor, unsigned dim, OpFoldResult offset,
                         OpFoldResult size) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0)),
      ones(type.getRank(), builder.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes = getAsIndexOpFoldResult(builder.getContext(), type.getShape());
  offsets[dim] = offset;
  sizes[dim] = size;
  return tensor::ExtractSliceOp::create(builder, loc, tensor, offsets, sizes, ones);
}

/// Everything that the new rows are computed from runs before the rows are appended: it may read the buffer as it was.
static bool feedsRows(Operation *op, Value rows) {
  Operation *definition = rows.getDefiningOp();
  if (!definition)
    return false;
  SetVector<Operation *> slice;
  BackwardSliceOptions options;
  options.inclusive = true;
  (void)getBackwardSlice(definition, &slice, options);
  return slice.contains(op);
}

static void rewrite(func::FuncOp entry, Cache cache, CopyKernels &kernels) {
  auto type = cast<RankedTensorType>(cache.past.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[cache.dim] = cache.capacity;
  BlockArgument buffer = cache.past;
  buffer.setType(type.clone(shape));

  Location loc = cache.concat.getLoc();
  OpBuilder builder(cache.concat);
  OpFoldResult rowCount = tensor::getMixedSize(builder, loc, cache.rows, cache.dim);
  SmallVector<Operation *> readers(buffer.getUsers());
  Value room = createSlice(builder, loc, buffer, cache.dim, cache.pastSize, rowCount);
  auto rowsType = cast<RankedTensorType>(cache.rows.getType()), roomType = cast<RankedTensorType>(room.getType());
  auto copy = plan::CallOp::create(builder, loc, TypeRange{roomType}, kernels.get(loc, rowsType, roomType).getSymName(),
                                   cache.rows, room, ValueRange{});
  auto slice = room.getDefiningOp<tensor::ExtractSliceOp>();
  Value all = tensor::InsertSliceOp::create(builder, loc, copy.getResult(0), buffer, slice.getMixedOffsets(),
                                            slice.getMixedSizes(), slice.getMixedStrides());
  Value present = createSlice(builder, loc, all, cache.dim, builder.getIndexAttr(0), cache.presentSize);
  cache.concat.getResult(0).replaceAllUsesWith(present);
  for (Operation *reader : readers) {
    if (reader == cache.concat)
      continue;
    OpBuilder at(reader);
    Value from = feedsRows(reader, cache.rows) ? Value(buffer) : all;
    Value past = createSlice(at, reader->getLoc(), from, cache.dim, at.getIndexAttr(0), cache.pastSize);
    reader->replaceUsesOfWith(buffer, past);
  }
  cache.concat.erase();
}

/// Notes on the input what its output was like.
static void describe(func::FuncOp entry, const Cache &cache) {
  Builder builder(entry.getContext());
  auto toArray = [&](ArrayRef<int64_t> shape, int64_t open) {
    SmallVector<int64_t> sizes(shape);
    llvm::replace(sizes, ShapedType::kDynamic, open);
    return builder.getDenseI64ArrayAttr(sizes);
  };
  unsigned input = cache.past.getArgNumber();
  ArrayRef<int64_t> shape = cast<RankedTensorType>(cache.past.getType()).getShape();
  NamedAttrList output(entry.getResultAttrDict(cache.result));
  output.set("position", builder.getI64IntegerAttr(cache.result));
  output.set("shape", toArray(shape, -1));
  output.set(plan::attrs::kUpperBounds, toArray(shape, cache.capacity));
  entry.setArgAttr(input, plan::attrs::kShape, toArray(shape, -1));
  entry.setArgAttr(input, plan::attrs::kAliasOutput, output.getDictionary(entry.getContext()));
}

/// Replaces the results that are aliased by their size.
static void replaceResults(func::FuncOp entry, ArrayRef<Cache> caches) {
  Builder builder(entry.getContext());
  Operation *ret = entry.getBody().front().getTerminator();
  SmallVector<Attribute> attributes;
  for (unsigned i = 0; i < entry.getNumResults(); ++i) {
    DictionaryAttr own = entry.getResultAttrDict(i);
    attributes.push_back(own ? own : builder.getDictionaryAttr({}));
  }
  for (const Cache &cache : caches) {
    NamedAttrList list;
    list.set(leaf::attrs::kName, entry.getResultAttr(cache.result, leaf::attrs::kName));
    list.set(leaf::attrs::kAxis, builder.getI64IntegerAttr(cache.dim));
    list.set(plan::attrs::kAliasOutput, builder.getUnitAttr());
    attributes[cache.result] = list.getDictionary(entry.getContext());
    ret->setOperand(cache.result, cache.presentSize);
  }
  entry.setResAttrsAttr(builder.getArrayAttr(attributes));
  entry.setFunctionType(builder.getFunctionType(entry.getBody().front().getArgumentTypes(), ret->getOperandTypes()));
}

namespace {
struct AliasCaches : leaf::impl::AliasCachesBase<AliasCaches> {
  using Base::Base;

  void runOnOperation() override {
    CopyKernels kernels(getOperation());
    for (auto entry : getOperation().getOps<func::FuncOp>())
      if (!entry.isExternal() && failed(alias(entry, kernels)))
        return signalPassFailure();
  }

  LogicalResult alias(func::FuncOp entry, CopyKernels &kernels) {
    SmallVector<Cache> caches;
    {
      SizeBounds bounds(entry);
      for (BlockArgument argument : entry.getArguments()) {
        if (!entry.getArgAttr(argument.getArgNumber(), leaf::attrs::kAlias))
          continue;
        FailureOr<Cache> cache = findCache(entry, argument, bounds);
        if (failed(cache))
          return failure();
        caches.push_back(*cache);
      }
    }
    if (caches.empty())
      return success();
    for (const Cache &cache : caches)
      describe(entry, cache);
    for (const Cache &cache : caches)
      rewrite(entry, cache, kernels);
    replaceResults(entry, caches);
    // Readers of the past that stood before the append follow it now.
    sortTopologically(&entry.getBody().front());
    numAliased += caches.size();
    return success();
  }
};
} // namespace
