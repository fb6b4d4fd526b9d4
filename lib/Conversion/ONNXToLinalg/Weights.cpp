//===- Weights.cpp - constants as weight symbols -----------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "leafcutter/Support/ElementTypes.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/InterleavedRange.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::onnxtolinalg;

static void appendBits(SmallVectorImpl<char> &bytes, const APInt &bits, unsigned size, bool isSigned = false) {
  uint64_t word = isSigned ? static_cast<uint64_t>(bits.getSExtValue()) : bits.getZExtValue();
  for (unsigned i = 0; i < size; ++i)
    bytes.push_back(static_cast<char>(word >> (8 * i)));
}

std::optional<SmallVector<char, 0>> leaf::onnxtolinalg::getDenseBytes(ElementsAttr value) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob)
      return std::nullopt;
    SmallVector<char, 0> bytes(blob->getData().begin(), blob->getData().end());
    if (const ElementType *type = findElementType(value.getElementType()); type && type->isNarrowInteger())
      extendElements(bytes, *type);
    return bytes;
  }
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense)
    return std::nullopt;
  Type element = dense.getElementType();
  unsigned size = getElementBytes(element);
  if (!dense.isSplat() && element.getIntOrFloatBitWidth() >= 8)
    return SmallVector<char, 0>(dense.getRawData().begin(), dense.getRawData().end());
  SmallVector<char, 0> bytes;
  bytes.reserve(dense.getNumElements() * size);
  if (isa<FloatType>(element))
    for (APFloat number : dense.getValues<APFloat>())
      appendBits(bytes, number.bitcastToAPInt(), size);
  else
    for (APInt number : dense.getValues<APInt>())
      appendBits(bytes, number, size, element.isSignlessInteger() && !element.isInteger(1));
  return bytes;
}

/// Loads stand at the entry's start, where every region sees them.
Value Lowering::loadWeight(WeightOp weight) {
  OpBuilder::InsertionGuard guard(builder);
  if (lastLoad)
    builder.setInsertionPointAfter(lastLoad);
  else
    builder.setInsertionPointToStart(&main.getBody().front());
  lastLoad = LoadWeightOp::create(builder, currentLoc, weight.getWeightType(),
                                  FlatSymbolRefAttr::get(weight.getSymNameAttr()));
  return lastLoad->getResult(0);
}

Value Lowering::loadConstant(ElementsAttr value, StringRef hint) {
  Value &load = constantLoads[value];
  if (load)
    return load;
  auto type = cast<RankedTensorType>(value.getType());
  auto weightType = RankedTensorType::get(type.getShape(), signless(type.getElementType()));
  std::optional<SmallVector<char, 0>> bytes = getDenseBytes(value);
  load =
      loadWeight(createWeight(module, currentLoc, hint, weightType, bytes ? ArrayRef<char>(*bytes) : ArrayRef<char>()));
  return load;
}

ElementsAttr Lowering::getWeightValue(Value tensor) {
  auto load = tensor.getDefiningOp<LoadWeightOp>();
  if (!load)
    return nullptr;
  WeightOp weight = load.resolve();
  return weight ? weight.getValue() : nullptr;
}

/// Copies elements so that result dimension i is source dimension perm[i].
static void permute(ArrayRef<char> source, MutableArrayRef<char> result, ArrayRef<int64_t> shape,
                    ArrayRef<int64_t> perm, unsigned size) {
  SmallVector<int64_t> strides(shape.size(), 1), extents, steps;
  for (int64_t d = static_cast<int64_t>(shape.size()) - 2; d >= 0; --d)
    strides[d] = strides[d + 1] * shape[d + 1];
  for (int64_t d : perm) {
    extents.push_back(shape[d]);
    steps.push_back(strides[d]);
  }
  SmallVector<int64_t> index(perm.size(), 0);
  int64_t offset = 0;
  for (size_t at = 0; at < result.size(); at += size) {
    std::memcpy(result.data() + at, source.data() + offset * size, size);
    for (int64_t d = static_cast<int64_t>(perm.size()) - 1; d >= 0; --d) {
      offset += steps[d];
      if (++index[d] < extents[d])
        break;
      offset -= steps[d] * extents[d];
      index[d] = 0;
    }
  }
}

Value Lowering::relayoutWeight(Value tensor, ArrayRef<int64_t> split, ArrayRef<int64_t> perm,
                               ArrayRef<int64_t> result) {
  ElementsAttr value = getWeightValue(tensor);
  if (!value)
    return nullptr;
  auto load = tensor.getDefiningOp<LoadWeightOp>();
  std::string key;
  llvm::raw_string_ostream(key) << load.getWeight() << ':' << llvm::interleaved(split, ",") << ':'
                                << llvm::interleaved(perm, ",") << ':' << llvm::interleaved(result, ",");
  Value &relayouted = relayouts[key];
  if (relayouted)
    return relayouted;
  std::optional<SmallVector<char, 0>> bytes = getDenseBytes(value);
  auto type = RankedTensorType::get(result, cast<ShapedType>(value.getType()).getElementType());
  unsigned size = getElementBytes(type.getElementType());
  if (!bytes || bytes->size() != static_cast<size_t>(type.getNumElements()) * size)
    return nullptr;
  SmallVector<char, 0> permuted(bytes->size());
  permute(*bytes, permuted, split, perm, size);
  relayouted = loadWeight(createWeight(module, load.getLoc(), load.getWeight(), type, permuted));
  return relayouted;
}

Value Lowering::sliceWeight(Value tensor, int64_t outer, int64_t begin, int64_t count, ArrayRef<int64_t> shape) {
  ElementsAttr value = getWeightValue(tensor);
  if (!value)
    return nullptr;
  auto load = tensor.getDefiningOp<LoadWeightOp>();
  std::string key;
  llvm::raw_string_ostream(key) << load.getWeight() << '@' << outer << ':' << begin << ':' << count;
  Value &sliced = relayouts[key];
  if (sliced)
    return sliced;
  std::optional<SmallVector<char, 0>> bytes = getDenseBytes(value);
  auto source = cast<ShapedType>(value.getType());
  auto type = RankedTensorType::get(shape, source.getElementType());
  size_t size = getElementBytes(type.getElementType());
  if (!bytes || bytes->size() != static_cast<size_t>(source.getNumElements()) * size)
    return nullptr;
  size_t row = type.getNumElements() / count * size;
  size_t start = (outer * source.getDimSize(1) + begin) * row;
  sliced = loadWeight(createWeight(module, load.getLoc(), load.getWeight(), type,
                                   ArrayRef<char>(*bytes).slice(start, type.getNumElements() * size)));
  return sliced;
}
