//===- CanonicalizeONNX.cpp - one spelling for ops that move nothing ----------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Transforms/CoreOps.h"
#include "leafcutter/Transforms/HostTensor.h"
#include "leafcutter/Transforms/Onnx.h"
#include "leafcutter/Transforms/Passes.h"
#include "leafcutter/Transforms/Shapes.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"
#include <cmath>

namespace leaf {
#define GEN_PASS_DEF_CANONICALIZEONNX
#include "leafcutter/Transforms/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

static RankedTensorType staticType(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape() ? type : RankedTensorType();
}

/// Integer constant operand; nothing when it is absent or no constant.
static std::optional<SmallVector<int64_t>> intsOperand(Operation *op, unsigned i) {
  Value operand = onnxOperand(op, i);
  std::optional<HostTensor> value = operand ? getHostConstant(operand) : std::nullopt;
  return value ? value->ints() : std::nullopt;
}

/// Whether a Slice whose result has its operand's static type keeps the order: no step is negative.
static bool sliceKeepsOrder(Operation *op) {
  if (!onnxOperand(op, 4))
    return true;
  std::optional<SmallVector<int64_t>> steps = intsOperand(op, 4);
  return steps && llvm::all_of(*steps, [](int64_t step) { return step > 0; });
}

/// The operand that an elementwise op leaves as it is because the other one is neutral: x * 1, x / 1, max(x, -inf),
/// min(x, inf). Exact for every x; x + 0 is not (-0).
static Value besideNeutral(Operation *op) {
  StringRef name = onnxName(op);
  if (op->getNumOperands() != 2 || (name != "Mul" && name != "Div" && name != "Max" && name != "Min"))
    return {};
  double neutral = name == "Max" ? -HUGE_VAL : name == "Min" ? HUGE_VAL : 1;
  for (unsigned i : {1, 0}) {
    auto type = dyn_cast<RankedTensorType>(op->getOperand(i).getType());
    if ((name == "Div" && i == 0) || !type || !type.hasStaticShape() || type.getNumElements() != 1 ||
        op->getOperand(1 - i).getType() != op->getResult(0).getType())
      continue;
    std::optional<HostTensor> value = getHostConstant(op->getOperand(i));
    if (value && value->getNumber(0) == neutral)
      return op->getOperand(1 - i);
  }
  return {};
}

/// The operand that the only used result of `op` equals, or null.
static Value equalOperand(Operation *op) {
  StringRef name = onnxName(op);
  if (op->getNumOperands() == 0)
    return {};
  Value input = op->getOperand(0);
  if (name == "Identity")
    return input;
  if (name == "Dropout") {
    // Inference: the ratio is ignored, the mask (all true) must be unused.
    Value training = onnxOperand(op, 2);
    std::optional<SmallVector<int64_t>> mode = intsOperand(op, 2);
    bool infers = !training || (mode && mode->size() == 1 && mode->front() == 0);
    return infers && (op->getNumResults() < 2 || op->getResult(1).use_empty()) ? input : Value();
  }
  if (op->getNumResults() != 1)
    return {};
  if (name == "Cast" || name == "CastLike")
    return input.getType() == op->getResult(0).getType() ? input : Value();
  if ((name == "Concat" || name == "Sum" || name == "Max" || name == "Min" || name == "Mean") &&
      op->getNumOperands() == 1)
    return input;
  if (Value operand = besideNeutral(op))
    return operand;
  if (name == "Transpose") {
    auto type = dyn_cast<RankedTensorType>(input.getType());
    return type && isIdentityPermutation(permutationOf(op, type.getRank())) ? input : Value();
  }
  // These keep the row-major order of the elements, so that equal static shapes are equal values.
  bool keepsOrder = name == "Reshape" || name == "Flatten" || name == "Squeeze" || name == "Unsqueeze" ||
                    name == "Expand" || (name == "Slice" && sliceKeepsOrder(op)) || name == "Tile";
  return keepsOrder && staticType(input) && input.getType() == op->getResult(0).getType() ? input : Value();
}

/// Flatten, Squeeze and Unsqueeze between static shapes become Reshape, the one op for regrouping.
static bool toReshape(Operation *op) {
  StringRef name = onnxName(op);
  if (name != "Flatten" && name != "Squeeze" && name != "Unsqueeze")
    return false;
  RankedTensorType type = staticType(op->getResult(0));
  if (!type || !staticType(op->getOperand(0)))
    return false;
  OpBuilder builder(op);
  op->getResult(0).replaceAllUsesWith(createReshape(builder, op->getLoc(), op->getOperand(0), type.getShape()));
  op->erase();
  return true;
}

/// Reshape(Reshape(x)) is Reshape(x) where the outer shape is static.
static bool mergeReshapes(Operation *op) {
  if (!isOnnx(op, "Reshape") || !staticType(op->getResult(0)))
    return false;
  Operation *inner = op->getOperand(0).getDefiningOp();
  if (!inner || !isOnnx(inner, "Reshape"))
    return false;
  OpBuilder builder(op);
  Value merged = createReshape(builder, op->getLoc(), inner->getOperand(0), staticType(op->getResult(0)).getShape());
  op->getResult(0).replaceAllUsesWith(merged);
  op->erase();
  if (inner->use_empty())
    inner->erase();
  return true;
}

/// A reduction without kept dimensions that is reshaped to have them keeps them itself.
static bool keepReducedDims(Operation *op) {
  if (!isOnnx(op, "Reshape"))
    return false;
  Operation *reduce = op->getOperand(0).getDefiningOp();
  if (!reduce || !isOnnx(reduce) || !onnxName(reduce).starts_with("Reduce") || !reduce->hasOneUse() ||
      intAttr(reduce, "keepdims", 1) != 0)
    return false;
  RankedTensorType in = staticType(reduce->getOperand(0)), out = staticType(op->getResult(0));
  std::optional<SmallVector<int64_t>> axes = intsOperand(reduce, 1);
  if (!in || !out || !axes || axes->empty())
    return false;
  SmallVector<int64_t> kept(in.getShape());
  for (int64_t axis : *axes)
    kept[axis < 0 ? axis + in.getRank() : axis] = 1;
  if (ArrayRef<int64_t>(kept) != out.getShape())
    return false;
  OpBuilder builder(reduce);
  reduce->setAttr("keepdims", builder.getIntegerAttr(builder.getI64Type(), 1));
  reduce->getResult(0).setType(out);
  op->getResult(0).replaceAllUsesWith(reduce->getResult(0));
  op->erase();
  return true;
}

/// An elementwise op broadcasts by itself: an Expand before it goes when its other operands give the shape.
static bool dropExpands(Operation *op) {
  RankedTensorType result = op->getNumResults() == 1 ? staticType(op->getResult(0)) : RankedTensorType();
  if (!result || !isElementwiseOp(op->getName()) || op->getNumOperands() < 2)
    return false;
  bool changed = false;
  for (OpOperand &operand : op->getOpOperands()) {
    Operation *expand = operand.get().getDefiningOp();
    if (!expand || !isOnnx(expand, "Expand") || !staticType(expand->getOperand(0)))
      continue;
    SmallVector<int64_t> shape(staticType(expand->getOperand(0)).getShape());
    bool known = true;
    for (OpOperand &other : op->getOpOperands()) {
      if (other.getOperandNumber() == operand.getOperandNumber() || isNoValue(other.get()))
        continue;
      RankedTensorType type = staticType(other.get());
      std::optional<SmallVector<int64_t>> wider = type ? broadcast(shape, type.getShape()) : std::nullopt;
      known &= wider.has_value();
      shape = wider.value_or(shape);
    }
    if (!known || ArrayRef<int64_t>(shape) != result.getShape())
      continue;
    operand.set(expand->getOperand(0));
    changed = true;
  }
  return changed;
}

/// A Concat of all parts of a Split, side by side and along the same axis, takes what was split.
static bool joinSplits(Operation *op) {
  auto axisOf = [](Operation *node, int64_t fallback) {
    auto type = dyn_cast<RankedTensorType>(node->getOperand(0).getType());
    auto attr = node->getAttrOfType<IntegerAttr>("axis");
    int64_t axis = attr ? attr.getInt() : fallback;
    return type && axis < 0 ? axis + type.getRank() : axis;
  };
  if (!isOnnx(op, "Concat"))
    return false;
  for (auto [first, operand] : llvm::enumerate(op->getOperands())) {
    Operation *split = operand.getDefiningOp();
    if (!split || !isOnnx(split, "Split") || axisOf(split, 0) != axisOf(op, -1))
      continue;
    SmallVector<Value> operands(op->getOperands());
    unsigned count = split->getNumResults();
    if (operands.size() - first < count || !llvm::equal(ArrayRef(operands).slice(first, count), split->getResults()))
      continue;
    operands.erase(operands.begin() + first + 1, operands.begin() + first + count);
    operands[first] = split->getOperand(0);
    op->setOperands(operands);
    return true;
  }
  return false;
}

namespace {
struct CanonicalizeONNX : leaf::impl::CanonicalizeONNXBase<CanonicalizeONNX> {
  using CanonicalizeONNXBase::CanonicalizeONNXBase;

  /// Rewrites `op`; false when nothing applies. A rewrite may erase `op` and ops before it.
  bool rewrite(Operation *op) {
    if (Value equal = equalOperand(op); equal && !op->getResult(0).use_empty()) {
      // The entry's result types are fixed: a more specific operand must not change them.
      if (equal.getType() != op->getResult(0).getType())
        return false;
      op->getResult(0).replaceAllUsesWith(equal);
      op->erase();
      ++numRemoved;
      return true;
    }
    return toReshape(op) || mergeReshapes(op) || keepReducedDims(op) || dropExpands(op) || joinSplits(op);
  }

  void runOnOperation() override {
    // Each rewrite removes an op, an operand or an edge through an Expand, or turns a Flatten, Squeeze or Unsqueeze
    // into a Reshape.
    for (bool changed = true; changed;) {
      changed = false;
      getOperation()->walk([&](Block *block) {
        for (Operation &op : llvm::make_early_inc_range(*block))
          if (isOnnx(&op))
            changed |= rewrite(&op);
      });
      removeDeadOps(getOperation());
    }
  }
};
} // namespace
