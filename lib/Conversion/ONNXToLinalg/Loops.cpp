//===- Loops.cpp - Loop and Scan -------------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Loops with a trip count. Each state lives in one buffer, which every iteration overwrites; a scanned output is
// written slice by slice.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "Slices.h"

#include "ONNX/ONNX.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::onnxtolinalg;

namespace {
/// An output that collects one slice per iteration.
struct Collected {
  unsigned axis = 0;
  bool reverse = false;
};

/// A loop over the body of `node`: states first, then collected outputs, both as the operator orders them.
class CountedLoop {
public:
  CountedLoop(Lowering &lowering, Node &node, Size trip, ArrayRef<Value> states, ArrayRef<Collected> collected,
              unsigned firstYield)
      : lowering(lowering), b(lowering.b()), s(lowering.sizes()), node(node), trip(trip), states(states),
        collected(collected), firstYield(firstYield) {}

  /// `bind` gives the body's arguments their values, from the iteration's number and the carried states.
  LogicalResult run(function_ref<LogicalResult(Value, ValueRange)> bind);

private:
  Value copy(Value tensor);
  FailureOr<SmallVector<Value>> makeInitial();
  LogicalResult emitBody(scf::ForOp loop, function_ref<LogicalResult(Value, ValueRange)> bind);
  FailureOr<Value> writeSlice(Value slice, Value into, const Collected &output, Value iteration);

  Lowering &lowering;
  OpBuilder &b;
  SizeArithmetic &s;
  Node &node;
  Size trip;
  ArrayRef<Value> states;
  ArrayRef<Collected> collected;
  unsigned firstYield; ///< yielded values before the states
};
} // namespace

/// A buffer of its own with the elements of `tensor`; an elementwise copy would be folded away.
Value CountedLoop::copy(Value tensor) {
  if (auto type = cast<RankedTensorType>(tensor.getType()); type.hasStaticShape())
    return bufferization::AllocTensorOp::create(b, lowering.loc(), type, ValueRange(), tensor).getResult();
  Sizes sizes = lowering.getSizes(tensor);
  Type element = cast<RankedTensorType>(tensor.getType()).getElementType();
  return lowering.pointwise(tensor, b.getMultiDimIdentityMap(sizes.size()), sizes, element,
                            [](OpBuilder &, Location, ValueRange args) { return args[0]; });
}

FailureOr<SmallVector<Value>> CountedLoop::makeInitial() {
  SmallVector<Value> initial;
  for (Value state : states)
    initial.push_back(copy(lowering.getTensor(state)));
  for (auto [i, output] : llvm::enumerate(collected)) {
    RankedTensorType type = node.getResultType(states.size() + i);
    Sizes sizes;
    for (int64_t size : type.getShape())
      sizes.push_back(s.constant(size));
    if (output.axis >= sizes.size())
      return node.emitError() << "collects output " << states.size() + i << " along axis " << output.axis
                              << " of a tensor of rank " << sizes.size();
    sizes[output.axis] = trip;
    for (Size size : sizes)
      if (constantOf(size) && *constantOf(size) < 0)
        return node.emitError() << "collects output " << states.size() + i
                                << " of open size; fix the model's open dimensions with --dim NAME=N";
    initial.push_back(lowering.empty(sizes, type.getElementType()));
  }
  return initial;
}

FailureOr<Value> CountedLoop::writeSlice(Value slice, Value into, const Collected &output, Value iteration) {
  Sizes sizes = lowering.getSizes(into), part = lowering.getSizes(slice);
  part.insert(part.begin() + output.axis, s.constant(1));
  if (part.size() != sizes.size())
    return node.emitError() << "yields a tensor of rank " << part.size() - 1 << " for an output of rank "
                            << sizes.size();
  Sizes offsets(sizes.size(), s.constant(0)), strides(sizes.size(), s.constant(1));
  Value last = s.value(s.sub(trip, s.constant(1)));
  offsets[output.axis] =
      output.reverse ? arith::SubIOp::create(b, lowering.loc(), last, iteration).getResult() : iteration;
  return tensor::InsertSliceOp::create(b, lowering.loc(), lowering.reshape(slice, part), into, offsets, part, strides)
      .getResult();
}

LogicalResult CountedLoop::emitBody(scf::ForOp loop, function_ref<LogicalResult(Value, ValueRange)> bind) {
  auto carried = loop.getRegionIterArgs();
  for (auto [inner, outer] : llvm::zip(carried, loop.getInitArgs()))
    lowering.setSizes(inner, lowering.getSizes(outer));
  SmallVector<Value> inner(carried.begin(), carried.begin() + states.size()), results, yielded;
  if (failed(bind(loop.getInductionVar(), inner)) ||
      failed(lowering.lowerRegion(node.getOperation()->getRegion(0), results)))
    return failure();
  // Everything that reads a state comes before any state is overwritten.
  ArrayRef<BlockArgument> outs = ArrayRef<BlockArgument>(carried).drop_front(states.size());
  SmallVector<Value> written, next;
  for (auto [i, into] : llvm::enumerate(outs)) {
    Value slice = results[firstYield + states.size() + i];
    FailureOr<Value> filled = writeSlice(slice, into, collected[i], loop.getInductionVar());
    if (failed(filled))
      return failure();
    written.push_back(*filled);
  }
  for (auto [i, into] : llvm::enumerate(inner)) {
    auto type = cast<RankedTensorType>(into.getType());
    Value result = results[firstYield + i];
    if (!tensor::CastOp::areCastCompatible(result.getType(), type))
      return node.emitError() << "changes state " << i << " from " << type << " to " << result.getType()
                              << "; only states of constant shape can be carried";
    bool isOther = result != into && llvm::is_contained(inner, getRoot(result));
    next.push_back(lowering.castTo(isOther ? copy(result) : result, type));
  }
  for (auto [result, into] : llvm::zip(next, inner))
    yielded.push_back(result == into ? into
                                     : bufferization::MaterializeInDestinationOp::create(b, lowering.loc(),
                                                                                         into.getType(), result, into)
                                           .getResult());
  llvm::append_range(yielded, written);
  scf::YieldOp::create(b, lowering.loc(), yielded);
  return success();
}

LogicalResult CountedLoop::run(function_ref<LogicalResult(Value, ValueRange)> bind) {
  FailureOr<SmallVector<Value>> initial = makeInitial();
  if (failed(initial))
    return failure();
  Value count = s.value(trip), zero = s.value(s.constant(0)), one = s.value(s.constant(1));
  s.value(s.sub(trip, s.constant(1)));
  auto loop = scf::ForOp::create(b, lowering.loc(), zero, count, one, *initial);
  {
    RegionScope scope(lowering, loop.getBody());
    if (failed(emitBody(loop, bind)))
      return failure();
  }
  for (auto [i, result] : llvm::enumerate(loop.getResults())) {
    lowering.setSizes(result, lowering.getSizes((*initial)[i]));
    if (node.hasResult(i))
      lowering.setTensor(node.getOperation()->getResult(i), result);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Loop
//===----------------------------------------------------------------------===//

/// True for a constant true, and for the body's own condition handed on.
static bool isAlwaysTrue(Value value, Block &body) {
  if (value == body.getArgument(1))
    return true;
  Operation *op = value.getDefiningOp();
  if (op && op->getName().getStringRef() == "onnx.Identity")
    return isAlwaysTrue(op->getOperand(0), body);
  auto constant = op ? dyn_cast_or_null<DenseElementsAttr>(op->getAttr("value")) : DenseElementsAttr();
  return constant && constant.getElementType().isInteger(1) && constant.isSplat() && constant.getSplatValue<bool>();
}

static LogicalResult lowerLoop(Lowering &lowering, Node &node) {
  Operation *op = node.getOperation();
  Block &body = op->getRegion(0).front();
  if (!node.hasInput(0))
    return node.emitError() << "runs until a condition holds, without a trip count; give it one";
  if (!isAlwaysTrue(body.getTerminator()->getOperand(0), body))
    return node.emitError() << "may end before its trip count, by a condition; only loops that run to their end are "
                               "supported";
  FailureOr<ShapeValue> count = lowering.readShapeValue(node, 0);
  if (failed(count))
    return failure();
  SizeArithmetic &s = lowering.sizes();
  Size trip = s.max(count->elements.front(), s.constant(0));
  if (node.hasInput(1) && !isAlwaysTrue(node.getInput(1), body)) {
    FailureOr<ShapeValue> starts = lowering.readShapeValue(node, 1);
    if (failed(starts))
      return failure();
    trip = s.select(starts->elements.front(), trip, s.constant(0));
  }
  SmallVector<Value> states(op->getOperands().drop_front(2));
  SmallVector<Collected> collected(op->getNumResults() - states.size());
  CountedLoop loop(lowering, node, trip, states, collected, /*firstYield=*/1);
  return loop.run([&](Value iteration, ValueRange carried) {
    lowering.setShapeValue(
        body.getArgument(0),
        {{iteration}, body.getArgument(0).getType() == RankedTensorType::get({}, lowering.b().getI64Type())});
    lowering.setShapeValue(body.getArgument(1), {{lowering.b().getBoolAttr(true)}, true});
    for (auto [argument, tensor] : llvm::zip(body.getArguments().drop_front(2), carried))
      lowering.setTensor(argument, tensor);
    return success();
  });
}

//===----------------------------------------------------------------------===//
// Scan
//===----------------------------------------------------------------------===//

static int64_t entryOf(ArrayRef<int64_t> list, size_t i) { return i < list.size() ? list[i] : 0; }

/// One position of dimension `axis` of `tensor`, without that dimension.
static Value takeSlice(Lowering &lowering, Value tensor, unsigned axis, Value position) {
  SizeArithmetic &s = lowering.sizes();
  Sizes sizes = lowering.getSizes(tensor), offsets(sizes.size(), s.constant(0)), strides(sizes.size(), s.constant(1));
  Sizes result = sizes;
  result.erase(result.begin() + axis);
  if (axis == 0) {
    sizes[0] = s.constant(1);
    offsets[0] = position;
    Value slice = tensor::ExtractSliceOp::create(lowering.b(), lowering.loc(), tensor, offsets, sizes, strides);
    lowering.setSizes(slice, sizes);
    return lowering.reshape(slice, result);
  }
  Type element = cast<RankedTensorType>(tensor.getType()).getElementType();
  return lowering.pointwise({}, {}, result, element, [&](OpBuilder &b, Location loc, ValueRange) -> Value {
    SmallVector<Value> at;
    for (size_t d = 0; d < result.size(); ++d)
      at.push_back(linalg::IndexOp::create(b, loc, d));
    at.insert(at.begin() + axis, position);
    return tensor::ExtractOp::create(b, loc, tensor, at);
  });
}

static LogicalResult lowerScan(Lowering &lowering, Node &node) {
  Operation *op = node.getOperation();
  Block &body = op->getRegion(0).front();
  SizeArithmetic &s = lowering.sizes();
  unsigned numInputs = node.getInt("num_scan_inputs", 0), numStates = op->getNumOperands() - numInputs;
  SmallVector<int64_t> inAxes = node.getInts("scan_input_axes"), outAxes = node.getInts("scan_output_axes"),
                       inDirections = node.getInts("scan_input_directions"),
                       outDirections = node.getInts("scan_output_directions");
  if (numInputs == 0 || numInputs > op->getNumOperands())
    return node.emitError() << "has " << numInputs << " scan inputs of " << op->getNumOperands() << " inputs";
  SmallVector<Value> inputs;
  SmallVector<unsigned> axes;
  std::optional<Size> trip;
  for (unsigned i = 0; i < numInputs; ++i) {
    inputs.push_back(lowering.getTensor(node.getInput(numStates + i)));
    Sizes sizes = lowering.getSizes(inputs.back());
    int64_t axis = entryOf(inAxes, i);
    axes.push_back(axis < 0 ? axis + sizes.size() : axis);
    FailureOr<Size> both = trip ? lowering.unify(node, *trip, sizes[axes.back()]) : FailureOr<Size>(sizes[axes.back()]);
    if (failed(both))
      return failure();
    trip = *both;
  }
  SmallVector<Collected> collected;
  for (unsigned i = numStates; i < op->getNumResults(); ++i) {
    int64_t axis = entryOf(outAxes, i - numStates);
    int64_t rank = node.getResultType(i).getRank();
    collected.push_back(
        {static_cast<unsigned>(axis < 0 ? axis + rank : axis), entryOf(outDirections, i - numStates) != 0});
  }
  SmallVector<Value> states(op->getOperands().take_front(numStates));
  Value last = s.value(s.sub(*trip, s.constant(1)));
  CountedLoop loop(lowering, node, *trip, states, collected, /*firstYield=*/0);
  return loop.run([&](Value iteration, ValueRange carried) {
    for (auto [argument, tensor] : llvm::zip(body.getArguments(), carried))
      lowering.setTensor(argument, tensor);
    for (unsigned i = 0; i < numInputs; ++i) {
      Value position = iteration;
      if (entryOf(inDirections, i) != 0)
        position = arith::SubIOp::create(lowering.b(), lowering.loc(), last, iteration);
      lowering.setTensor(body.getArgument(numStates + i), takeSlice(lowering, inputs[i], axes[i], position));
    }
    return success();
  });
}

void leaf::onnxtolinalg::registerLoops(Registry &registry) {
  registry.add("Loop", lowerLoop);
  registry.add("Scan", lowerScan);
}
