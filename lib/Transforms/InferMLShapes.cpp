//===- InferMLShapes.cpp - shapes that libonnx's schemas leave out -------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "InferMLShapes.h"

#include "leafcutter/Transforms/Onnx.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace leaf;

namespace {
/// A dimension: its size, or the symbol of a `?`.
struct Dim {
  int64_t size;
  int32_t symbol = 0;
};
} // namespace

static TensorFacts makeFacts(Value result, ArrayRef<Dim> dims) {
  TensorFacts facts;
  facts.elementType = cast<TensorType>(result.getType()).getElementType();
  facts.hasRank = true;
  for (Dim dim : dims) {
    facts.sizes.push_back(dim.size);
    facts.symbols.push_back(dim.symbol);
  }
  return facts;
}

static Dim dimOf(const InferenceRequest &request, Value value, unsigned d) {
  int64_t size = cast<RankedTensorType>(value.getType()).getDimSize(d);
  return ShapedType::isDynamic(size) ? Dim{size, request.dimSymbol(value, d)} : Dim{size};
}

static int64_t listSize(Operation *op, StringRef name) {
  Attribute attr = op->getAttr(name);
  if (auto ints = dyn_cast_or_null<DenseI64ArrayAttr>(attr))
    return ints.size();
  auto strings = dyn_cast_or_null<ArrayAttr>(attr);
  return strings ? static_cast<int64_t>(strings.size()) : 0;
}

std::vector<TensorFacts> leaf::inferMLShapes(const InferenceRequest &request) {
  Operation *op = request.op;
  bool extracts = isOnnx(op, "ml.ArrayFeatureExtractor"), classifies = isOnnx(op, "ml.TreeEnsembleClassifier");
  if (!extracts && !classifies && !isOnnx(op, "ml.TreeEnsembleRegressor"))
    return {};
  Value x = op->getOperand(0);
  auto type = dyn_cast<RankedTensorType>(x.getType());
  if (!type || type.getRank() == 0)
    return {};
  if (extracts) {
    auto picked = dyn_cast<RankedTensorType>(op->getOperand(1).getType());
    if (!picked)
      return {};
    SmallVector<Dim> dims;
    for (int64_t d = 0; d + 1 < type.getRank(); ++d)
      dims.push_back(dimOf(request, x, d));
    if (dims.empty())
      dims.push_back({1});
    Dim count{picked.hasStaticShape() ? picked.getNumElements() : ShapedType::kDynamic};
    // The size of a list with one open dimension is that dimension.
    if (!picked.hasStaticShape())
      for (int64_t d = 0; d < picked.getRank(); ++d)
        if (picked.isDynamicDim(d) && llvm::all_of(llvm::seq<int64_t>(0, picked.getRank()),
                                                   [&](int64_t e) { return e == d || picked.getDimSize(e) == 1; }))
          count = dimOf(request, op->getOperand(1), d);
    dims.push_back(count);
    return {makeFacts(op->getResult(0), dims)};
  }
  Dim samples = type.getRank() == 1 ? Dim{1} : dimOf(request, x, 0);
  if (!classifies) {
    auto targets = op->getAttrOfType<IntegerAttr>("n_targets");
    return {makeFacts(op->getResult(0), {samples, {targets ? targets.getInt() : 1}})};
  }
  int64_t classes = std::max(listSize(op, "classlabels_int64s"), listSize(op, "classlabels_strings"));
  std::vector<TensorFacts> facts(2);
  if (isa<TensorType>(op->getResult(0).getType()))
    facts[0] = makeFacts(op->getResult(0), {samples});
  if (isa<TensorType>(op->getResult(1).getType()))
    facts[1] = makeFacts(op->getResult(1), {samples, {classes}});
  return facts;
}
