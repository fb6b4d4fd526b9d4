//===- NestEmitter.cpp - loops of elementwise ops and reductions --------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "NestEmitter.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace leaf::codegen;

NestEmitter::NestEmitter(KernelBuilder &kb, Nest nestIn, BodyCloner::BufferOf bufferOf)
    : kb(kb), nest(std::move(nestIn)), bufferOf(bufferOf) {
  dropUnitLoops();
  collapseLoops();
  for (auto [i, loop] : llvm::enumerate(nest.loops))
    if (!loop.bound)
      (loop.reduction ? reductions : parallels).push_back(i);
  chooseVectorLoop();
  chooseUnroll();
  chooseTranspose();
  for (const NestLoop &loop : nest.loops)
    at.push_back(loop.bound ? loop.at : Pos());
}

//===----------------------------------------------------------------------===//
// Choices
//===----------------------------------------------------------------------===//

void NestEmitter::dropUnitLoops() {
  for (NestLoop &loop : nest.loops)
    if (!loop.bound && loop.extent.is(1))
      loop.bound = true;
}

static bool readsIndex(Block &body, unsigned loop) {
  return llvm::any_of(body.getOps<linalg::IndexOp>(), [&](linalg::IndexOp op) { return op.getDim() == loop; });
}

bool NestEmitter::canCollapse(unsigned outer, unsigned inner) const {
  const NestLoop &a = nest.loops[outer], &b = nest.loops[inner];
  if (a.reduction != b.reduction || readsIndex(*nest.body, outer) || readsIndex(*nest.body, inner))
    return false;
  auto fits = [&](const Access &access) {
    bool plain = !access.panel && access.nonlinear.empty();
    return access.buffer == nullptr || (plain && access.coefs[outer] == access.coefs[inner] * b.extent);
  };
  return llvm::all_of(nest.inputs, fits) && llvm::all_of(nest.outputs, fits);
}

/// Joins neighbouring loops that every operand walks as one: the inner one takes the product, the outer one stands at
/// 0.
void NestEmitter::collapseLoops() {
  int inner = -1;
  for (int loop = static_cast<int>(nest.loops.size()) - 1; loop >= 0; --loop) {
    if (nest.loops[loop].bound)
      continue;
    if (inner >= 0 && canCollapse(loop, inner)) {
      nest.loops[inner].extent = nest.loops[loop].extent * nest.loops[inner].extent;
      nest.loops[loop].bound = true;
      continue;
    }
    inner = loop;
  }
}

int NestEmitter::gatherCost(unsigned loop, unsigned &bits) const {
  bool reduction = nest.loops[loop].reduction;
  SmallVector<Spread> kinds;
  int cost = 0;
  for (auto [input, argument] : llvm::zip(nest.inputs, nest.body->getArguments())) {
    bool varies = !argument.use_empty() && !input.buffer->scalar && input.uses(loop);
    kinds.push_back(varies ? Spread::Varying : Spread::Uniform);
    cost += varies && (!input.coefs[loop].is(1) || !input.nonlinear.empty());
  }
  for (auto [i, output] : llvm::enumerate(nest.outputs)) {
    BlockArgument argument = nest.body->getArgument(nest.inputs.size() + i);
    if (!output.nonlinear.empty() || output.panel)
      return -1;
    if (reduction ? !matchCombiner(*nest.body, i, argument) : !output.coefs[loop].is(1))
      return -1;
    kinds.push_back(Spread::Varying);
  }
  BodySpread spread(*nest.body, kinds, loop);
  bits = spread.getWidestBits();
  for (const Access &output : nest.outputs)
    if (output.buffer->element.isIntOrFloat())
      bits = std::max(bits, output.buffer->element.getIntOrFloatBitWidth());
  return cost + spread.getNumGathers([&](Value tensor) {
    const Buffer *buffer = bufferOf(tensor);
    return buffer && !buffer->strides.empty() && buffer->strides.back().is(1);
  });
}

void NestEmitter::chooseVectorLoop() {
  int best = -1, bestCost = 0;
  int64_t bestLanes = 1;
  for (int loop = static_cast<int>(nest.loops.size()) - 1; loop >= 0; --loop) {
    unsigned bits = 32;
    if (nest.loops[loop].bound)
      continue;
    int cost = gatherCost(loop, bits);
    int64_t width = kb.target.lanes(bits);
    const Size &extent = nest.loops[loop].extent;
    if (extent.isStatic())
      width = std::min<int64_t>(width, llvm::bit_floor(static_cast<uint64_t>(extent.constant())));
    // A gather costs as much as a scalar clone of a few ops.
    int work = std::distance(nest.body->begin(), nest.body->end()) - 1;
    if (cost < 0 || width < 2 || 2 * cost > work || (best >= 0 && cost >= bestCost))
      continue;
    best = loop;
    bestCost = cost;
    bestLanes = width;
  }
  if (best < 0)
    return;
  vectorLoop = best;
  lanes = bestLanes;
  llvm::erase(parallels, static_cast<unsigned>(best));
  llvm::erase(reductions, static_cast<unsigned>(best));
}

void NestEmitter::chooseUnroll() {
  if (vectorLoop < 0)
    return;
  // Reductions need independent accumulators; a short body is dominated by its loop.
  constexpr int64_t shortBody = 8, longBody = 24;
  int64_t work = std::distance(nest.body->begin(), nest.body->end()) - 1;
  bool reduces = hasReductions() || nest.loops[vectorLoop].reduction;
  int64_t wanted = reduces || work <= shortBody ? 4 : work <= longBody ? 2 : 1;
  const Size &extent = nest.loops[vectorLoop].extent;
  int64_t vectors = extent.isStatic() ? extent.constant() / lanes : wanted;
  unroll = std::clamp<int64_t>(vectors, 1, wanted);
}

ArrayRef<TileDim> NestEmitter::chooseTiles() {
  // Enough tiles for threads, none smaller than a few vectors: finding its place costs divisions.
  constexpr int64_t enough = 16, leastElements = 1024, blockElements = 4096, dynamic = 256;
  auto sizeOr = [&](unsigned loop) {
    const Size &extent = nest.loops[loop].extent;
    return extent.isStatic() ? extent.constant() : dynamic;
  };
  int64_t tiles = 1, elements = 1;
  for (auto [i, loop] : llvm::enumerate(nest.loops))
    if (!loop.bound)
      elements *= sizeOr(i);
  for (unsigned loop : parallels) {
    if (tiles >= enough || (tiles > 1 && elements / tiles < leastElements))
      break;
    tileDims.push_back({nest.loops[loop].extent, 1});
    tiles *= sizeOr(loop);
  }
  if (parallels.empty() && storeLoop >= 0) {
    int64_t block = blockElements / std::max<int64_t>(1, sizeOr(storeLoop));
    tileDims.push_back(
        {nest.loops[vectorLoop].extent, static_cast<int64_t>(llvm::alignTo(std::max(block, lanes), lanes))});
    blocked = true;
    return tileDims;
  }
  if (parallels.empty() && vectorLoop >= 0 && !nest.loops[vectorLoop].reduction) {
    // An element that is reduced is as much work as what it is reduced from; a block is made of whole strips.
    int64_t reduced = 1, strip = unroll * lanes;
    for (unsigned loop : reductions)
      reduced *= sizeOr(loop);
    int64_t block = std::clamp<int64_t>(blockElements / std::max<int64_t>(1, reduced), strip, blockElements);
    tileDims.push_back({nest.loops[vectorLoop].extent, block / strip * strip});
    blocked = true;
  }
  return tileDims;
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

NestEmitter::Values NestEmitter::element(int64_t elementLanes, ValueRange accumulators) {
  Values args;
  for (auto [input, argument] : llvm::zip(nest.inputs, nest.body->getArguments()))
    args.push_back(argument.use_empty() ? Value() : kb.loadAlong(input, at, vectorLoop, elementLanes));
  for (auto [i, output] : llvm::enumerate(nest.outputs)) {
    BlockArgument argument = nest.body->getArgument(nest.inputs.size() + i);
    Value current;
    if (!accumulators.empty())
      current = accumulators[i];
    else if (!argument.use_empty())
      current = initialValue(i, elementLanes);
    args.push_back(current);
  }
  BodyCloner cloner(kb, elementLanes, vectorLoop, at, bufferOf);
  FailureOr<SmallVector<Value>> results = cloner.clone(*nest.body, args);
  if (succeeded(results))
    return *results;
  failed = true;
  return llvm::map_to_vector(nest.outputs,
                             [&](const Access &out) { return kb.zero(out.buffer->element, elementLanes); });
}

Value NestEmitter::initialValue(unsigned output, int64_t elementLanes) {
  if (Value scalar = nest.initial[output])
    return kb.splat(scalar, elementLanes);
  return kb.splat(kb.loadAlong(nest.outputs[output], at, vectorLoop, elementLanes), elementLanes);
}

void NestEmitter::storeOutput(unsigned output, Value value, int64_t elementLanes) {
  Access &access = nest.outputs[output];
  if (!access.buffer->memref)
    access.buffer->scalar = value;
  else
    kb.storeAlong(value, access, at, vectorLoop, elementLanes);
}

Value NestEmitter::combine(Operation *combiner, Value a, Value c) {
  IRMapping mapping;
  mapping.map(combiner->getOperand(0), a);
  mapping.map(combiner->getOperand(1), c);
  Operation *copy = kb.b.clone(*combiner, mapping);
  copy->getResult(0).setType(a.getType());
  return copy->getResult(0);
}

/// Combines the lanes pairwise: halves first, then the two last ones.
Value NestEmitter::reduceLanes(Operation *combiner, Value vector) {
  int64_t count = cast<VectorType>(vector.getType()).getDimSize(0);
  for (; count > 2; count /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < count / 2; ++i) {
      low.push_back(i);
      high.push_back(count / 2 + i);
    }
    Value a = vector::ShuffleOp::create(kb.b, kb.loc, vector, vector, low);
    Value c = vector::ShuffleOp::create(kb.b, kb.loc, vector, vector, high);
    vector = combine(combiner, a, c);
  }
  return combine(combiner, kb.lane(vector, 0), kb.lane(vector, 1));
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

LogicalResult NestEmitter::emit(ArrayRef<Value> tiles) {
  unsigned whole = blocked ? 0 : tiles.size();
  for (unsigned i = 0; i < whole; ++i)
    at[parallels[i]] = {tiles[i]};
  if (blocked) {
    Value lower = arith::MulIOp::create(kb.b, kb.loc, tiles.back(), kb.index(tileDims.back().block));
    Value end = kb.sizeValue(tileDims.back().extent);
    if (storeLoop >= 0) {
      emitTransposed(lower, kb.minimum(kb.add(lower, tileDims.back().block), end));
      return failure(failed);
    }
    if (!tileDims.back().extent.isStatic() || tileDims.back().extent.constant() % tileDims.back().block)
      emitVectorRange(lower, kb.minimum(kb.add(lower, tileDims.back().block), end), false);
    else
      emitVectorRange(lower, kb.add(lower, tileDims.back().block), false);
  } else {
    emitParallel(whole);
  }
  return failure(failed);
}

void NestEmitter::emitParallel(unsigned depth) {
  if (depth < parallels.size()) {
    unsigned loop = parallels[depth];
    kb.loop(kb.index(0), kb.sizeValue(nest.loops[loop].extent), 1, [&](Value iv) {
      at[loop] = {iv};
      emitParallel(depth + 1);
    });
    return;
  }
  if (vectorLoop < 0)
    return emitStrip(1, 1);
  if (storeLoop >= 0)
    return emitTransposed(kb.index(0), kb.sizeValue(nest.loops[vectorLoop].extent));
  if (nest.loops[vectorLoop].reduction)
    return emitVectorReduction();
  emitVectorRange(kb.index(0), kb.sizeValue(nest.loops[vectorLoop].extent), true);
}

/// Runs the parallel vector loop over [lower, upper): strips of `unroll` vectors, vectors, scalars.
void NestEmitter::emitVectorRange(Value lower, Value upper, bool whole) {
  Pos &position = at[vectorLoop];
  const Size &extent = nest.loops[vectorLoop].extent;
  if (whole && extent.isStatic()) {
    int64_t size = extent.constant(), strip = unroll * lanes, done = size / strip * strip;
    if (done == strip) {
      position = {};
      emitStrip(unroll, lanes);
    } else if (done) {
      kb.loop(kb.index(0), kb.index(done), strip, [&](Value iv) {
        position = {iv};
        emitStrip(unroll, lanes);
      });
    }
    for (int64_t width = lanes; done < size; width /= 2)
      for (; size - done >= width; done += width) {
        position = {Value(), done};
        emitStrip(1, width);
      }
    return;
  }
  Value begin = lower;
  SmallVector<std::pair<int64_t, int64_t>> steps{{unroll, lanes}, {1, lanes}, {1, 1}};
  for (auto [count, width] : steps) {
    if (count == 1 && width == lanes && unroll == 1 && begin != lower)
      continue;
    int64_t step = count * width;
    Value length = arith::SubIOp::create(kb.b, kb.loc, upper, begin);
    Value rest = step == 1 ? Value() : arith::RemUIOp::create(kb.b, kb.loc, length, kb.index(step)).getResult();
    Value end = rest ? arith::SubIOp::create(kb.b, kb.loc, upper, rest).getResult() : upper;
    kb.loop(begin, end, step, [&](Value iv) {
      position = {iv};
      emitStrip(count, width);
    });
    begin = end;
  }
}

/// `count` vectors (or one scalar) of the result, with the reductions that make them.
void NestEmitter::emitStrip(int64_t count, int64_t width) {
  Pos start = vectorLoop >= 0 ? at[vectorLoop] : Pos();
  unsigned outputs = nest.outputs.size();
  auto moveTo = [&](int64_t strip) {
    if (vectorLoop >= 0)
      at[vectorLoop].offset = start.offset + strip * width;
  };
  Values results;
  if (!hasReductions()) {
    for (int64_t i = 0; i < count; ++i) {
      moveTo(i);
      llvm::append_range(results, element(width, {}));
    }
  } else {
    for (int64_t i = 0; i < count; ++i) {
      moveTo(i);
      for (unsigned o = 0; o < outputs; ++o)
        results.push_back(initialValue(o, width));
    }
    results = emitReductions(0, results, [&](Values carried) {
      Values next;
      for (int64_t i = 0; i < count; ++i) {
        moveTo(i);
        Values values = element(width, ArrayRef(carried).slice(i * outputs, outputs));
        for (Value value : values)
          next.push_back(kb.splat(value, width));
      }
      return next;
    });
  }
  for (int64_t i = 0; i < count; ++i) {
    moveTo(i);
    for (unsigned o = 0; o < outputs; ++o)
      storeOutput(o, results[i * outputs + o], width);
  }
  if (vectorLoop >= 0)
    at[vectorLoop] = start;
}

/// Runs the reduction loops from `depth` on around `leaf`; small static ones are unrolled.
NestEmitter::Values NestEmitter::emitReductions(unsigned depth, Values carried, function_ref<Values(Values)> leaf) {
  if (depth == reductions.size())
    return leaf(std::move(carried));
  constexpr int64_t smallWindow = 32;
  Size product(1);
  for (unsigned i = depth; i < reductions.size(); ++i)
    product = product * nest.loops[reductions[i]].extent;
  unsigned loop = reductions[depth];
  const Size &extent = nest.loops[loop].extent;
  if (product.isStatic() && product.constant() <= smallWindow) {
    for (int64_t i = 0; i < extent.constant(); ++i) {
      at[loop] = {Value(), i};
      carried = emitReductions(depth + 1, std::move(carried), leaf);
    }
    return carried;
  }
  return kb.loop(kb.index(0), kb.sizeValue(extent), 1, carried, [&](Value iv, ValueRange values) {
    at[loop] = {iv};
    return emitReductions(depth + 1, Values(values), leaf);
  });
}

//===----------------------------------------------------------------------===//
// Reductions along the vector loop
//===----------------------------------------------------------------------===//

/// `carried`: `unroll` vectors for each output, then one scalar for each output.
NestEmitter::Values NestEmitter::emitVectorReductionLoop(Values carried) {
  unsigned outputs = nest.outputs.size();
  const Size &extent = nest.loops[vectorLoop].extent;
  Value size = kb.sizeValue(extent);
  auto accumulate = [&](Values values, unsigned first, int64_t count, int64_t width, Pos start) {
    for (int64_t i = 0; i < count; ++i) {
      at[vectorLoop] = {start.value, start.offset + i * width};
      Values next = element(width, ArrayRef(values).slice(first + i * outputs, outputs));
      for (unsigned o = 0; o < outputs; ++o)
        values[first + i * outputs + o] = kb.splat(next[o], width);
    }
    return values;
  };
  Value begin = kb.index(0);
  SmallVector<std::tuple<int64_t, int64_t, unsigned>> steps{
      {unroll, lanes, 0}, {1, lanes, 0}, {1, 1, static_cast<unsigned>(unroll) * outputs}};
  int64_t done = 0;
  for (auto [count, width, first] : steps) {
    int64_t step = count * width;
    if (extent.isStatic()) {
      int64_t end = done + (extent.constant() - done) / step * step;
      if (end - done == step)
        carried = accumulate(carried, first, count, width, {Value(), done});
      else if (end > done)
        carried = kb.loop(kb.index(done), kb.index(end), step, carried, [&](Value iv, ValueRange values) {
          return accumulate(Values(values), first, count, width, {iv});
        });
      done = end;
      continue;
    }
    Value length = arith::SubIOp::create(kb.b, kb.loc, size, begin);
    Value rest = arith::RemUIOp::create(kb.b, kb.loc, length, kb.index(step));
    Value end = step == 1 ? size : arith::SubIOp::create(kb.b, kb.loc, size, rest).getResult();
    carried = kb.loop(begin, end, step, carried, [&](Value iv, ValueRange values) {
      return accumulate(Values(values), first, count, width, {iv});
    });
    begin = end;
  }
  return carried;
}

void NestEmitter::emitVectorReduction() {
  unsigned outputs = nest.outputs.size(), inputs = nest.inputs.size();
  Values carried;
  SmallVector<Operation *> combiners;
  for (unsigned o = 0; o < outputs; ++o)
    combiners.push_back(matchCombiner(*nest.body, o, nest.body->getArgument(inputs + o)));
  for (int64_t i = 0; i < unroll; ++i)
    for (unsigned o = 0; o < outputs; ++o)
      carried.push_back(kb.splatConstant(*arith::getNeutralElement(combiners[o]), lanes));
  at[vectorLoop] = {};
  for (unsigned o = 0; o < outputs; ++o)
    carried.push_back(initialValue(o, 1));
  carried = emitReductions(0, carried, [&](Values values) { return emitVectorReductionLoop(std::move(values)); });
  at[vectorLoop] = {};
  for (unsigned o = 0; o < outputs; ++o) {
    // Pairwise, so that no accumulator waits for all others.
    Values parts;
    for (int64_t i = 0; i < unroll; ++i)
      parts.push_back(carried[i * outputs + o]);
    for (; parts.size() > 1; parts.pop_back_n(parts.size() - (parts.size() + 1) / 2))
      for (size_t i = 0; i + (parts.size() + 1) / 2 < parts.size(); ++i)
        parts[i] = combine(combiners[o], parts[i], parts[i + (parts.size() + 1) / 2]);
    Value result = combine(combiners[o], carried[unroll * outputs + o], reduceLanes(combiners[o], parts[0]));
    storeOutput(o, result, 1);
  }
}
