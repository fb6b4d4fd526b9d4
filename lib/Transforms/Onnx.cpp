//===- Onnx.cpp - onnx ops by name ---------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Transforms/Onnx.h"

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

namespace {
/// Numbers of onnx.proto's TensorProto.DataType.
enum DataType {
  Float = 1,
  UInt8 = 2,
  Int8 = 3,
  UInt16 = 4,
  Int16 = 5,
  Int32 = 6,
  Int64 = 7,
  Bool = 9,
  Float16 = 10,
  Double = 11,
  UInt32 = 12,
  UInt64 = 13,
  BFloat16 = 16
};
} // namespace

Type leaf::elementTypeOfONNX(MLIRContext *context, int64_t dataType) {
  auto integer = [&](unsigned width, bool isUnsigned = false) -> Type {
    return IntegerType::get(context, width, isUnsigned ? IntegerType::Unsigned : IntegerType::Signless);
  };
  switch (dataType) {
  case Float:
    return Float32Type::get(context);
  case Double:
    return Float64Type::get(context);
  case Float16:
    return Float16Type::get(context);
  case BFloat16:
    return BFloat16Type::get(context);
  case Bool:
    return integer(1);
  case Int8:
    return integer(8);
  case Int16:
    return integer(16);
  case Int32:
    return integer(32);
  case Int64:
    return integer(64);
  case UInt8:
    return integer(8, true);
  case UInt16:
    return integer(16, true);
  case UInt32:
    return integer(32, true);
  case UInt64:
    return integer(64, true);
  default:
    return {};
  }
}

int32_t leaf::onnxElementType(Type type) {
  for (int32_t dataType :
       {Float, UInt8, Int8, UInt16, Int16, Int32, Int64, Bool, Float16, Double, UInt32, UInt64, BFloat16})
    if (elementTypeOfONNX(type.getContext(), dataType) == type)
      return dataType;
  return 0;
}

std::string leaf::nodeName(Operation *op) {
  if (auto loc = op->getLoc()->findInstanceOf<NameLoc>())
    return loc.getName().str();
  return op->getName().getStringRef().str();
}
