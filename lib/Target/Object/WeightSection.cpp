//===- WeightSection.cpp - the bytes of all weights --------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Detail.h"
#include "Leaf/Leaf.h"
#include "Plan/Plan.h"
#include "leafcutter/Plan/ModelInterface.h"
#include "leafcutter/Target/Emit.h"
#include "leafcutter/Target/ObjectFile.h"

using namespace mlir;
using namespace leaf;

uint64_t object::getWeightBytes(ModuleOp module) {
  auto bytes = module->getAttrOfType<IntegerAttr>(plan::attrs::kWeightBytes);
  return bytes ? bytes.getValue().getZExtValue() : 0;
}

/// The image of a splat, of which the attribute holds one element only; empty for all other weights.
static std::vector<char> expandSplat(WeightOp weight) {
  auto dense = dyn_cast<DenseElementsAttr>(weight.getValue());
  if (!dense || !dense.isSplat() || dense.getElementType().isInteger(1))
    return {};
  ArrayRef<char> element = dense.getRawData();
  std::vector<char> bytes;
  bytes.reserve(element.size() * dense.getNumElements());
  for (int64_t i = 0; i < dense.getNumElements(); ++i)
    bytes.insert(bytes.end(), element.begin(), element.end());
  return bytes;
}

llvm::Error object::visitWeights(ModuleOp module,
                                 llvm::function_ref<void(uint64_t offset, ArrayRef<char> bytes)> write) {
  std::vector<std::pair<uint64_t, WeightOp>> weights;
  for (WeightOp weight : module.getOps<WeightOp>())
    if (auto offset = weight->getAttrOfType<IntegerAttr>(plan::attrs::kOffset))
      weights.emplace_back(offset.getValue().getZExtValue(), weight);
  llvm::sort(weights, llvm::less_first());
  uint64_t end = 0;
  for (auto [offset, weight] : weights) {
    ArrayRef<char> bytes = weight.getRawBytes();
    std::vector<char> splat = expandSplat(weight);
    if (!splat.empty())
      bytes = splat;
    RankedTensorType type = weight.getWeightType();
    Type element = type.getElementType();
    unsigned bits = element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
    uint64_t expected = llvm::divideCeil(bits, 8) * type.getNumElements();
    if (bytes.size() != expected)
      return llvm::createStringError("weight '" + weight.getSymName() + "' has " + llvm::Twine(bytes.size()) +
                                     " bytes of data, not " + llvm::Twine(expected) +
                                     "; a dump without its weights can't be emitted");
    if (offset < end || offset + expected > getWeightBytes(module))
      return llvm::createStringError("weight '" + weight.getSymName() + "' lies outside of its place in the section");
    write(offset, bytes);
    end = offset + expected;
  }
  return llvm::Error::success();
}

/// raw_ostream::write_zeros takes 32 bits only.
static void writeZeros(llvm::raw_ostream &out, uint64_t count) {
  for (; count > 0; count -= std::min<uint64_t>(count, 1 << 20))
    out.write_zeros(static_cast<unsigned>(std::min<uint64_t>(count, 1 << 20)));
}

std::vector<char> leaf::buildWeightSection(ModuleOp module) {
  std::vector<char> section(object::getWeightBytes(module));
  llvm::Error error = object::visitWeights(module, [&](uint64_t offset, ArrayRef<char> bytes) {
    std::copy(bytes.begin(), bytes.end(), section.begin() + offset);
  });
  if (!error)
    return section;
  module.emitError(llvm::toString(std::move(error)));
  return {};
}

llvm::Error leaf::writeWeightSection(ModuleOp module, llvm::raw_ostream &out) {
  uint64_t end = 0;
  llvm::Error error = object::visitWeights(module, [&](uint64_t offset, ArrayRef<char> bytes) {
    writeZeros(out, offset - end);
    out.write(bytes.data(), bytes.size());
    end = offset + bytes.size();
  });
  if (!error)
    writeZeros(out, object::getWeightBytes(module) - end);
  return error;
}

llvm::Error leaf::emitWeightsObject(ModuleOp module, const TargetSpec &target, llvm::raw_pwrite_stream &out) {
  llvm::Expected<std::string> name = object::getModelName(module);
  if (!name)
    return name.takeError();
  std::string symbol = *name + "_weights";
  auto section = module->getAttrOfType<StringAttr>(kWeightSection);
  DataObject data{section ? section.getValue() : StringRef(".rodata.leaf"), symbol, object::getWeightBytes(module)};
  return writeDataObject(data, target, out,
                         [&](llvm::raw_ostream &stream) { return writeWeightSection(module, stream); });
}
