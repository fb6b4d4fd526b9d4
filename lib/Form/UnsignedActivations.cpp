//===- UnsignedActivations.cpp - activations as unsigned bytes ----------------===//
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
#define GEN_PASS_DEF_UNSIGNEDACTIVATIONS
#include "leafcutter/Form/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// Ops whose result is made of elements of operand 0 in a way that adding 128 to all does not change. MaxPool is none
/// where its border counts, but that is below every number of either type.
static bool movesElements(Operation *op) {
  static constexpr llvm::StringLiteral names[] = {"Reshape",   "Transpose", "Flatten",      "Squeeze",
                                                  "Unsqueeze", "Slice",     "DepthToSpace", "SpaceToDepth",
                                                  "Expand",    "Tile",      "MaxPool"};
  return llvm::is_contained(names, onnxName(op)) &&
         llvm::all_of(llvm::drop_begin(op->getResults()), [](Value result) { return result.use_empty(); });
}

namespace {
/// What hangs on one QuantizeLinear: values of bytes, and the DequantizeLinear ops that read them.
struct Reach {
  SmallVector<Value> values;
  SmallVector<Operation *> dequantizes;
};
} // namespace

static bool hasByteZero(Operation *op) {
  Value zero = onnxOperand(op, 2);
  return zero && isConstantValue(zero) && cast<TensorType>(zero.getType()).getElementType().isSignlessInteger(8) &&
         getHostConstant(zero);
}

/// Nothing where another op reads the bytes.
static std::optional<Reach> findReach(Operation *quantize) {
  Reach reach;
  reach.values.push_back(quantize->getResult(0));
  for (size_t i = 0; i < reach.values.size(); ++i)
    for (OpOperand &use : reach.values[i].getUses()) {
      Operation *user = use.getOwner();
      if (!isOnnx(user) || use.getOperandNumber() != 0)
        return std::nullopt;
      if (isOnnx(user, "DequantizeLinear") && hasByteZero(user))
        reach.dequantizes.push_back(user);
      else if (movesElements(user))
        reach.values.push_back(user->getResult(0));
      else
        return std::nullopt;
    }
  return reach;
}

/// The zero point, larger by 128, as unsigned bytes.
static void shiftZero(Operation *op) {
  OpBuilder b(op);
  HostTensor zero = *getHostConstant(op->getOperand(2));
  HostTensor shifted = HostTensor::make(
      RankedTensorType::get(zero.shape(), IntegerType::get(op->getContext(), 8, IntegerType::Unsigned)));
  for (int64_t i = 0; i < zero.size(); ++i)
    shifted.setInt(i, zero.getInt(i) + 128);
  op->setOperand(2, createConstant(b, op->getLoc(), shifted, "zero_point"));
}

namespace {
struct UnsignedActivations : leaf::impl::UnsignedActivationsBase<UnsignedActivations> {
  using UnsignedActivationsBase::UnsignedActivationsBase;

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isOnnx(op, "QuantizeLinear") && hasByteZero(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      std::optional<Reach> reach = findReach(op);
      if (!reach)
        continue;
      shiftZero(op);
      for (Operation *dequantize : reach->dequantizes)
        shiftZero(dequantize);
      Type element = IntegerType::get(&getContext(), 8, IntegerType::Unsigned);
      for (Value value : reach->values)
        value.setType(cast<TensorType>(value.getType()).clone(element));
      // An output_dtype of its own would contradict the zero point.
      op->removeAttr("output_dtype");
      ++numChanged;
    }
  }
};
} // namespace
