//===- GlobalPoolToReduce.cpp - global pooling as a reduction -----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Transforms/HostTensor.h"
#include "leafcutter/Transforms/Onnx.h"
#include "leafcutter/Transforms/Passes.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"

namespace leaf {
#define GEN_PASS_DEF_GLOBALPOOLTOREDUCE
#include "leafcutter/Transforms/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

namespace {

struct GlobalPoolToReduce : leaf::impl::GlobalPoolToReduceBase<GlobalPoolToReduce> {
  using GlobalPoolToReduceBase::GlobalPoolToReduceBase;

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isOnnx(op, "GlobalAveragePool") || isOnnx(op, "GlobalMaxPool"))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
      if (!type)
        continue;
      OpBuilder builder(op);
      Value axes = createInts(builder, op->getLoc(), llvm::to_vector(llvm::seq<int64_t>(2, type.getRank())));
      Operation *reduce =
          createOnnx(builder, op->getLoc(), isOnnx(op, "GlobalMaxPool") ? "ReduceMax" : "ReduceMean", type,
                     {op->getOperand(0), axes}, {{"keepdims", builder.getIntegerAttr(builder.getI64Type(), 1)}});
      op->getResult(0).replaceAllUsesWith(reduce->getResult(0));
      op->erase();
    }
  }
};

} // namespace
