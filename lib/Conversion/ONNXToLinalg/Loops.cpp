//===- Loops.cpp - Loop and Scan -------------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// The operators read into a LoopSpec; LoopBuilder makes the loop.
//
//===----------------------------------------------------------------------===//

#include "LoopBuilder.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::onnxtolinalg;

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
  SizeArithmetic &s = lowering.sizes();
  LoopSpec spec;
  if (node.hasInput(0)) {
    FailureOr<ShapeValue> count = lowering.readShapeValue(node, 0);
    if (failed(count))
      return failure();
    spec.trip = s.max(count->elements.front(), s.constant(0));
  }
  bool isCounted = isAlwaysTrue(body.getTerminator()->getOperand(0), body);
  std::optional<Size> starts;
  if (node.hasInput(1) && !isAlwaysTrue(node.getInput(1), body)) {
    FailureOr<ShapeValue> first = lowering.readShapeValue(node, 1);
    if (failed(first))
      return failure();
    starts = first->elements.front();
  }
  if (!isCounted)
    spec.condition = starts.value_or(Size(lowering.b().getBoolAttr(true)));
  else if (starts && spec.trip)
    spec.trip = s.select(*starts, *spec.trip, s.constant(0));
  spec.states.assign(op->operand_begin() + 2, op->operand_end());
  spec.collected.resize(op->getNumResults() - spec.states.size());
  spec.firstYield = 1;
  LoopBuilder loop(lowering, node, std::move(spec));
  return loop.run([&](Value iteration, ValueRange carried) {
    auto isScalar = [&](unsigned i) { return cast<RankedTensorType>(body.getArgument(i).getType()).getRank() == 0; };
    lowering.setShapeValue(body.getArgument(0), {{iteration}, isScalar(0)});
    lowering.setShapeValue(body.getArgument(1), {{lowering.b().getBoolAttr(true)}, isScalar(1)});
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
  LoopSpec spec;
  spec.trip = trip;
  for (unsigned i = numStates; i < op->getNumResults(); ++i) {
    int64_t axis = entryOf(outAxes, i - numStates);
    int64_t rank = node.getResultType(i).getRank();
    spec.collected.push_back(
        {static_cast<unsigned>(axis < 0 ? axis + rank : axis), entryOf(outDirections, i - numStates) != 0});
  }
  spec.states.assign(op->operand_begin(), op->operand_begin() + numStates);
  Value last = s.value(s.sub(*trip, s.constant(1)));
  LoopBuilder loop(lowering, node, std::move(spec));
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
