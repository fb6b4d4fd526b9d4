//===- ExpandDynamicQuantize.cpp - DynamicQuantizeLinear in smaller ops --------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Compress/Passes.h"
#include "leafcutter/Compress/Quantization.h"
#include "leafcutter/Transforms/Onnx.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"

namespace leaf {
#define GEN_PASS_DEF_EXPANDDYNAMICQUANTIZE
#include "leafcutter/Compress/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

static void expand(Operation *op) {
  OpBuilder b(op);
  Location loc = op->getLoc();
  Value x = op->getOperand(0);
  auto scalar = RankedTensorType::get({}, b.getF32Type());
  auto code = cast<RankedTensorType>(op->getResult(2).getType());
  auto create = [&](StringRef name, Type type, ValueRange operands,
                    std::initializer_list<std::pair<StringRef, Attribute>> attributes = {}) {
    return createOnnx(b, loc, name, type, operands, attributes)->getResult(0);
  };
  auto number = [&](double value) { return createScalar(b, loc, value); };
  Value none = createNoValue(b, loc);
  Value low = create("ReduceMin", scalar, {x, none}, {{"keepdims", b.getI64IntegerAttr(0)}});
  Value high = create("ReduceMax", scalar, {x, none}, {{"keepdims", b.getI64IntegerAttr(0)}});
  low = create("Min", scalar, {low, number(0)});
  high = create("Max", scalar, {high, number(0)});
  Value scale = create("Div", scalar, {create("Sub", scalar, {high, low}), number(255)});
  Type flag = RankedTensorType::get({}, b.getI1Type());
  Value empty = create("Equal", flag, {scale, number(0)});
  scale = create("Where", scalar, {empty, number(1), scale});
  Value zero = create("Round", scalar, create("Div", scalar, {create("Neg", scalar, low), scale}));
  zero = create("Min", scalar, {create("Max", scalar, {zero, number(0)}), number(255)});
  zero = create("Cast", code, zero, {{"to", b.getI64IntegerAttr(onnxElementType(code.getElementType()))}});
  Value codes = create("QuantizeLinear", op->getResult(0).getType(), {x, scale, zero});
  op->getResult(0).replaceAllUsesWith(codes);
  op->getResult(1).replaceAllUsesWith(scale);
  op->getResult(2).replaceAllUsesWith(zero);
  op->erase();
}

namespace {

struct ExpandDynamicQuantize : leaf::impl::ExpandDynamicQuantizeBase<ExpandDynamicQuantize> {
  using ExpandDynamicQuantizeBase::ExpandDynamicQuantizeBase;

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isOnnx(op, "DynamicQuantizeLinear"))
        ops.push_back(op);
    });
    for (Operation *op : ops)
      expand(op);
  }
};

} // namespace
