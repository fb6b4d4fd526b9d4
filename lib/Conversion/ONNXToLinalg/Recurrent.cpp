//===- Recurrent.cpp - RNN, GRU, LSTM ------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// The projections of all inputs are one contraction before the loop. The loop over time carries the states in buffers
// of its own; a step is the contraction of the hidden state, whose packed weights stay in cache, and one elementwise
// kernel. Equations: ONNX RNN-22, GRU-22, LSTM-22.
//
//===----------------------------------------------------------------------===//

#include "ContractBuilder.h"
#include "Indexing.h"
#include "RecurrentCells.h"
#include "Slices.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;
using utils::IteratorType;

namespace {
/// Positions of the operator's inputs; -1 where it has none.
enum Input : unsigned { kX, kW, kR, kB, kLengths, kInitialH, kInitialC, kPeepholes };

/// One direction of a recurrent operator being lowered.
class Direction {
public:
  Direction(Lowering &lowering, Node &node, unsigned index, bool reverse)
      : lowering(lowering), s(lowering.sizes()), b(lowering.b()), node(node), index(index), reverse(reverse),
        isLSTM(node.getName() == "LSTM"), isGRU(node.getName() == "GRU"), gates(isLSTM  ? 4
                                                                                : isGRU ? 3
                                                                                        : 1),
        hidden(node.getInputType(kR).getDimSize(2)), state(computeType(node.getInputElement(kX))) {}

  LogicalResult run(Value x, Value lengths);

  Value y, lastH, lastC; ///< y [T, B, H] in the result's element type; states [B, H]

private:
  Value part(unsigned input, int64_t begin, int64_t count);
  std::pair<Value, bool> matrix(unsigned input, int64_t begin, int64_t count);
  Value vector(unsigned input, int64_t begin, int64_t count);
  Value project(Value data, AffineMap dataMap, ArrayRef<Size> outer, unsigned input, int64_t begin, int64_t count,
                ArrayRef<Value> biases, Type dataType);
  Value initialState(unsigned input);
  Value reverseByLengths(Value tensor);
  Value stepSlice(Value tensor, Value t);
  Value recurrent(Value h, int64_t beginGate, int64_t numGates, ArrayRef<Value> biases);
  SmallVector<Value> cell(Value xw, Value h, Value c, Value t);
  SmallVector<Value> lstm(Value xw, Value h, Value c, Value t);
  Value gru(Value xw, Value h, Value t);
  Value rnn(Value xw, Value h, Value t);
  SmallVector<Value> elementwise(unsigned results,
                                 function_ref<SmallVector<Value>(Scalar &, Value batch, Value unit)> body);
  Value read(OpBuilder &inner, Value tensor, Value batch, Value unit, int64_t gate);
  Value whileRunning(Scalar &scalar, Value batch, Value t, Value next, Value old);
  Value clip(Scalar &scalar, Value x);
  Value carry(Value next, Value into);

  Lowering &lowering;
  SizeArithmetic &s;
  OpBuilder &b;
  Node &node;
  unsigned index;
  bool reverse, isLSTM, isGRU;
  int64_t gates, hidden;
  Type state;
  Size batch;
  Value lengthTensor;
  SmallVector<RecurrentActivation> functions;
  SmallVector<Value> peepholes; ///< i, o, f: [H]
};
} // namespace

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// Rows begin .. begin + count of this direction's part of an input; computed now where that is a constant.
Value Direction::part(unsigned input, int64_t begin, int64_t count) {
  Value tensor = lowering.getTensor(node.getInput(input));
  SmallVector<int64_t> shape(node.getInputType(input).getShape().drop_front());
  shape[0] = count;
  if (Value constant = lowering.sliceWeight(tensor, index, begin, count, shape))
    return constant;
  Sizes sizes = lowering.getSizes(tensor), flat;
  SmallVector<SliceDim> dims;
  for (Size size : sizes)
    dims.push_back({s.constant(0), size, s.constant(1)});
  dims[0] = {s.constant(index), s.constant(1), s.constant(1)};
  dims[1] = {s.constant(begin), s.constant(count), s.constant(1)};
  for (int64_t size : shape)
    flat.push_back(s.constant(size));
  return lowering.reshape(slice(lowering, tensor, dims), flat);
}

/// Rows of W or R, and whether they could be transposed now: [columns, count] then, [count, columns] otherwise.
std::pair<Value, bool> Direction::matrix(unsigned input, int64_t begin, int64_t count) {
  Value rows = part(input, begin, count);
  int64_t columns = node.getInputType(input).getDimSize(2);
  Value transposed = lowering.relayoutWeight(rows, {count, columns}, {1, 0}, {columns, count});
  return transposed ? std::pair(transposed, true) : std::pair(rows, false);
}

Value Direction::vector(unsigned input, int64_t begin, int64_t count) { return part(input, begin, count); }

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

/// [outer..., count] = data * rows of an input, plus biases [count].
Value Direction::project(Value data, AffineMap dataMap, ArrayRef<Size> outer, unsigned input, int64_t begin,
                         int64_t count, ArrayRef<Value> biases, Type dataType) {
  unsigned n = outer.size(), k = n + 1;
  ContractBuilder contract;
  contract.lhs = data;
  contract.lhsMap = dataMap;
  auto [rhs, transposed] = matrix(input, begin, count);
  contract.rhs = rhs;
  auto dim = [&](unsigned loop) { return b.getAffineDimExpr(loop); };
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(k + 1, 0, exprs, b.getContext()); };
  contract.rhsMap = transposed ? map({dim(k), dim(n)}) : map({dim(n), dim(k)});
  SmallVector<AffineExpr> out;
  for (unsigned d = 0; d <= n; ++d)
    out.push_back(dim(d));
  contract.outMap = map(out);
  contract.iterators.assign(k + 1, IteratorType::parallel);
  contract.iterators.back() = IteratorType::reduction;
  contract.accumulator = contract.outElement = state;
  contract.outSizes.assign(outer.begin(), outer.end());
  contract.outSizes.push_back(s.constant(count));
  WeightOperand weight;
  weight.stored = contract.rhs;
  weight.storedType = weight.type = node.getInputElement(input);
  contract.setPrologues(dataType, weight, AffineMap());
  if (!biases.empty()) {
    contract.extras.assign(biases.begin(), biases.end());
    contract.extraMaps.assign(biases.size(), map({dim(n)}));
    Type biasType = node.getInputElement(kB);
    contract.epilogue = [accumulator = state, biasType](OpBuilder &inner, Location loc, ValueRange args) {
      Value sum = args[0];
      for (Value bias : args.drop_front())
        sum = Scalar(inner, loc, accumulator).add(sum, convertElement(inner, loc, bias, biasType, accumulator));
      return sum;
    };
  }
  return contract.build(lowering);
}

/// h [B, H] * rows of R for some gates: [B, gates * H].
Value Direction::recurrent(Value h, int64_t beginGate, int64_t numGates, ArrayRef<Value> biases) {
  AffineMap map = AffineMap::get(3, 0, {b.getAffineDimExpr(0), b.getAffineDimExpr(2)}, b.getContext());
  return project(h, map, {batch}, kR, beginGate * hidden, numGates * hidden, biases, state);
}

//===----------------------------------------------------------------------===//
// Elementwise parts
//===----------------------------------------------------------------------===//

/// Results [B, H] of the state's type; the body gets the indices of the element.
SmallVector<Value> Direction::elementwise(unsigned results,
                                          function_ref<SmallVector<Value>(Scalar &, Value, Value)> body) {
  SmallVector<Value> inits;
  for (unsigned i = 0; i < results; ++i)
    inits.push_back(lowering.empty({batch, s.constant(hidden)}, state));
  SmallVector<AffineMap> maps(results, b.getMultiDimIdentityMap(2));
  SmallVector<IteratorType> iterators(2, IteratorType::parallel);
  return lowering.generic({}, inits, maps, iterators, [&](OpBuilder &inner, Location loc, ValueRange) {
    Scalar scalar(inner, loc, state);
    Value batchIndex = linalg::IndexOp::create(inner, loc, 0), unit = linalg::IndexOp::create(inner, loc, 1);
    return body(scalar, batchIndex, unit);
  });
}

/// Element of a gate in [.., B, gates * H], of a state [B, H], or of a vector [gates * H].
Value Direction::read(OpBuilder &inner, Value tensor, Value batchIndex, Value unit, int64_t gate) {
  Location loc = lowering.loc();
  SmallVector<Value> at;
  int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
  if (rank == 3)
    at.push_back(arith::ConstantIndexOp::create(inner, loc, 0));
  if (rank >= 2)
    at.push_back(batchIndex);
  at.push_back(gate ? arith::AddIOp::create(inner, loc, unit, arith::ConstantIndexOp::create(inner, loc, gate * hidden))
                          .getResult()
                    : unit);
  Type element = cast<RankedTensorType>(tensor.getType()).getElementType();
  return convertElement(inner, loc, tensor::ExtractOp::create(inner, loc, tensor, at), element, state);
}

Value Direction::clip(Scalar &scalar, Value x) {
  if (!node.hasAttr("clip"))
    return x;
  double bound = node.getFloat("clip", 0);
  return scalar.max(scalar.min(x, scalar.number(bound)), scalar.number(-bound));
}

/// `next` while step t is inside the sequence of this batch entry, `old` behind it.
Value Direction::whileRunning(Scalar &scalar, Value batchIndex, Value t, Value next, Value old) {
  if (!lengthTensor)
    return next;
  Value length = tensor::ExtractOp::create(scalar.b, scalar.loc, lengthTensor, batchIndex);
  length = arith::IndexCastOp::create(scalar.b, scalar.loc, scalar.b.getIndexType(), length);
  Value runs = arith::CmpIOp::create(scalar.b, scalar.loc, arith::CmpIPredicate::slt, t, length);
  return scalar.select(runs, next, old);
}

/// Results: h, c, and what the step gives as y.
SmallVector<Value> Direction::lstm(Value xw, Value h, Value c, Value t) {
  Value hr = recurrent(h, 0, 4, {});
  bool coupled = node.getInt("input_forget", 0) != 0;
  return elementwise(3, [&](Scalar &f, Value i, Value j) -> SmallVector<Value> {
    auto gate = [&](int64_t g) { return f.add(read(f.b, xw, i, j, g), read(f.b, hr, i, j, g)); };
    auto peek = [&](Value x, unsigned p, Value cell) {
      return peepholes.empty() ? x : f.add(x, f.mul(read(f.b, peepholes[p], i, j, 0), cell));
    };
    Value oldC = read(f.b, c, i, j, 0), oldH = read(f.b, h, i, j, 0);
    Value input = functions[0].emit(f, clip(f, peek(gate(0), 0, oldC)));
    Value forget = coupled ? f.sub(f.number(1), input) : functions[0].emit(f, clip(f, peek(gate(2), 2, oldC)));
    Value candidate = functions[1].emit(f, clip(f, gate(3)));
    Value newC = f.add(f.mul(forget, oldC), f.mul(input, candidate));
    Value output = functions[0].emit(f, clip(f, peek(gate(1), 1, newC)));
    Value newH = f.mul(output, functions[2].emit(f, newC));
    return {whileRunning(f, i, t, newH, oldH), whileRunning(f, i, t, newC, oldC),
            whileRunning(f, i, t, newH, f.number(0))};
  });
}

SmallVector<Value> Direction::cell(Value xw, Value h, Value c, Value t) {
  if (isLSTM)
    return lstm(xw, h, c, t);
  Value next = isGRU ? gru(xw, h, t) : rnn(xw, h, t);
  if (!lengthTensor)
    return {next, Value(), next};
  SmallVector<Value> masked = elementwise(2, [&](Scalar &f, Value i, Value j) -> SmallVector<Value> {
    Value newH = read(f.b, next, i, j, 0);
    return {whileRunning(f, i, t, newH, read(f.b, h, i, j, 0)), whileRunning(f, i, t, newH, f.number(0))};
  });
  return {masked[0], Value(), masked[1]};
}

Value Direction::rnn(Value xw, Value h, Value) {
  Value hr = recurrent(h, 0, 1, {});
  return elementwise(1, [&](Scalar &f, Value i, Value j) -> SmallVector<Value> {
    return {functions[0].emit(f, clip(f, f.add(read(f.b, xw, i, j, 0), read(f.b, hr, i, j, 0))))};
  })[0];
}

/// Gates z, r, h. With linear_before_reset the reset gate scales h * R + bias, otherwise h itself.
Value Direction::gru(Value xw, Value h, Value) {
  bool linear = node.getInt("linear_before_reset", 0) != 0;
  auto mix = [&](Scalar &f, Value z, Value candidate, Value old) {
    return f.add(f.mul(f.sub(f.number(1), z), candidate), f.mul(z, old));
  };
  if (linear) {
    SmallVector<Value> biases;
    if (node.hasInput(kB))
      biases.push_back(vector(kB, gates * hidden, gates * hidden));
    Value hr = recurrent(h, 0, 3, biases);
    return elementwise(1, [&](Scalar &f, Value i, Value j) -> SmallVector<Value> {
      auto gate = [&](int64_t g) { return f.add(read(f.b, xw, i, j, g), read(f.b, hr, i, j, g)); };
      Value z = functions[0].emit(f, clip(f, gate(0))), r = functions[0].emit(f, clip(f, gate(1)));
      Value reset = f.add(read(f.b, xw, i, j, 2), f.mul(r, read(f.b, hr, i, j, 2)));
      return {mix(f, z, functions[1].emit(f, clip(f, reset)), read(f.b, h, i, j, 0))};
    })[0];
  }
  Value hr = recurrent(h, 0, 2, {});
  SmallVector<Value> gated = elementwise(2, [&](Scalar &f, Value i, Value j) -> SmallVector<Value> {
    auto gate = [&](int64_t g) { return f.add(read(f.b, xw, i, j, g), read(f.b, hr, i, j, g)); };
    Value z = functions[0].emit(f, clip(f, gate(0))), r = functions[0].emit(f, clip(f, gate(1)));
    return {z, f.mul(r, read(f.b, h, i, j, 0))};
  });
  Value candidate = recurrent(gated[1], 2, 1, {});
  return elementwise(1, [&](Scalar &f, Value i, Value j) -> SmallVector<Value> {
    Value sum = f.add(read(f.b, xw, i, j, 2), read(f.b, candidate, i, j, 0));
    Value z = read(f.b, gated[0], i, j, 0);
    return {mix(f, z, functions[1].emit(f, clip(f, sum)), read(f.b, h, i, j, 0))};
  })[0];
}

//===----------------------------------------------------------------------===//
// The loop
//===----------------------------------------------------------------------===//

/// A state [B, H] in a buffer of its own, which the loop overwrites.
Value Direction::initialState(unsigned input) {
  Sizes sizes = {batch, s.constant(hidden)};
  if (!node.hasInput(input))
    return lowering.pointwise({}, {}, sizes, state, [&](OpBuilder &inner, Location loc, ValueRange) {
      return Scalar(inner, loc, state).number(0);
    });
  Value tensor = lowering.getTensor(node.getInput(input));
  Type element = node.getInputElement(input);
  bool batchFirst = node.getInt("layout", 0) != 0;
  AffineExpr which = b.getAffineConstantExpr(index), n = b.getAffineDimExpr(0), unit = b.getAffineDimExpr(1);
  SmallVector<AffineExpr> exprs =
      batchFirst ? SmallVector<AffineExpr>{n, which, unit} : SmallVector<AffineExpr>{which, n, unit};
  return lowering.pointwise(tensor, AffineMap::get(2, 0, exprs, b.getContext()), sizes, state,
                            [&](OpBuilder &inner, Location loc, ValueRange args) {
                              return convertElement(inner, loc, args[0], element, state);
                            });
}

/// [T, B, ...]: the first length[b] steps of each batch entry in reverse order, the others as they are.
Value Direction::reverseByLengths(Value tensor) {
  Sizes sizes = lowering.getSizes(tensor);
  Type element = cast<RankedTensorType>(tensor.getType()).getElementType();
  return lowering.pointwise({}, {}, sizes, element, [&](OpBuilder &inner, Location loc, ValueRange) -> Value {
    SmallVector<Value> at;
    for (size_t d = 0; d < sizes.size(); ++d)
      at.push_back(linalg::IndexOp::create(inner, loc, d));
    Value length = tensor::ExtractOp::create(inner, loc, lengthTensor, at[1]);
    length = arith::IndexCastOp::create(inner, loc, inner.getIndexType(), length);
    Value inside = arith::CmpIOp::create(inner, loc, arith::CmpIPredicate::slt, at[0], length);
    Value last = arith::SubIOp::create(inner, loc, length, arith::ConstantIndexOp::create(inner, loc, 1));
    Value mirrored = arith::SubIOp::create(inner, loc, last, at[0]);
    at[0] = arith::SelectOp::create(inner, loc, inside, mirrored, at[0]);
    return tensor::ExtractOp::create(inner, loc, tensor, at);
  });
}

/// Step t of [T, B, N] as [1, B, N].
Value Direction::stepSlice(Value tensor, Value t) {
  Sizes sizes = lowering.getSizes(tensor), offsets(3, s.constant(0)), strides(3, s.constant(1));
  offsets[0] = t;
  sizes[0] = s.constant(1);
  Value step = tensor::ExtractSliceOp::create(b, lowering.loc(), tensor, offsets, sizes, strides);
  lowering.setSizes(step, sizes);
  return step;
}

/// The loop's next value of a carried tensor: written into the buffer of the old one.
Value Direction::carry(Value next, Value into) {
  return bufferization::MaterializeInDestinationOp::create(b, lowering.loc(), into.getType(), next, into).getResult();
}

LogicalResult Direction::run(Value x, Value lengths) {
  lengthTensor = lengths;
  static constexpr StringRef lstmDefaults[] = {"Sigmoid", "Tanh", "Tanh"}, gruDefaults[] = {"Sigmoid", "Tanh"},
                             rnnDefaults[] = {"Tanh"};
  ArrayRef<StringRef> defaults = isLSTM  ? ArrayRef<StringRef>(lstmDefaults)
                                 : isGRU ? ArrayRef<StringRef>(gruDefaults)
                                         : ArrayRef<StringRef>(rnnDefaults);
  FailureOr<SmallVector<RecurrentActivation>> activations = getRecurrentActivations(node, index, defaults);
  if (failed(activations))
    return failure();
  functions = *activations;
  Sizes sizes = lowering.getSizes(x);
  Size steps = sizes[0];
  batch = sizes[1];
  if (isLSTM && node.hasInput(kPeepholes))
    for (int64_t p = 0; p < 3; ++p)
      peepholes.push_back(vector(kPeepholes, p * hidden, hidden));
  SmallVector<Value> biases;
  if (node.hasInput(kB)) {
    biases.push_back(vector(kB, 0, gates * hidden));
    if (!isGRU || node.getInt("linear_before_reset", 0) == 0)
      biases.push_back(vector(kB, gates * hidden, gates * hidden));
  }
  AffineMap xMap =
      AffineMap::get(4, 0, {b.getAffineDimExpr(0), b.getAffineDimExpr(1), b.getAffineDimExpr(3)}, b.getContext());
  Value xw = project(x, xMap, {steps, batch}, kW, 0, gates * hidden, biases, node.getInputElement(kX));
  if (reverse && lengthTensor)
    xw = reverseByLengths(xw);
  Type element = Lowering::signless(node.getInputElement(kX));
  SmallVector<Value> carried = {initialState(kInitialH)};
  if (isLSTM)
    carried.push_back(initialState(kInitialC));
  carried.push_back(lowering.empty({steps, batch, s.constant(hidden)}, element));
  Location loc = lowering.loc();
  Value count = s.value(steps), zero = s.value(s.constant(0)), one = s.value(s.constant(1));
  auto loop = scf::ForOp::create(b, loc, zero, count, one, carried);
  {
    RegionScope scope(lowering, loop.getBody());
    auto states = loop.getRegionIterArgs();
    for (auto [inner, outer] : llvm::zip(states, carried))
      lowering.setSizes(inner, lowering.getSizes(outer));
    Value t = loop.getInductionVar(), at = t;
    if (reverse && !lengthTensor)
      at = arith::SubIOp::create(b, loc, arith::SubIOp::create(b, loc, count, one), t);
    SmallVector<Value> next = cell(stepSlice(xw, at), states[0], isLSTM ? Value(states[1]) : Value(), t);
    Value out = next[2];
    if (element != state)
      out = lowering.pointwise(out, b.getMultiDimIdentityMap(2), {batch, s.constant(hidden)}, element,
                               [&](OpBuilder &inner, Location l, ValueRange args) {
                                 return convertElement(inner, l, args[0], state, element);
                               });
    Sizes step = {s.constant(1), batch, s.constant(hidden)}, offsets(3, s.constant(0)), strides(3, s.constant(1));
    offsets[0] = at;
    Value written =
        tensor::InsertSliceOp::create(b, loc, lowering.reshape(out, step), states.back(), offsets, step, strides);
    SmallVector<Value> yielded = {carry(next[0], states[0])};
    if (isLSTM)
      yielded.push_back(carry(next[1], states[1]));
    yielded.push_back(written);
    scf::YieldOp::create(b, loc, yielded);
  }
  for (auto [result, outer] : llvm::zip(loop.getResults(), carried))
    lowering.setSizes(result, lowering.getSizes(outer));
  lastH = loop.getResult(0);
  lastC = isLSTM ? loop.getResult(1) : Value();
  y = loop.getResults().back();
  if (reverse && lengthTensor)
    y = reverseByLengths(y);
  return success();
}

//===----------------------------------------------------------------------===//
// The operators
//===----------------------------------------------------------------------===//

/// Tensors of all directions, each [..., B, H], as one with a dimension for them at `axis`, then permuted.
static Value stack(Lowering &lowering, ArrayRef<Value> tensors, unsigned axis, ArrayRef<int64_t> perm, Type from,
                   Type to) {
  OpBuilder &b = lowering.b();
  SizeArithmetic &s = lowering.sizes();
  SmallVector<Value> parts;
  for (Value tensor : tensors) {
    Sizes sizes = lowering.getSizes(tensor);
    sizes.insert(sizes.begin() + axis, s.constant(1));
    parts.push_back(lowering.reshape(tensor, sizes));
  }
  Sizes sizes = lowering.getSizes(parts.front());
  Value joined = parts.front();
  if (parts.size() > 1) {
    sizes[axis] = s.constant(parts.size());
    Value out = lowering.empty(sizes, cast<RankedTensorType>(joined.getType()).getElementType());
    joined =
        leaf::ConcatOp::create(b, lowering.loc(), out.getType(), parts, out, b.getI64IntegerAttr(axis)).getResult();
    lowering.setSizes(joined, sizes);
  }
  if (llvm::is_sorted(perm) && from == to)
    return joined;
  Sizes permuted;
  SmallVector<AffineExpr> exprs(perm.size());
  for (auto [loop, d] : llvm::enumerate(perm)) {
    permuted.push_back(sizes[d]);
    exprs[d] = b.getAffineDimExpr(loop);
  }
  return lowering.pointwise(
      joined, AffineMap::get(perm.size(), 0, exprs, b.getContext()), permuted, to,
      [&](OpBuilder &inner, Location loc, ValueRange args) { return convertElement(inner, loc, args[0], from, to); });
}

static LogicalResult lowerRecurrent(Lowering &lowering, Node &node) {
  OpBuilder &b = lowering.b();
  for (unsigned input : {kW, kR, kB})
    if (node.hasInput(input) && !node.getInputType(input).hasStaticShape())
      return node.emitError() << "needs weights of static shape";
  StringRef direction = node.getString("direction", "forward");
  bool batchFirst = node.getInt("layout", 0) != 0;
  Value x = lowering.getTensor(node.getInput(kX));
  if (batchFirst) {
    Sizes sizes = lowering.getSizes(x);
    std::swap(sizes[0], sizes[1]);
    AffineMap swap =
        AffineMap::get(3, 0, {b.getAffineDimExpr(1), b.getAffineDimExpr(0), b.getAffineDimExpr(2)}, b.getContext());
    x = lowering.pointwise(x, swap, sizes, node.getInputElement(kX),
                           [](OpBuilder &, Location, ValueRange args) { return args[0]; });
  }
  Value lengths = node.hasInput(kLengths) ? lowering.getTensor(node.getInput(kLengths)) : Value();
  unsigned count = direction == "bidirectional" ? 2 : 1;
  if (node.getInputType(kW).getDimSize(0) != count)
    return node.emitError() << "has weights for " << node.getInputType(kW).getDimSize(0) << " directions, but is "
                            << direction;
  SmallVector<Value> ys, hs, cs;
  for (unsigned d = 0; d < count; ++d) {
    Direction one(lowering, node, d, direction == "reverse" || d == 1);
    if (failed(one.run(x, lengths)))
      return failure();
    ys.push_back(one.y);
    hs.push_back(one.lastH);
    cs.push_back(one.lastC);
  }
  Type element = Lowering::signless(node.getInputElement(kX)), state = computeType(node.getInputElement(kX));
  auto set = [&](unsigned i, Value value) { lowering.setTensor(node.getOperation()->getResult(i), value); };
  using Perm = SmallVector<int64_t>;
  if (node.hasResult(0))
    set(0, stack(lowering, ys, 1, batchFirst ? Perm{2, 0, 1, 3} : Perm{0, 1, 2, 3}, element, element));
  Perm statePerm = batchFirst ? Perm{1, 0, 2} : Perm{0, 1, 2};
  if (node.hasResult(1))
    set(1, stack(lowering, hs, 0, statePerm, state, element));
  if (node.hasResult(2))
    set(2, stack(lowering, cs, 0, statePerm, state, element));
  return success();
}

void leaf::onnxtolinalg::registerRecurrent(Registry &registry) {
  for (StringRef name : {"RNN", "GRU", "LSTM"})
    registry.add(name, lowerRecurrent);
}
