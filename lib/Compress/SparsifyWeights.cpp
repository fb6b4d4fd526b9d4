//===- SparsifyWeights.cpp - the smallest weights become zero -------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Compress/Passes.h"
#include "leafcutter/Compress/Quantization.h"
#include "leafcutter/Compress/Sparsity.h"
#include "leafcutter/Transforms/Onnx.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"

namespace leaf {
#define GEN_PASS_DEF_SPARSIFYWEIGHTS
#include "leafcutter/Compress/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

std::string leaf::whyNotSparse(const Layer &layer, int64_t fewest) {
  if (isKeptFloat(layer.op))
    return layer.op->getAttrOfType<StringAttr>(attrs::kFloat).str();
  if (!layer.hasWeight() || !getFloatWeight(layer.weight()))
    return "it has no weight";
  if (intAttr(layer.op, "group", 1) != 1)
    return "its channels are in groups: there is little to leave out";
  if (cast<ShapedType>(layer.weight().getType()).getRank() > 2 && isOnnx(layer.op, "MatMul"))
    return "its weight is a batch of matrices";
  if (cast<ShapedType>(layer.weight().getType()).getNumElements() < fewest)
    return "it has fewer than " + std::to_string(fewest) + " weights";
  return "";
}

void leaf::setSparseWeight(const Layer &layer, const WeightMatrix &matrix, const SparsityPattern &pattern) {
  OpBuilder builder(layer.op);
  std::string name = constantName(layer.weight());
  auto type = cast<RankedTensorType>(layer.weight().getType());
  Value weight =
      createConstant(builder, NameLoc::get(builder.getStringAttr(name)), fromMatrix(layer, matrix, type), name);
  if (auto load = weight.getDefiningOp<LoadWeightOp>())
    load.resolve()->setAttr(attrs::kSparsity, builder.getStringAttr(pattern.name()));
  layer.op->setOperand(layer.weightOperand, weight);
}

namespace {

struct SparsifyWeights : leaf::impl::SparsifyWeightsBase<SparsifyWeights> {
  using SparsifyWeightsBase::SparsifyWeightsBase;

  void runOnOperation() override {
    std::optional<SparsityPattern> form = parseSparsityPattern(pattern);
    if (!form || form->kind == SparsityPattern::Channel || !(sparsity >= 0 && sparsity < 1)) {
      getOperation()->emitError() << "no pattern with that share of zeros: " << pattern << ", " << double(sparsity);
      return signalPassFailure();
    }
    for (const Layer &layer : collectLayers(getOperation())) {
      if (!whyNotSparse(layer, least).empty())
        continue;
      WeightMatrix matrix = toMatrix(layer, *getFloatWeight(layer.weight()));
      pruneByMagnitude(matrix, *form, sparsity);
      setSparseWeight(layer, matrix, *form);
      ++numLayers;
    }
  }
};

} // namespace
