//===- CorrectBiases.cpp - mean quantization errors into biases ----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Compress/Layers.h"
#include "leafcutter/Compress/Passes.h"
#include "leafcutter/Compress/Quantization.h"
#include "leafcutter/Transforms/Onnx.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"

namespace leaf {
#define GEN_PASS_DEF_CORRECTBIASES
#include "leafcutter/Compress/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// The bias with the error added; nothing where it is no vector of the channels.
static std::optional<std::vector<float>> correctedBias(const Layer &layer, ArrayRef<double> error) {
  Value operand = onnxOperand(layer.op, *layer.biasOperand);
  std::vector<float> values(error.begin(), error.end());
  if (!operand)
    return values;
  std::optional<HostTensor> bias = getHostConstant(operand);
  if (!bias || !bias->elementType().isF32() || bias->size() != int64_t(error.size()) || bias->rank() == 0 ||
      bias->shape().back() != bias->size() || floatAttr(layer.op, "beta", 1) != 1)
    return std::nullopt;
  for (size_t c = 0; c < values.size(); ++c)
    values[c] = float(bias->getFloat(c) + error[c]);
  return values;
}

/// A MatMul has no bias: an Add behind it takes the error.
static void addBehind(const Layer &layer, ArrayRef<double> error) {
  OpBuilder builder(layer.op->getContext());
  builder.setInsertionPointAfter(layer.op);
  std::string name = nodeName(layer.op) + "_bias";
  Location loc = NameLoc::get(builder.getStringAttr(name));
  Value result = layer.op->getResult(0);
  std::vector<float> values(error.begin(), error.end());
  Value bias = createFloats(builder, loc, values, name);
  Operation *add = createOnnx(builder, loc, "Add", result.getType(), {result, bias});
  result.replaceAllUsesExcept(add->getResult(0), add);
}

static bool correct(const Layer &layer, ArrayRef<double> error) {
  if (!layer.biasOperand) {
    if (layer.weightOperand != 1)
      return false;
    addBehind(layer, error);
    return true;
  }
  std::optional<std::vector<float>> values = correctedBias(layer, error);
  if (!values)
    return false;
  OpBuilder builder(layer.op);
  Value operand = onnxOperand(layer.op, *layer.biasOperand);
  std::string name = operand ? constantName(operand) : nodeName(layer.op) + "_bias";
  layer.op->setOperand(*layer.biasOperand,
                       createFloats(builder, NameLoc::get(builder.getStringAttr(name)), *values, name));
  return true;
}

namespace {

struct CorrectBiases : leaf::impl::CorrectBiasesBase<CorrectBiases> {
  using CorrectBiasesBase::CorrectBiasesBase;

  void runOnOperation() override {
    for (const Layer &layer : collectLayers(getOperation())) {
      auto error = layer.op->getAttrOfType<DenseF64ArrayAttr>(attrs::kBiasError);
      if (!error || !layer.hasWeight())
        continue;
      numCorrected += correct(layer, error.asArrayRef());
      layer.op->removeAttr(attrs::kBiasError);
    }
  }
};

} // namespace
