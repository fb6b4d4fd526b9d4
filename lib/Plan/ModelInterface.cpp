//===- ModelInterface.cpp - inputs, outputs and sizes of a model -------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Plan/ModelInterface.h"
#include "Leaf/Leaf.h"
#include "Plan/Plan.h"
#include "leafcutter/Plan/SizeBounds.h"
#include "leafcutter/Support/ElementTypes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include <map>

using namespace mlir;
using namespace leaf;

unsigned ModelInterface::numBuffers() const {
  return inputs.size() + llvm::count_if(outputs, [](const TensorInterface &output) { return output.alias < 0; });
}

static TensorInterface readTensor(MemRefType type, DictionaryAttr attributes) {
  TensorInterface tensor;
  auto text = [&](StringRef key) {
    auto value = attributes ? attributes.getAs<StringAttr>(key) : StringAttr();
    return value ? value.getValue().str() : std::string();
  };
  tensor.name = text(leaf::attrs::kName);
  tensor.elementType = text(leaf::attrs::kElementType);
  if (tensor.elementType.empty())
    tensor.elementType = findElementType(type.getElementType())->name.str();
  tensor.elementBytes = getElementBytes(type.getElementType());
  auto dims = attributes ? attributes.getAs<ArrayAttr>(leaf::attrs::kDims) : ArrayAttr();
  auto bounds = attributes ? attributes.getAs<DenseI64ArrayAttr>(plan::attrs::kUpperBounds) : DenseI64ArrayAttr();
  auto capacity = attributes ? attributes.getAs<IntegerAttr>(plan::attrs::kCapacity) : IntegerAttr();
  tensor.capacity = capacity ? capacity.getInt() : 0;
  SmallVector<int64_t> shape(type.getShape());
  if (auto aliased = attributes ? attributes.getAs<DenseI64ArrayAttr>(plan::attrs::kShape) : DenseI64ArrayAttr()) {
    for (auto [size, known] : llvm::zip(shape, aliased.asArrayRef()))
      size = known < 0 ? ShapedType::kDynamic : known;
    SmallVector<int64_t> strides = computeSuffixProduct(type.getShape());
    tensor.strides.assign(strides.begin(), strides.end());
  }
  for (auto [d, size] : llvm::enumerate(shape)) {
    bool open = ShapedType::isDynamic(size);
    tensor.shape.push_back(open ? -1 : size);
    tensor.dimNames.push_back(open && dims && d < dims.size() ? cast<StringAttr>(dims[d]).getValue().str() : "");
    tensor.upperBounds.push_back(bounds ? bounds[d] : size);
    tensor.dimResults.push_back(-1);
  }
  return tensor;
}

static int64_t getInteger(ModuleOp module, StringRef name, int64_t otherwise) {
  auto value = module->getAttrOfType<IntegerAttr>(name);
  return value ? value.getInt() : otherwise;
}

/// Connects the open dimensions of outputs with the sizes that the entry returns, in the same order.
static void readDimResults(func::FuncOp entry, ModelInterface &model) {
  unsigned next = 0;
  for (TensorInterface &output : model.outputs)
    for (auto [size, result] : llvm::zip(output.shape, output.dimResults))
      if (size < 0 && next < entry.getNumResults())
        result = next++;
  model.numDimResults = entry.getNumResults();
}

/// The output that shares the buffer of an input with these attributes.
static TensorInterface readAliasOutput(const TensorInterface &input, MemRefType buffer, DictionaryAttr attributes) {
  auto shape = attributes.getAs<DenseI64ArrayAttr>("shape");
  SmallVector<int64_t> sizes;
  for (int64_t size : shape.asArrayRef())
    sizes.push_back(size < 0 ? ShapedType::kDynamic : size);
  TensorInterface output = readTensor(MemRefType::get(sizes, buffer.getElementType()), attributes);
  output.capacity = input.capacity;
  output.strides = input.strides;
  return output;
}

/// Puts the aliased outputs between the others, each at its position among all outputs.
static void insertAliases(ModelInterface &model, std::map<int64_t, std::pair<TensorInterface, int>> &aliases) {
  for (auto &[position, alias] : aliases) {
    auto at = model.outputs.begin() + std::min<size_t>(position, model.outputs.size());
    alias.first.alias = alias.second;
    model.outputs.insert(at, alias.first);
  }
  for (auto [i, output] : llvm::enumerate(model.outputs))
    if (output.alias >= 0)
      model.inputs[output.alias].alias = i;
}

ModelInterface leaf::getModelInterface(ModuleOp module) {
  ModelInterface model;
  auto name = module->getAttrOfType<StringAttr>(leaf::attrs::kModel);
  model.name = name ? name.getValue().str() : "model";
  model.arenaBytes = getInteger(module, plan::attrs::kArenaBytes, 0);
  model.arenaLowerBound = getInteger(module, plan::attrs::kArenaLowerBound, 0);
  model.arenaAlign = getInteger(module, plan::attrs::kArenaAlign, 64);
  model.weightBytes = getInteger(module, plan::attrs::kWeightBytes, 0);
  model.maxWorkers = getInteger(module, kMaxWorkers, 1);
  if (auto file = module->getAttrOfType<DictionaryAttr>(kWeightFile)) {
    auto id = file.getAs<IntegerAttr>("id"), bytes = file.getAs<IntegerAttr>("bytes");
    model.weightsId = id ? id.getValue().getZExtValue() : 0;
    model.weightFileBytes = bytes ? bytes.getValue().getZExtValue() : 0;
  }
  if (auto section = module->getAttrOfType<StringAttr>(kWeightSection))
    model.weightSection = section.str();
  if (auto levels = module->getAttrOfType<ArrayAttr>(kIsaLevels))
    for (auto level : levels.getAsRange<StringAttr>())
      model.isaLevels.push_back(level.str());
  auto entry = module.lookupSymbol<func::FuncOp>("main");
  if (!entry)
    return model;
  auto known = module->getAttrOfType<DictionaryAttr>(leaf::attrs::kBounds);
  std::map<int64_t, std::pair<TensorInterface, int>> aliases;
  for (unsigned i = 0, e = entry.getNumArguments(); i < e; ++i) {
    if (auto type = dyn_cast<MemRefType>(entry.getArgumentTypes()[i])) {
      bool output = entry.getArgAttr(i, plan::attrs::kOutput) != nullptr;
      TensorInterface tensor = readTensor(type, entry.getArgAttrDict(i));
      if (auto alias = entry.getArgAttrOfType<DictionaryAttr>(i, plan::attrs::kAliasOutput))
        aliases[alias.getAs<IntegerAttr>("position").getInt()] = {readAliasOutput(tensor, type, alias),
                                                                  static_cast<int>(model.inputs.size())};
      (output ? model.outputs : model.inputs).push_back(std::move(tensor));
    } else if (auto dim = entry.getArgAttrOfType<StringAttr>(i, leaf::attrs::kDim)) {
      auto bound = known ? known.getAs<IntegerAttr>(dim.getValue()) : IntegerAttr();
      model.dims.push_back({dim.getValue().str(), bound ? bound.getInt() : 0});
    }
  }
  insertAliases(model, aliases);
  readDimResults(entry, model);
  return model;
}
