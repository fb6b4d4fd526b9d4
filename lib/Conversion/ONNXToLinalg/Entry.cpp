//===- Entry.cpp - arguments, sizes and element types of @main --------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "leafcutter/Support/ElementTypes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::onnxtolinalg;

/// The ONNX name of what the lowered type does not tell.
static std::optional<StringRef> elementTypeName(Type type) {
  const ElementType *known = findElementType(type);
  return known && (type.isInteger(1) || Lowering::signless(type) != type) ? std::optional<StringRef>(known->name)
                                                                          : std::nullopt;
}

/// The weight's elements as the lowered type has them.
static ElementsAttr makeSignless(ElementsAttr value, RankedTensorType type) {
  auto from = cast<ShapedType>(value.getType()).getElementType();
  bool extends = from.isSignlessInteger() && from.getIntOrFloatBitWidth() < 8;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value); resource && !extends)
    return DenseResourceElementsAttr::get(type, resource.getRawHandle());
  if (auto dense = dyn_cast<DenseElementsAttr>(value); dense && from.getIntOrFloatBitWidth() >= 8)
    return dense.bitcast(type.getElementType());
  std::optional<SmallVector<char, 0>> bytes = getDenseBytes(value);
  if (!bytes)
    return nullptr;
  if (isa<DenseElementsAttr>(value))
    return DenseElementsAttr::getFromRawBuffer(type, *bytes);
  StringRef key = cast<DenseResourceElementsAttr>(value).getRawHandle().getKey();
  return DenseResourceElementsAttr::get(type, key, HeapAsmResourceBlob::allocateAndCopyInferAlign<char>(*bytes));
}

/// Gives all weights the types of lowered tensors; the ONNX types of loads are remembered in `signedTypes`.
static LogicalResult makeWeightsSignless(ModuleOp module, func::FuncOp main,
                                         DenseMap<Value, RankedTensorType> &signedTypes) {
  for (auto weight : module.getOps<WeightOp>()) {
    RankedTensorType type = weight.getWeightType();
    Type element = Lowering::signless(type.getElementType());
    if (element == type.getElementType())
      continue;
    ElementsAttr value = makeSignless(weight.getValue(), type.clone(element));
    if (!value)
      return weight.emitError("the weight has no data");
    weight.setValueAttr(value);
  }
  main.walk([&](LoadWeightOp load) {
    auto type = cast<RankedTensorType>(load.getResult().getType());
    Type element = Lowering::signless(type.getElementType());
    if (element == type.getElementType())
      return;
    signedTypes[load.getResult()] = type;
    load.getResult().setType(type.clone(element));
  });
  return success();
}

/// The size of a dynamic dimension by name, as an argument of the entry; null if it has no bound.
Size Lowering::getDim(StringRef name) {
  if (auto it = dims.find(name); it != dims.end())
    return it->second;
  auto bounds = module->getAttrOfType<DictionaryAttr>(attrs::kBounds);
  auto bound = bounds ? bounds.getAs<IntegerAttr>(name) : IntegerAttr();
  if (name.empty() || !bound)
    return Size();
  BlockArgument size = main.getBody().front().addArgument(builder.getIndexType(), main.getLoc());
  newDims.emplace_back(name.str(), size);
  Value bounded = BoundOp::create(builder, main.getLoc(), size, builder.getI64IntegerAttr(bound.getInt()));
  arithmetic.setNonNegative(bounded);
  return dims[name] = bounded;
}

LogicalResult Lowering::lowerArguments() {
  unsigned count = main.getNumArguments();
  // An entry that was lowered before has its sizes already.
  for (unsigned i = 0; i < count; ++i) {
    auto name = main.getArgAttrOfType<StringAttr>(i, attrs::kDim);
    if (!name)
      continue;
    arithmetic.setNonNegative(main.getArgument(i));
    dims[name.getValue()] = Size(main.getArgument(i));
  }
  for (unsigned i = 0; i < count; ++i) {
    BlockArgument argument = main.getArgument(i);
    tensors[argument] = argument;
    if (main.getArgAttr(i, attrs::kDim))
      continue;
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type)
      return main.emitError() << "argument " << i << " is no ranked tensor";
    if (std::optional<StringRef> name = elementTypeName(type.getElementType()))
      main.setArgAttr(i, attrs::kElementType, builder.getStringAttr(*name));
    signedTypes[argument] = type;
    argument.setType(type.clone(signless(type.getElementType())));
    auto names = main.getArgAttrOfType<ArrayAttr>(i, attrs::kDims);
    Sizes shape;
    for (int64_t d = 0; d < type.getRank(); ++d) {
      if (!type.isDynamicDim(d)) {
        shape.push_back(arithmetic.constant(type.getDimSize(d)));
        continue;
      }
      StringRef name = names && d < static_cast<int64_t>(names.size()) ? cast<StringAttr>(names[d]).getValue() : "";
      shape.push_back(getDim(name));
      if (!shape.back())
        return main.emitError() << "dimension " << d << " of argument " << i << " ('" << name
                                << "') is dynamic and has no upper bound; give it one with --dim";
    }
    setSizes(argument, shape);
  }
  return success();
}

LogicalResult Lowering::lowerEntry() {
  Block &block = main.getBody().front();
  builder.setInsertionPointToStart(&block);
  if (failed(makeWeightsSignless(module, main, signedTypes)) || failed(lowerArguments()))
    return failure();
  SmallVector<Type> results;
  for (auto [i, type] : llvm::enumerate(main.getResultTypes())) {
    auto shaped = dyn_cast<RankedTensorType>(type);
    if (!shaped)
      return main.emitError() << "result " << i << " is no ranked tensor";
    if (std::optional<StringRef> name = elementTypeName(shaped.getElementType()))
      main.setResultAttr(i, attrs::kElementType, builder.getStringAttr(*name));
    results.push_back(shaped.clone(signless(shaped.getElementType())));
  }
  main.setType(builder.getFunctionType(block.getArgumentTypes(), results));
  if (main.getAllArgAttrs()) {
    SmallVector<Attribute> padded(main.getAllArgAttrs().begin(), main.getAllArgAttrs().end());
    padded.resize(block.getNumArguments(), builder.getDictionaryAttr({}));
    main.setArgAttrsAttr(builder.getArrayAttr(padded));
  }
  for (auto &[name, argument] : newDims)
    main.setArgAttr(argument.getArgNumber(), attrs::kDim, builder.getStringAttr(name));
  return success();
}
