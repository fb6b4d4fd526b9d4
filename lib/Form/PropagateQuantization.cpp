//===- PropagateQuantization.cpp - bytes are moved, not numbers ---------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Form/Passes.h"
#include "leafcutter/Transforms/HostTensor.h"
#include "leafcutter/Transforms/Onnx.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"

namespace leaf {
#define GEN_PASS_DEF_PROPAGATEQUANTIZATION
#include "leafcutter/Form/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// Ops whose result is made of elements of operand 0, whatever these mean; MaxPool keeps their order.
static bool movesElements(Operation *op) {
  static constexpr llvm::StringLiteral names[] = {"Reshape",      "Transpose", "Flatten", "Squeeze",
                                                  "Unsqueeze",    "Slice",     "Gather",  "DepthToSpace",
                                                  "SpaceToDepth", "Expand",    "Tile",    "MaxPool"};
  return isOnnx(op) && llvm::is_contained(names, onnxName(op)) &&
         llvm::all_of(llvm::drop_begin(op->getResults()), [](Value result) { return result.use_empty(); });
}

/// The one number of a constant with equal elements.
static std::optional<double> splatOf(Value value) {
  std::optional<HostTensor> tensor = value && isConstantValue(value) ? getHostConstant(value) : std::nullopt;
  if (!tensor || tensor->size() == 0 || tensor->size() > 1)
    return std::nullopt;
  return tensor->getNumber(0);
}

/// A quantization to, or from, bytes by one positive scale and one zero point.
static bool isPerTensor(Operation *op, StringRef name) {
  if (!op || !isOnnx(op, name) || intAttr(op, "block_size", 0) != 0)
    return false;
  Type bytes = cast<TensorType>(name == "QuantizeLinear" ? op->getResult(0).getType() : op->getOperand(0).getType())
                   .getElementType();
  std::optional<double> scale = splatOf(onnxOperand(op, 1));
  Value zero = onnxOperand(op, 2);
  return (bytes.isInteger(8) || bytes.isInteger(16)) && scale && *scale > 0 && (!zero || splatOf(zero));
}

static bool haveSameParameters(Operation *a, Operation *b) {
  auto zeroOf = [](Operation *op) {
    Value zero = onnxOperand(op, 2);
    return zero ? *splatOf(zero) : 0.0;
  };
  return *splatOf(onnxOperand(a, 1)) == *splatOf(onnxOperand(b, 1)) && zeroOf(a) == zeroOf(b);
}

/// A copy of `op` on other operands, whose first result has elements of type `element`.
static Operation *copyWith(OpBuilder &b, Operation *op, ArrayRef<Value> operands, Type element) {
  SmallVector<Type> types(op->getResultTypes());
  types[0] = cast<TensorType>(types[0]).clone(element);
  OperationState state(op->getLoc(), op->getName().getStringRef(), operands, types, op->getAttrs());
  return b.create(state);
}

/// A copy of quantization `op` on `input`.
static Value quantizeLike(OpBuilder &b, Operation *op, Value input) {
  Type element = cast<TensorType>(op->getResult(0).getType()).getElementType();
  SmallVector<Value> operands(op->getOperands());
  operands[0] = input;
  OperationState state(op->getLoc(), op->getName().getStringRef(), operands,
                       Type(cast<TensorType>(input.getType()).clone(element)), op->getAttrs());
  return b.create(state)->getResult(0);
}

static void replace(Operation *op, Value value) {
  op->getResult(0).replaceAllUsesWith(value);
  op->erase();
}

/// move(dequantize(q)) becomes dequantize(move(q)).
static bool sinkDequantize(Operation *op) {
  Operation *dequantize = op->getNumOperands() ? op->getOperand(0).getDefiningOp() : nullptr;
  if (!movesElements(op) || !isPerTensor(dequantize, "DequantizeLinear") || isConstantValue(dequantize->getOperand(0)))
    return false;
  OpBuilder b(op);
  SmallVector<Value> operands(op->getOperands());
  operands[0] = dequantize->getOperand(0);
  Type bytes = cast<TensorType>(operands[0].getType()).getElementType();
  Value moved = copyWith(b, op, operands, bytes)->getResult(0);
  replace(op, quantizeLike(b, dequantize, moved));
  if (dequantize->use_empty())
    dequantize->erase();
  return true;
}

/// quantize(move(x)) becomes move(quantize(x)), and quantize(concat(x, y)) concat(quantize(x), quantize(y)).
static bool hoistQuantize(Operation *op) {
  if (!isPerTensor(op, "QuantizeLinear"))
    return false;
  Operation *above = op->getOperand(0).getDefiningOp();
  bool isConcat = above && isOnnx(above, "Concat");
  if (!above || !above->getResult(0).hasOneUse() || (!isConcat && !movesElements(above)))
    return false;
  OpBuilder b(op);
  SmallVector<Value> operands(above->getOperands());
  for (Value &operand : MutableArrayRef<Value>(operands).take_front(isConcat ? operands.size() : 1))
    operand = quantizeLike(b, op, operand);
  Type bytes = cast<TensorType>(op->getResult(0).getType()).getElementType();
  replace(op, copyWith(b, above, operands, bytes)->getResult(0));
  above->erase();
  return true;
}

/// quantize(dequantize(q)) with the same parameters is q.
static bool cancel(Operation *op) {
  if (!isPerTensor(op, "QuantizeLinear"))
    return false;
  Operation *dequantize = op->getOperand(0).getDefiningOp();
  if (!isPerTensor(dequantize, "DequantizeLinear") || !haveSameParameters(op, dequantize) ||
      dequantize->getOperand(0).getType() != op->getResult(0).getType())
    return false;
  replace(op, dequantize->getOperand(0));
  if (dequantize->use_empty())
    dequantize->erase();
  return true;
}

namespace {
struct PropagateQuantization : leaf::impl::PropagateQuantizationBase<PropagateQuantization> {
  using PropagateQuantizationBase::PropagateQuantizationBase;

  /// Rewrites until nothing changes: dequantizations only go down and quantizations only up, so that this ends. Ops
  /// that a rewrite makes come into the list of the next round.
  void runOnOperation() override {
    for (bool changed = true; changed;) {
      SmallVector<Operation *> quantizations, movements;
      getOperation()->walk([&](Operation *op) {
        if (isOnnx(op, "QuantizeLinear"))
          quantizations.push_back(op);
        else if (movesElements(op))
          movements.push_back(op);
      });
      changed = false;
      // Each rewrite erases the op that it is given and ops that are in the other list, or in none.
      for (Operation *op : quantizations)
        changed |= note(cancel(op) || hoistQuantize(op));
      if (changed)
        continue;
      for (Operation *op : movements)
        changed |= note(sinkDequantize(op));
    }
  }

  bool note(bool moved) {
    numMoved += moved;
    return moved;
  }
};
} // namespace
