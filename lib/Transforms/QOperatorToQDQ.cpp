//===- QOperatorToQDQ.cpp - quantized operators as Q/DQ around float ones -----===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Transforms/Onnx.h"
#include "leafcutter/Transforms/Passes.h"

#include "ONNX/ONNX.h"

namespace leaf {
#define GEN_PASS_DEF_QOPERATORTOQDQ
#include "leafcutter/Transforms/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

namespace {

Type withElement(Value like, Type element) { return cast<TensorType>(like.getType()).clone(element); }

Type elementOf(Value value) { return cast<TensorType>(value.getType()).getElementType(); }

/// x as numbers; `axis` is where a scale of several elements runs along.
Value dequantize(OpBuilder &b, Location loc, Value x, Value scale, Value zero, int64_t axis) {
  Operation *op = createOnnx(b, loc, "DequantizeLinear", withElement(x, elementOf(scale)), {x, scale, zero},
                             {{"axis", b.getI64IntegerAttr(axis)}});
  return op->getResult(0);
}

void replaceByQuantized(OpBuilder &b, Operation *op, Value numbers, Value scale, Value zero) {
  Operation *quantized =
      createOnnx(b, op->getLoc(), "QuantizeLinear", op->getResult(0).getType(), {numbers, scale, zero});
  op->getResult(0).replaceAllUsesWith(quantized->getResult(0));
  op->erase();
}

int64_t rankOf(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type ? type.getRank() : 0;
}

/// Operands: a, its scale and zero point, b, its scale and zero point, scale and zero point of the result.
void convertMatMul(Operation *op) {
  OpBuilder b(op);
  Location loc = op->getLoc();
  Value lhs = dequantize(b, loc, op->getOperand(0), op->getOperand(1), op->getOperand(2),
                         std::max<int64_t>(rankOf(op->getOperand(0)) - 2, 0));
  Value rhs = dequantize(b, loc, op->getOperand(3), op->getOperand(4), op->getOperand(5),
                         std::max<int64_t>(rankOf(op->getOperand(3)) - 1, 0));
  Type type = withElement(op->getResult(0), elementOf(op->getOperand(1)));
  Value product = createOnnx(b, loc, "MatMul", type, {lhs, rhs})->getResult(0);
  replaceByQuantized(b, op, product, op->getOperand(6), op->getOperand(7));
}

/// Operands: x, its scale and zero point, w, its scale and zero point, scale and zero point of the result, bias. The
/// bias is in units of the product of both scales.
void convertConv(Operation *op) {
  OpBuilder b(op);
  Location loc = op->getLoc();
  Value data = dequantize(b, loc, op->getOperand(0), op->getOperand(1), op->getOperand(2), 1);
  Value weight = dequantize(b, loc, op->getOperand(3), op->getOperand(4), op->getOperand(5), 0);
  Value bias = onnxOperand(op, 8);
  if (bias) {
    Value scale =
        createOnnx(b, loc, "Mul", op->getOperand(4).getType(), {op->getOperand(1), op->getOperand(4)})->getResult(0);
    bias = dequantize(b, loc, bias, scale, createNoValue(b, loc), 0);
  } else {
    bias = createNoValue(b, loc);
  }
  Type type = withElement(op->getResult(0), elementOf(op->getOperand(1)));
  Value sum = createOnnx(b, loc, "Conv", type, {data, weight, bias}, op->getAttrs())->getResult(0);
  replaceByQuantized(b, op, sum, op->getOperand(6), op->getOperand(7));
}

struct QOperatorToQDQ : leaf::impl::QOperatorToQDQBase<QOperatorToQDQ> {
  using QOperatorToQDQBase::QOperatorToQDQBase;

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isOnnx(op, "QLinearConv") || isOnnx(op, "QLinearMatMul"))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      if (isOnnx(op, "QLinearConv"))
        convertConv(op);
      else
        convertMatMul(op);
      ++numConverted;
    }
  }
};

} // namespace
