//===- QuantizeWeights.cpp - weights in 8 bits or half precision ---------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "StoredWeights.h"

#include "leafcutter/Compress/Passes.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"

namespace leaf {
#define GEN_PASS_DEF_QUANTIZEWEIGHTS
#include "leafcutter/Compress/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

namespace {

struct QuantizeWeights : leaf::impl::QuantizeWeightsBase<QuantizeWeights> {
  using QuantizeWeightsBase::QuantizeWeightsBase;

  void runOnOperation() override {
    Builder builder(&getContext());
    Type stored = llvm::StringSwitch<Type>(type)
                      .Case("int8", builder.getI8Type())
                      .Case("float16", builder.getF16Type())
                      .Case("bfloat16", builder.getBF16Type())
                      .Default({});
    if (!stored) {
      getOperation()->emitError() << "weights are stored as int8, float16 or bfloat16, not '" << type << "'";
      return signalPassFailure();
    }
    numWeights += storeWeights(getOperation(), stored, [](const StoredWeight &) { return true; });
  }
};

} // namespace
