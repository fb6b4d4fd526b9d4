//===- StaticPlan.cpp - which values static quantization quantizes -------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Compress/StaticPlan.h"

#include "leafcutter/Transforms/CoreOps.h"
#include "leafcutter/Transforms/Onnx.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"
#include <cmath>
#include <limits>

using namespace mlir;

namespace leaf {

/// How far comesFromConvolution looks.
static constexpr unsigned kMaxDepth = 8;

Value StaticPlan::representative(Value value) const {
  for (auto next = sharesWith.find(value); next != sharesWith.end(); next = sharesWith.find(value))
    value = next->second;
  return value;
}

static bool isFloatActivation(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getElementType().isF32() && !isConstantValue(value);
}

/// Operands that `op` passes on, moved or chosen from, each element as it is. Empty for other ops.
static SmallVector<unsigned> movedOperands(Operation *op) {
  static constexpr StringLiteral single[] = {"DepthToSpace", "Expand",  "Flatten",   "Gather",       "Identity",
                                             "MaxPool",      "Reshape", "Slice",     "SpaceToDepth", "Split",
                                             "Squeeze",      "Tile",    "Transpose", "Unsqueeze"};
  if (!isOnnx(op))
    return {};
  SmallVector<unsigned> operands;
  if (isOnnx(op, "Concat")) {
    for (unsigned i = 0; i < op->getNumOperands(); ++i)
      operands.push_back(i);
  } else if (llvm::is_contained(single, onnxName(op))) {
    operands.push_back(0);
  } else if (isOnnx(op, "Resize") && stringAttr(op, "mode", "nearest") == "nearest") {
    operands.push_back(0);
  } else if (isOnnx(op, "Pad") && stringAttr(op, "mode", "constant") != "constant") {
    operands.push_back(0);
  } else if (isOnnx(op, "Pad")) {
    Value fill = onnxOperand(op, 2);
    std::optional<HostTensor> value = fill ? getHostConstant(fill) : std::nullopt;
    if (!fill || (value && value->size() == 1 && value->getNumber(0) == 0))
      operands.push_back(0);
  }
  bool isMaxPoolWithIndices = isOnnx(op, "MaxPool") && op->getNumResults() > 1 && !op->getResult(1).use_empty();
  if (isMaxPoolWithIndices || !llvm::all_of(operands, [&](unsigned i) { return isFloatActivation(op->getOperand(i)); }))
    return {};
  return operands;
}

bool comesFromConvolution(Value value) {
  SmallVector<std::pair<Value, unsigned>> open = {{value, 0}};
  while (!open.empty()) {
    auto [current, depth] = open.pop_back_val();
    Operation *op = current.getDefiningOp();
    if (!op || depth > kMaxDepth)
      continue;
    if (isOnnx(op, "Conv") || isOnnx(op, "ConvTranspose"))
      return true;
    bool looksThrough = isElementwiseOp(op->getName()) || !movedOperands(op).empty();
    for (Value operand : looksThrough ? op->getOperands() : OperandRange(op->getOperands().take_front(0)))
      if (isFloatActivation(operand))
        open.emplace_back(operand, depth + 1);
  }
  return false;
}

/// Means over a convolution's pixels: summed in integers, its operand need not be written in float.
static bool isPool(Operation *op) {
  return (isOnnx(op, "AveragePool") || isOnnx(op, "GlobalAveragePool") || isOnnx(op, "ReduceMean")) &&
         isFloatActivation(op->getOperand(0)) && comesFromConvolution(op->getOperand(0));
}

namespace {

class Planner {
public:
  explicit Planner(StaticPlan &plan) : plan(plan) {}

  void want(Value value) {
    if (plan.values.insert(value))
      open.push_back(value);
  }

  /// What wanted values are moved from is wanted too.
  void run() {
    while (!open.empty())
      visit(open.pop_back_val());
  }

private:
  void visit(Value value) {
    Operation *op = value.getDefiningOp();
    SmallVector<unsigned> operands = op ? movedOperands(op) : SmallVector<unsigned>();
    if (operands.empty() || isKeptFloat(op))
      return;
    plan.movers.insert(op);
    for (unsigned i : operands) {
      want(op->getOperand(i));
      share(op->getOperand(i), value);
    }
    // All parts of a Split are read from the same quantized value.
    for (Value result : op->getResults())
      if (result != value && plan.values.contains(result))
        share(result, value);
  }

  void share(Value a, Value b) {
    a = plan.representative(a);
    b = plan.representative(b);
    if (a != b)
      plan.sharesWith[b] = a;
  }

  StaticPlan &plan;
  SmallVector<Value> open;
};

} // namespace

StaticPlan planStatic(ModuleOp module) {
  StaticPlan plan;
  Planner planner(plan);
  for (const Layer &layer : collectLayers(module)) {
    if (isKeptFloat(layer.op))
      continue;
    plan.layers.push_back(layer);
    for (unsigned i : layer.data)
      planner.want(layer.op->getOperand(i));
  }
  planner.run();
  func::FuncOp main = getEntry(module);
  if (plan.layers.empty() || !main)
    return plan;
  for (Operation &op : main.front())
    if (isPool(&op) && !isKeptFloat(&op)) {
      plan.movers.insert(&op);
      planner.want(op.getOperand(0));
    }
  planner.run();
  return plan;
}

/// `leaf.ranges` of what computes the value.
static DenseF64ArrayAttr rangesOf(Value value) {
  if (Operation *op = value.getDefiningOp())
    return op->getAttrOfType<DenseF64ArrayAttr>(attrs::kRanges);
  auto argument = cast<BlockArgument>(value);
  auto main = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
  return main ? main.getArgAttrOfType<DenseF64ArrayAttr>(argument.getArgNumber(), attrs::kRanges) : DenseF64ArrayAttr();
}

static unsigned numberOf(Value value) {
  auto result = dyn_cast<OpResult>(value);
  return result ? result.getResultNumber() : 0;
}

std::optional<std::pair<double, double>> getRange(Value value) {
  DenseF64ArrayAttr ranges = rangesOf(value);
  size_t at = 2 * size_t(numberOf(value));
  if (!ranges || size_t(ranges.size()) < at + 2 || !std::isfinite(ranges[at]) || !std::isfinite(ranges[at + 1]) ||
      ranges[at] > ranges[at + 1])
    return std::nullopt;
  return std::pair(ranges[at], ranges[at + 1]);
}

void setRange(Value value, double low, double high) {
  auto argument = dyn_cast<BlockArgument>(value);
  size_t results = argument ? 1 : value.getDefiningOp()->getNumResults();
  SmallVector<double> ranges(2 * results, std::numeric_limits<double>::quiet_NaN());
  if (DenseF64ArrayAttr known = rangesOf(value); known && size_t(known.size()) == ranges.size())
    ranges.assign(known.asArrayRef().begin(), known.asArrayRef().end());
  ranges[2 * numberOf(value)] = low;
  ranges[2 * numberOf(value) + 1] = high;
  auto attr = DenseF64ArrayAttr::get(value.getContext(), ranges);
  if (argument)
    cast<func::FuncOp>(argument.getOwner()->getParentOp()).setArgAttr(argument.getArgNumber(), attrs::kRanges, attr);
  else
    value.getDefiningOp()->setAttr(attrs::kRanges, attr);
}

GroupRanges groupRanges(const StaticPlan &plan) {
  GroupRanges groups;
  for (Value value : plan.values) {
    std::optional<std::pair<double, double>> range = getRange(value);
    if (!range)
      continue;
    auto [group, first] = groups.try_emplace(plan.representative(value), *range);
    group->second.first = std::min(group->second.first, range->first);
    group->second.second = std::max(group->second.second, range->second);
  }
  return groups;
}

} // namespace leaf
