//===- ONNXConstants.cpp - reads constants behind onnx values ----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace leaf;

/// A dense attribute of the resource's elements; null when the bytes are not attached or do not fit the type.
static ElementsAttr materialize(ElementsAttr value) {
  auto resource = dyn_cast<DenseResourceElementsAttr>(value);
  if (!resource)
    return value;
  AsmResourceBlob *blob = resource.getRawHandle().getBlob();
  if (!blob)
    return nullptr;
  auto type = cast<ShapedType>(resource.getType());
  ArrayRef<char> bytes = blob->getData();
  // One bool takes one byte in a weight and one bit in a dense attribute.
  if (type.getElementType().isInteger(1)) {
    if (static_cast<int64_t>(bytes.size()) != type.getNumElements())
      return nullptr;
    SmallVector<bool> bits(bytes.begin(), bytes.end());
    return DenseElementsAttr::get(type, ArrayRef<bool>(bits));
  }
  int64_t elementBytes = type.getElementTypeBitWidth() / 8;
  if (static_cast<int64_t>(bytes.size()) != type.getNumElements() * elementBytes)
    return nullptr;
  return DenseElementsAttr::getFromRawBuffer(type, bytes);
}

ElementsAttr onnx::getConstantValue(Value value) {
  if (!value)
    return nullptr;
  if (auto constant = value.getDefiningOp<ConstantOp>())
    return constant.getValueAttr() ? materialize(constant.getValueAttr()) : nullptr;
  auto load = value.getDefiningOp<LoadWeightOp>();
  WeightOp weight = load ? load.resolve() : WeightOp();
  return weight ? materialize(weight.getValue()) : nullptr;
}

bool onnx::isConstant(Value value) {
  return value && isa_and_nonnull<onnx::ConstantOp, LoadWeightOp>(value.getDefiningOp());
}

std::optional<SmallVector<int64_t>> onnx::getIntConstant(Value value) {
  ElementsAttr elements = getConstantValue(value);
  if (!elements || !isa<IntegerType>(elements.getElementType()))
    return std::nullopt;
  auto dense = dyn_cast<DenseElementsAttr>(elements);
  if (!dense)
    return std::nullopt;
  bool isUnsigned = elements.getElementType().isUnsignedInteger() || elements.getElementType().isInteger(1);
  SmallVector<int64_t> out;
  for (const APInt &element : dense.getValues<APInt>())
    out.push_back(isUnsigned ? static_cast<int64_t>(element.getZExtValue()) : element.getSExtValue());
  return out;
}

std::optional<int64_t> onnx::getIntScalarConstant(Value value) {
  std::optional<SmallVector<int64_t>> elements = getIntConstant(value);
  return elements && elements->size() == 1 ? std::optional<int64_t>(elements->front()) : std::nullopt;
}

std::optional<double> onnx::getFloatScalarConstant(Value value) {
  auto dense = dyn_cast_or_null<DenseElementsAttr>(getConstantValue(value));
  if (!dense || !isa<FloatType>(dense.getElementType()) || dense.getNumElements() != 1)
    return std::nullopt;
  APFloat element = *dense.getValues<APFloat>().begin();
  bool losesInfo = false;
  element.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
  return element.convertToDouble();
}
