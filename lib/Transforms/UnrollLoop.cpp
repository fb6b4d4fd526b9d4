//===- UnrollLoop.cpp - onnx.Loop, iteration by iteration ----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "UnrollLoop.h"

#include "leafcutter/Transforms/HostTensor.h"
#include "leafcutter/Transforms/Onnx.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace leaf;

/// Ops that all iterations together may be; beyond it, code would take forever to compile.
static constexpr int64_t kMaxUnrolledOps = 100000;

bool leaf::isAlwaysTrue(Value value, Block &body) {
  if (value == body.getArgument(1))
    return true;
  Operation *op = value.getDefiningOp();
  if (op && isOnnx(op, "Identity"))
    return isAlwaysTrue(op->getOperand(0), body);
  std::optional<HostTensor> constant = getHostConstant(value);
  return constant && constant->size() == 1 && constant->getInt(0) != 0;
}

static int64_t countOps(Block &block) {
  int64_t count = 0;
  block.walk([&](Operation *) { ++count; });
  return count;
}

/// How often the loop runs, where that is known.
static std::optional<int64_t> getTripCount(Operation *loop) {
  Block &body = loop->getRegion(0).front();
  Value trip = onnxOperand(loop, 0), starts = onnxOperand(loop, 1);
  std::optional<HostTensor> count = trip ? getHostConstant(trip) : std::nullopt;
  if (!count || count->size() != 1 || !isAlwaysTrue(body.getTerminator()->getOperand(0), body))
    return std::nullopt;
  std::optional<HostTensor> first = starts ? getHostConstant(starts) : std::nullopt;
  if (starts && (!first || first->size() != 1))
    return std::nullopt;
  return first && first->getInt(0) == 0 ? 0 : std::max<int64_t>(count->getInt(0), 0);
}

static Value createScalar(OpBuilder &builder, Location loc, BlockArgument like, int64_t value) {
  auto type = dyn_cast<RankedTensorType>(like.getType());
  bool isVector = type && type.getRank() == 1;
  auto scalar = RankedTensorType::get(isVector ? ArrayRef<int64_t>(1) : ArrayRef<int64_t>(),
                                      cast<TensorType>(like.getType()).getElementType());
  return createConstant(builder, loc, HostTensor::ofInts(scalar, value), "iteration");
}

/// The slices of a collected output, stacked.
static Value stack(OpBuilder &builder, Location loc, ArrayRef<Value> slices, Type type) {
  Type unranked = UnrankedTensorType::get(cast<TensorType>(type).getElementType());
  Value axes = createInts(builder, loc, {0});
  SmallVector<Value> rows;
  for (Value slice : slices)
    rows.push_back(createOnnx(builder, loc, "Unsqueeze", unranked, {slice, axes})->getResult(0));
  return createOnnx(builder, loc, "Concat", type, rows, {{"axis", builder.getI64IntegerAttr(0)}})->getResult(0);
}

Operation *leaf::unrollLoop(Operation *loop) {
  Block &body = loop->getRegion(0).front();
  std::optional<int64_t> trip = getTripCount(loop);
  unsigned numStates = loop->getNumOperands() - 2;
  bool collects = loop->getNumResults() > numStates;
  if (!trip || (collects && *trip == 0) || *trip * countOps(body) > kMaxUnrolledOps)
    return nullptr;
  OpBuilder builder(loop);
  Location loc = loop->getLoc();
  Operation *before = loop->getPrevNode();
  SmallVector<Value> states(loop->getOperands().drop_front(2));
  SmallVector<SmallVector<Value>> collected(loop->getNumResults() - numStates);
  for (int64_t i = 0; i < *trip; ++i) {
    IRMapping map;
    map.map(body.getArgument(0), createScalar(builder, loc, body.getArgument(0), i));
    map.map(body.getArgument(1), createScalar(builder, loc, body.getArgument(1), 1));
    map.map(body.getArguments().drop_front(2), states);
    for (Operation &op : body.without_terminator())
      builder.clone(op, map);
    OperandRange yielded = body.getTerminator()->getOperands().drop_front();
    for (auto [state, value] : llvm::zip(states, yielded))
      state = map.lookupOrDefault(value);
    for (auto [slices, value] : llvm::zip(collected, yielded.drop_front(numStates)))
      slices.push_back(map.lookupOrDefault(value));
  }
  for (auto [slices, result] : llvm::zip(collected, loop->getResults().drop_front(numStates)))
    states.push_back(isa<NoneType>(result.getType()) ? createNoValue(builder, loc)
                                                     : stack(builder, loc, slices, result.getType()));
  loop->replaceAllUsesWith(states);
  Operation *first = before ? before->getNextNode() : &loop->getBlock()->front();
  if (first == loop)
    first = loop->getNextNode();
  loop->erase();
  return first;
}
