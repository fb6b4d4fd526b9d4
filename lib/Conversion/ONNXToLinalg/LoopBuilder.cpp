//===- LoopBuilder.cpp - scf loops over the body of Loop and Scan -----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "LoopBuilder.h"

#include "Leaf/OutputNames.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::onnxtolinalg;

/// A trip count of that many iterations says that there is none.
static constexpr int64_t kNoTrip = int64_t(1) << 31;

//===----------------------------------------------------------------------===//
// What is carried
//===----------------------------------------------------------------------===//

/// Arguments of the body before the states: a Loop has the iteration's number and the condition.
static unsigned countLeading(const LoopSpec &spec) { return spec.firstYield ? 2 : 0; }

/// Makes state `i` open, with `derived` as its largest sizes where --bound gives none.
LogicalResult LoopBuilder::openState(unsigned i, ArrayRef<int64_t> derived) {
  Region &body = node.getOperation()->getRegion(0);
  auto type = dyn_cast<RankedTensorType>(body.front().getArgument(countLeading(spec) + i).getType());
  if (!type)
    return node.emitError() << "has a state " << i << " without rank";
  // A state that the types call closed, but the body gives another size, is open in all its dimensions.
  auto yielded = cast<RankedTensorType>(body.front().getTerminator()->getOperand(spec.firstYield + i).getType());
  SmallVector<int64_t> shape(type.getShape());
  for (auto [size, other] : llvm::zip(shape, yielded.getShape()))
    size = size == other ? size : ShapedType::kDynamic;
  FailureOr<SmallVector<int64_t>> bounds = findBounds(node, i, type.clone(shape), derived);
  if (failed(bounds))
    return failure();
  openBounds[i] = *bounds;
  return success();
}

/// States whose sizes the types say to change; more may follow when the body has been lowered.
LogicalResult LoopBuilder::findOpenStates() {
  openBounds.resize(numStates());
  Block &body = node.getOperation()->getRegion(0).front();
  for (auto [i, state] : llvm::enumerate(spec.states)) {
    auto type = dyn_cast<RankedTensorType>(body.getArgument(countLeading(spec) + i).getType());
    bool changes = false;
    if (type)
      for (auto [size, known] : llvm::zip(lowering.getSizesOf(state), type.getShape()))
        changes |= ShapedType::isDynamic(known) && constantOf(size);
    if (changes && failed(openState(i)))
      return failure();
  }
  return success();
}

/// Collected outputs have room for so many iterations.
LogicalResult LoopBuilder::limitTrip() {
  if (spec.condition && spec.trip && constantOf(*spec.trip) && *constantOf(*spec.trip) >= kNoTrip)
    spec.trip.reset();
  if (spec.collected.empty())
    return success();
  std::optional<int64_t> bound;
  for (unsigned i = 0; i < spec.collected.size(); ++i)
    if (std::optional<int64_t> own = node.getBound(numStates() + i))
      bound = bound ? std::min(*bound, *own) : *own;
  std::optional<int64_t> known = spec.trip ? constantOf(*spec.trip) : std::nullopt;
  if (!bound && (!spec.trip || (known && *known >= kNoTrip)))
    return node.emitError() << "collects outputs in a loop that only its condition ends; give the largest number of "
                               "iterations with "
                            << node.getBoundOption(numStates());
  if (!bound || (known && *known <= *bound))
    limit = *spec.trip;
  else if (!spec.condition)
    limit = spec.trip = lowering.limit(*spec.trip, *bound);
  else
    limit = spec.trip ? s.min(*spec.trip, s.constant(*bound)) : s.constant(*bound), isCut = true;
  return success();
}

LogicalResult LoopBuilder::makeInitial() {
  initial.clear(), slots.clear(), initialSizes.clear();
  if (spec.condition)
    initial = {s.value(s.constant(0))};
  for (auto [i, state] : llvm::enumerate(spec.states)) {
    Value tensor = lowering.getTensor(state);
    Slot &slot = slots.emplace_back();
    slot.first = initial.size();
    initialSizes.push_back(lowering.getSizes(tensor));
    if (!openBounds[i]) {
      initial.push_back(copyTensor(lowering, tensor));
      continue;
    }
    slot.open.emplace(lowering, *openBounds[i], cast<RankedTensorType>(tensor.getType()).getElementType());
    SmallVector<Value> sizes;
    initial.push_back(slot.open->write(tensor, slot.open->createBuffer(), sizes));
    llvm::append_range(initial, sizes);
  }
  for (auto [i, output] : llvm::enumerate(spec.collected)) {
    RankedTensorType type = node.getResultType(numStates() + i);
    Slot &slot = slots.emplace_back();
    slot.first = initial.size();
    if (output.axis >= type.getRank())
      return node.emitError() << "collects output " << numStates() + i << " along axis " << output.axis
                              << " of a tensor of rank " << type.getRank();
    SmallVector<int64_t> slice(type.getShape());
    slice.erase(slice.begin() + output.axis);
    Sizes sizes;
    if (llvm::any_of(slice, ShapedType::isDynamic)) {
      SmallVector<int64_t> all(slice);
      all.insert(all.begin(), s.upperBound(*limit).value_or(ShapedType::kDynamic));
      FailureOr<SmallVector<int64_t>> bounds = findBounds(node, numStates() + i, type.clone(all));
      if (failed(bounds))
        return failure();
      initial.push_back(OpenTensor(lowering, *bounds, type.getElementType()).createBuffer());
      slot.open.emplace(lowering, ArrayRef<int64_t>(*bounds).drop_front(), type.getElementType());
      slot.bounds = *bounds;
      initial.append(slice.size(), s.value(s.constant(0)));
    } else {
      for (int64_t size : slice)
        sizes.push_back(s.constant(size));
      sizes.insert(sizes.begin() + output.axis, *limit);
      // At the output's own name, for a message about a bound that is missing.
      initial.push_back(tensor::EmptyOp::create(b, getOutputLocation(lowering.loc(), numStates() + i), sizes,
                                                Lowering::signless(type.getElementType())));
    }
    initialSizes.push_back(sizes);
  }
  // Last: canonicalization drops it among the results, and tensors must stand in one order everywhere.
  if (spec.condition)
    initial.push_back(s.value(*spec.condition));
  return success();
}

//===----------------------------------------------------------------------===//
// The loop
//===----------------------------------------------------------------------===//

/// Sizes and counts that an scf.while carries are i64: upstream's lowering to C leaves values of type index behind.
static void castIndices(OpBuilder &b, Location loc, MutableArrayRef<Value> values, bool toIndex) {
  Type from = toIndex ? Type(b.getI64Type()) : b.getIndexType(), to = toIndex ? Type(b.getIndexType()) : b.getI64Type();
  for (Value &value : values)
    if (value.getType() == from)
      value = arith::IndexCastOp::create(b, loc, to, value);
}

Value LoopBuilder::emitCondition(ValueRange carried) {
  Value go = carried.back();
  std::optional<Size> most = limit ? limit : spec.trip;
  if (!most)
    return go;
  Value more = arith::CmpIOp::create(b, lowering.loc(), arith::CmpIPredicate::slt, carried[0], s.value(*most));
  return arith::AndIOp::create(b, lowering.loc(), go, more);
}

void LoopBuilder::emitLoop() {
  Location loc = lowering.loc();
  if (!spec.condition) {
    Value count = s.value(*spec.trip), zero = s.value(s.constant(0)), one = s.value(s.constant(1));
    s.value(s.sub(*spec.trip, s.constant(1)));
    loop = scf::ForOp::create(b, loc, zero, count, one, initial);
    return;
  }
  if (std::optional<Size> most = limit ? limit : spec.trip)
    s.value(*most);
  SmallVector<Value> inits(initial);
  castIndices(b, loc, inits, /*toIndex=*/false);
  SmallVector<Type> types(ValueRange(inits).getTypes());
  SmallVector<Location> locations(types.size(), loc);
  auto op = scf::WhileOp::create(b, loc, types, inits);
  OpBuilder::InsertionGuard guard(b);
  Block *before = b.createBlock(&op.getBefore(), {}, types, locations);
  SmallVector<Value> carried(before->args_begin(), before->args_end());
  castIndices(b, loc, carried, /*toIndex=*/true);
  Value condition = emitCondition(carried);
  scf::ConditionOp::create(b, loc, condition, before->getArguments());
  b.createBlock(&op.getAfter(), {}, types, locations);
  loop = op;
}

Size LoopBuilder::positionOf(const Collected &output, Value iteration) {
  if (!output.reverse)
    return iteration;
  Value last = s.value(s.sub(*spec.trip, s.constant(1)));
  return arith::SubIOp::create(b, lowering.loc(), last, iteration).getResult();
}

LogicalResult LoopBuilder::writeSlice(unsigned i, Value slice, ValueRange carried, Value iteration) {
  const Collected &output = spec.collected[i];
  Slot &slot = slots[numStates() + i];
  Value into = carried[slot.first];
  Size position = positionOf(output, iteration);
  Sizes part = lowering.getSizes(slice);
  if (slot.open) {
    if (part.size() != slot.open->getNumSizes())
      return node.emitError() << "yields a tensor of rank " << part.size() << " for slices of rank "
                              << slot.open->getNumSizes();
    SmallVector<Value> sizes;
    Value written = slot.open->write(slice, into, sizes, s.mul(position, s.product(part)));
    Size first = s.compare(arith::CmpIPredicate::eq, iteration, s.constant(0));
    for (auto [size, earlier] : llvm::zip(sizes, carried.drop_front(slot.first + 1)))
      lowering.requireWithinBound(
          s.select(first, b.getBoolAttr(true), s.compare(arith::CmpIPredicate::eq, size, earlier)),
          "slices of a collected output must have equal sizes");
    next[slot.first] = written;
    llvm::copy(sizes, next.begin() + slot.first + 1);
    return success();
  }
  Sizes sizes = initialSizes[numStates() + i], strides(sizes.size(), s.constant(1)),
        offsets(sizes.size(), s.constant(0));
  part.insert(part.begin() + std::min<size_t>(output.axis, part.size()), s.constant(1));
  if (part.size() != sizes.size())
    return node.emitError() << "yields a tensor of rank " << part.size() - 1 << " for an output of rank "
                            << sizes.size();
  offsets[output.axis] = position;
  next[slot.first] =
      tensor::InsertSliceOp::create(b, lowering.loc(), lowering.reshape(slice, part), into, offsets, part, strides);
  return success();
}

LogicalResult LoopBuilder::yieldState(unsigned i, Value result, ValueRange carried, ArrayRef<Value> views) {
  Slot &slot = slots[i];
  Value into = carried[slot.first];
  auto isState = [&](Value value) {
    Value root = getRoot(value);
    if (auto part = root.getDefiningOp<tensor::ExtractSliceOp>())
      root = part.getSource();
    return llvm::is_contained(carried, root);
  };
  if (slot.open) {
    if (result == views[i])
      return next[slot.first] = into, success();
    SmallVector<Value> sizes;
    next[slot.first] = slot.open->write(isState(result) ? copyTensor(lowering, result) : result, into, sizes);
    llvm::copy(sizes, next.begin() + slot.first + 1);
    return success();
  }
  auto type = cast<RankedTensorType>(into.getType());
  Sizes before = initialSizes[i], after = lowering.getSizes(result);
  bool isSame =
      before.size() == after.size() && llvm::all_of_zip(before, after, [&](Size x, Size y) { return s.same(x, y); });
  if (!isSame && type.getRank() == static_cast<int64_t>(after.size())) {
    // The two may well be equal, but that is not known: the state must at least stay within its first sizes' bounds.
    SmallVector<int64_t> derived;
    for (Size size : before)
      derived.push_back(s.upperBound(size).value_or(-1));
    retry = true;
    return openState(i, derived);
  }
  if (!tensor::CastOp::areCastCompatible(result.getType(), type))
    return node.emitError() << "changes state " << i << " from " << type << " to " << result.getType();
  bool isOther = result != into && isState(result);
  result = lowering.castTo(isOther ? copyTensor(lowering, result) : result, type);
  next[slot.first] = result == into ? into
                                    : bufferization::MaterializeInDestinationOp::create(b, lowering.loc(),
                                                                                        into.getType(), result, into)
                                          .getResult();
  return success();
}

void LoopBuilder::yieldCondition(Value condition, Value iteration) {
  next[0] = arith::AddIOp::create(b, lowering.loc(), iteration, s.value(s.constant(1)));
  SmallVector<Value> first;
  if (cast<RankedTensorType>(condition.getType()).getRank() == 1)
    first.push_back(s.value(s.constant(0)));
  next.back() = tensor::ExtractOp::create(b, lowering.loc(), condition, first);
}

LogicalResult LoopBuilder::emitBody(Block *body, Value iteration, ValueRange carried, Bind bind) {
  SmallVector<Value> views, results;
  for (unsigned i = 0; i < numStates(); ++i) {
    Slot &slot = slots[i];
    if (slot.open) {
      views.push_back(slot.open->read(carried[slot.first], carried.slice(slot.first + 1, slot.open->getNumSizes())));
      continue;
    }
    lowering.setSizes(carried[slot.first], initialSizes[i]);
    views.push_back(carried[slot.first]);
  }
  if (failed(bind(iteration, views)) || failed(lowering.lowerRegion(node.getOperation()->getRegion(0), results)))
    return failure();
  next.assign(carried.begin(), carried.end());
  // Everything that reads a state comes before any state is overwritten.
  if (spec.condition)
    yieldCondition(results[0], iteration);
  for (unsigned i = 0; i < spec.collected.size(); ++i)
    if (failed(writeSlice(i, results[spec.firstYield + numStates() + i], carried, iteration)))
      return failure();
  for (unsigned i = 0; i < numStates() && !retry; ++i)
    if (failed(yieldState(i, results[spec.firstYield + i], carried, views)))
      return failure();
  if (retry)
    return success();
  if (spec.condition)
    castIndices(b, lowering.loc(), next, /*toIndex=*/false);
  scf::YieldOp::create(b, lowering.loc(), next);
  return success();
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

Value LoopBuilder::readCollected(unsigned i, ValueRange results, Size count) {
  Slot &slot = slots[numStates() + i];
  unsigned axis = spec.collected[i].axis;
  Value buffer = results[slot.first];
  if (!slot.open) {
    Sizes sizes = initialSizes[numStates() + i];
    lowering.setSizes(buffer, sizes);
    if (s.same(count, sizes[axis]))
      return buffer;
    Sizes offsets(sizes.size(), s.constant(0)), strides(sizes.size(), s.constant(1));
    sizes[axis] = count;
    Value part = tensor::ExtractSliceOp::create(b, lowering.loc(), buffer, offsets, sizes, strides);
    lowering.setSizes(part, sizes);
    return part;
  }
  SmallVector<Value> sizes = {s.value(count)};
  llvm::append_range(sizes, results.slice(slot.first + 1, slot.open->getNumSizes()));
  Type element = node.getResultType(numStates() + i).getElementType();
  Value stacked = OpenTensor(lowering, slot.bounds, element).read(buffer, sizes);
  if (axis == 0)
    return stacked;
  Sizes from = lowering.getSizes(stacked), to(from.begin() + 1, from.end());
  to.insert(to.begin() + axis, from.front());
  SmallVector<AffineExpr> exprs = {b.getAffineDimExpr(axis)};
  for (unsigned d = 0; d < to.size(); ++d)
    if (d != axis)
      exprs.push_back(b.getAffineDimExpr(d));
  return lowering.pointwise(stacked, AffineMap::get(to.size(), 0, exprs, b.getContext()), to, element,
                            [](OpBuilder &, Location, ValueRange args) { return args[0]; });
}

LogicalResult LoopBuilder::setResults(ValueRange results) {
  Size count = spec.condition ? Size(results[0]) : *spec.trip;
  std::optional<int64_t> most = limit ? s.upperBound(*limit) : std::nullopt;
  if (spec.condition && most)
    count = BoundOp::create(b, lowering.loc(), results[0], b.getI64IntegerAttr(*most)).getResult();
  if (auto value = dyn_cast<Value>(count))
    s.setNonNegative(value);
  if (isCut) {
    // The loop ended because it was done, not for want of room.
    Size more = spec.trip ? s.compare(arith::CmpIPredicate::slt, results[0], *spec.trip) : Size(b.getBoolAttr(true));
    lowering.requireWithinBound(
        s.select(s.select(results.back(), more, b.getBoolAttr(false)), b.getBoolAttr(false), b.getBoolAttr(true)),
        "a loop needs more iterations than its bound");
  }
  for (unsigned i = 0; i < slots.size(); ++i) {
    if (!node.hasResult(i))
      continue;
    Slot &slot = slots[i];
    Value value = results[slot.first];
    if (i >= numStates())
      value = readCollected(i - numStates(), results, count);
    else if (slot.open)
      value = slot.open->read(value, results.slice(slot.first + 1, slot.open->getNumSizes()));
    else
      lowering.setSizes(value, initialSizes[i]);
    lowering.setTensor(node.getOperation()->getResult(i), value);
  }
  return success();
}

LogicalResult LoopBuilder::run(Bind bind) {
  if (!spec.trip && !spec.condition)
    return node.emitError() << "never ends: it has neither a trip count nor a condition";
  if (failed(findOpenStates()) || failed(limitTrip()))
    return failure();
  do {
    retry = false;
    if (failed(makeInitial()))
      return failure();
    emitLoop();
    auto counted = dyn_cast<scf::ForOp>(loop);
    Block *body = counted ? counted.getBody() : cast<scf::WhileOp>(loop).getAfterBody();
    SmallVector<Value> carried(counted ? ValueRange(counted.getRegionIterArgs()) : ValueRange(body->getArguments()));
    {
      RegionScope scope(lowering, body);
      if (spec.condition)
        castIndices(b, lowering.loc(), carried, /*toIndex=*/true);
      if (failed(emitBody(body, counted ? counted.getInductionVar() : carried[0], carried, bind)))
        return failure();
    }
    if (retry)
      loop->erase();
  } while (retry);
  SmallVector<Value> results(loop->getResults());
  if (spec.condition)
    castIndices(b, lowering.loc(), results, /*toIndex=*/true);
  return setResults(results);
}
