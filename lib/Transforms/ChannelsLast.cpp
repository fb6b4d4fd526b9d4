//===- ChannelsLast.cpp - convolutions and pools to channels last -------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Transforms/Onnx.h"
#include "leafcutter/Transforms/Passes.h"
#include "leafcutter/Transforms/Shapes.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"

namespace leaf {
#define GEN_PASS_DEF_CHANNELSLAST
#include "leafcutter/Transforms/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// Only ops whose other results (the indices of MaxPool) are unused: those are defined by the NCHW order.
static bool isSpatialOp(Operation *op) {
  static constexpr llvm::StringLiteral names[] = {"AveragePool", "Conv",    "ConvInteger", "ConvTranspose",
                                                  "LRN",         "MaxPool", "RoiAlign"};
  if (!isOnnx(op) || !llvm::is_contained(names, onnxName(op)))
    return false;
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  return type && type.getRank() >= 3 && !op->hasAttr(leaf::onnx::kChannelsLast) &&
         llvm::all_of(llvm::drop_begin(op->getResults()), [](Value result) { return result.use_empty(); });
}

namespace {

struct ChannelsLast : leaf::impl::ChannelsLastBase<ChannelsLast> {
  using ChannelsLastBase::ChannelsLastBase;

  void convert(Operation *op) {
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    Permutation toLast = {0};
    for (int64_t d = 2; d < type.getRank(); ++d)
      toLast.push_back(d);
    toLast.push_back(1);
    OpBuilder builder(op);
    op->setOperand(0, createTranspose(builder, op->getLoc(), op->getOperand(0), toLast));
    op->setAttr(leaf::onnx::kChannelsLast, builder.getUnitAttr());
    op->getResult(0).setType(RankedTensorType::get(permute(type.getShape(), toLast), type.getElementType()));
    builder.setInsertionPointAfter(op);
    Value back = createTranspose(builder, op->getLoc(), op->getResult(0), inversePermutation(toLast));
    op->getResult(0).replaceAllUsesExcept(back, back.getDefiningOp());
    ++numConverted;
  }

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isSpatialOp(op))
        ops.push_back(op);
    });
    for (Operation *op : ops)
      convert(op);
  }
};

} // namespace
