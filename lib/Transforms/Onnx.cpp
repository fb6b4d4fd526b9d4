//===- Onnx.cpp - onnx ops by name ---------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Transforms/Onnx.h"

#include "ONNX/ONNX.h"

#include "leafcutter/Support/ElementTypes.h"

using namespace mlir;
using namespace leaf;

bool leaf::isOnnx(Operation *op) { return op->getName().getDialectNamespace() == "onnx"; }

bool leaf::isOnnx(Operation *op, StringRef name) { return isOnnx(op) && onnxName(op) == name; }

StringRef leaf::onnxName(Operation *op) { return op->getName().stripDialect(); }

bool leaf::isNoValue(Value value) {
  Operation *op = value.getDefiningOp();
  return op && isOnnx(op, "NoValue");
}

Value leaf::onnxOperand(Operation *op, unsigned i) {
  if (i >= op->getNumOperands() || isNoValue(op->getOperand(i)))
    return {};
  return op->getOperand(i);
}

int64_t leaf::intAttr(Operation *op, StringRef name, int64_t absent) {
  auto attr = op->getAttrOfType<IntegerAttr>(name);
  return attr ? attr.getValue().getSExtValue() : absent;
}

double leaf::floatAttr(Operation *op, StringRef name, double absent) {
  auto attr = op->getAttrOfType<FloatAttr>(name);
  return attr ? attr.getValueAsDouble() : absent;
}

StringRef leaf::stringAttr(Operation *op, StringRef name, StringRef absent) {
  auto attr = op->getAttrOfType<StringAttr>(name);
  return attr ? attr.getValue() : absent;
}

std::optional<SmallVector<int64_t>> leaf::intsAttr(Operation *op, StringRef name) {
  if (auto attr = op->getAttrOfType<DenseI64ArrayAttr>(name))
    return SmallVector<int64_t>(attr.asArrayRef());
  return std::nullopt;
}

std::optional<int64_t> leaf::normalizeAxis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return std::nullopt;
  return axis < 0 ? axis + rank : axis;
}

Operation *leaf::createOnnx(OpBuilder &builder, Location loc, StringRef name, TypeRange resultTypes,
                            ValueRange operands, ArrayRef<NamedAttribute> attributes) {
  OperationState state(loc, ("onnx." + name).str(), operands, resultTypes, attributes);
  return builder.create(state);
}

Operation *leaf::createOnnx(OpBuilder &builder, Location loc, StringRef name, TypeRange resultTypes,
                            ValueRange operands, std::initializer_list<std::pair<StringRef, Attribute>> attributes) {
  SmallVector<NamedAttribute> named;
  for (const std::pair<StringRef, Attribute> &attribute : attributes)
    if (attribute.second)
      named.push_back(builder.getNamedAttr(attribute.first, attribute.second));
  return createOnnx(builder, loc, name, resultTypes, operands, ArrayRef<NamedAttribute>(named));
}

Value leaf::createNoValue(OpBuilder &builder, Location loc) {
  return createOnnx(builder, loc, "NoValue", builder.getNoneType(), {})->getResult(0);
}

/// TensorProto.STRING
static constexpr int32_t kONNXString = 8;

Type leaf::elementTypeOfONNX(MLIRContext *context, int64_t dataType) {
  if (dataType == kONNXString)
    return leaf::onnx::StringType::get(context);
  const ElementType *type = findONNXElementType(dataType);
  return type ? type->get(context) : Type();
}

int32_t leaf::onnxElementType(Type type) {
  if (isa<leaf::onnx::StringType>(type))
    return kONNXString;
  const ElementType *known = findElementType(type);
  return known ? known->onnx : 0;
}

std::string leaf::nodeName(Operation *op) {
  if (auto loc = op->getLoc()->findInstanceOf<NameLoc>())
    return loc.getName().str();
  return op->getName().getStringRef().str();
}
